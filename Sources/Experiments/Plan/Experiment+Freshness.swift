import Models
import Audio
import Corpus
import Foundation
import KaldiIO
import Logging
import Storage
import Training

extension Experiment {
  /// Does one step unless its results are fresh.
  ///
  /// They are when they were made from the same inputs as now, by the same version, and are still
  /// what they were then.
  ///
  /// - Parameters:
  ///   - name: the step's name, unique in the experiment.
  ///   - inputs: all that the results depend on.
  ///   - outputs: the files that it leaves, the same for the same inputs.
  ///   - beside: others with rates, times or the folder's path in them, which need only be there.
  ///   - body: does it.
  /// - Returns: whether it was done now.
  /// - Throws: what `body` throws.
  @discardableResult
  func perform(
    _ name: String, inputs: Inputs, outputs: [String], beside: [String] = [],
    _ body: () throws -> Void
  ) throws -> Bool {
    if try isFresh(name, inputs: inputs, outputs: outputs, beside: beside) {
      reporter.log.info("\(name): fresh")
      return false
    }
    try begin(name)
    try body()
    try finish(name, inputs: inputs, outputs: outputs)
    return true
  }

  /// Forgets what a step's results were made from, since they are about to change.
  func begin(_ name: String) throws(FileFault) { try FileSystem.remove(recordPath(name)) }

  /// Whether a step's results are those that were made, from the same inputs as now.
  func isFresh(
    _ name: String, inputs: Inputs, outputs: [String], beside: [String] = []
  ) throws(FileFault) -> Bool {
    do throws(FileFault) {
      let found = try TextFile.text(of: recordPath(name))
      guard found.hasPrefix(inputs.record) else { return false }
      for path in beside where try !FileSystem.exists(path) { return false }
      return try record(of: inputs, outputs) == found
    } catch {
      // What is missing or damaged is made anew; of what cannot be read it is not known.
      if error.isOfMachine { throw error }
      return false
    }
  }

  /// Notes what a step's results were made from, and what they are.
  func finish(_ name: String, inputs: Inputs, outputs: [String]) throws(FileFault) {
    try AtomicFile.write(try record(of: inputs, outputs), to: recordPath(name))
  }

  /// A line for the inputs and one for each output, by their bytes.
  private func record(of inputs: Inputs, _ outputs: [String]) throws(FileFault) -> String {
    var text = inputs.record
    for output in outputs {
      let name = output.hasPrefix(path + "/") ? String(output.dropFirst(path.count + 1)) : output
      text += "\(try Fingerprint(ofFile: output)) \(name)\n"
    }
    return text
  }

  private func recordPath(_ name: String) -> String {
    "\(recordsPath)/\(name.replacing("/", with: "-"))"
  }

  /// Whether a network is there as it was trained, or has diverged where it may.
  func isFresh(_ job: TrainingJob, inputs: Inputs) throws(FileFault) -> Bool {
    if try isFresh(
      job.system.name, inputs: inputs, outputs: [modelPath(job.system)],
      beside: [logPath(job.system)])
    {
      return true
    }
    return job.isTrial ? try isFresh(job.system.name, inputs: inputs, outputs: []) : false
  }

  /// Throws unless networks are as this recipe trains them, for a step that does not train them itself.
  ///
  /// - Parameter jobs: of hard targets.
  /// - Throws: `ModelFault` for the first that is missing, or `ExperimentFault.staleModel` when it is another
  ///   recipe's.
  func requireModels(_ jobs: [TrainingJob]) throws {
    let common = try trainingInputs()
    for job in jobs {
      guard try isFresh(job, inputs: inputs(of: job, on: common)) else {
        _ = try AcousticModel(path: modelPath(job.system))
        throw ExperimentFault.staleModel(modelPath(job.system))
      }
    }
  }

  /// What every network depends on: the training and development data, which must be the recipe's.
  func trainingInputs() throws -> Inputs {
    var inputs = Inputs()
    for part in [CorpusPart.train, .development] { try requireData(part) }
    for file in dataFiles(.train) + dataFiles(.development) { try inputs.add(file: file) }
    return inputs
  }

  /// What a network trained on hard targets depends on.
  func inputs(of job: TrainingJob, on data: Inputs) throws(FileFault) -> Inputs {
    var inputs = data
    inputs.add("seed", job.seed)
    inputs.add("hidden", job.hidden)
    inputs.add("training", job.training)
    inputs.add("context", recipe.context)
    if let member = job.member {
      inputs.add("member", member)
      inputs.add("folds", try folds())
    }
    return inputs
  }
}

/// All that a step's results depend on, in an order of its own.
struct Inputs {
  private(set) var lines = ["limbeck \(limbeckVersion)"]

  /// Adds a value by its JSON.
  mutating func add(_ name: String, _ value: some Encodable) {
    lines.append("\(name) \(JSONText.line(value))")
  }

  /// Adds a file by its bytes; its name with its folder's is for people, and the same wherever it lies.
  mutating func add(file path: String) throws(FileFault) {
    let name = path.split(separator: "/").suffix(2).joined(separator: "/")
    lines.append("\(name) \(try Fingerprint(ofFile: path))")
  }

  /// Adds a recording by where it lies, whatever the path that leads there, by its size and its time of change, since
  /// a corpus is long to read itself; of a command its text is all that is known.
  mutating func add(_ recording: Recording) throws(FileFault) {
    switch recording {
    case .file(let path): try add(recording: path)
    // As records of other versions have it.
    case .command(let command): lines.append("command(\(String(reflecting: command)))")
    case .absent: lines.append("absent")
    }
  }

  private mutating func add(recording path: String) throws(FileFault) {
    let (file, offset) = try RecordingBytes.place(of: path)
    guard let facts = try FileSystem.facts(of: file) else {
      lines.append("\(absolutePath(path)) missing")
      return
    }
    let changed = "\(facts.changed.seconds).\(facts.changed.nanoseconds)"
    lines.append("\(try FileSystem.realPath(of: file)) \(offset) \(facts.size) \(changed)")
  }

  /// Adds which part of which recording an utterance is; not the recording itself.
  mutating func add(_ utterance: Utterance) {
    let seconds = utterance.seconds.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "all"
    lines.append(
      """
      \(utterance.id): \(utterance.recordingID) \(seconds) \
      \(utterance.channel ?? 0)
      """)
  }

  /// Adds alignments: a file by its bytes; a folder by the paths, sizes and times of change of what is in
  /// it, since it is long to read, and so what an `scp` names.
  mutating func add(alignments options: TargetOptions) throws(FileFault) {
    if options.format == .archive {
      try add(table: options.path)
    } else if try FileSystem.isFolder(options.path) {
      try add(listed: try filePaths(below: options.path).map { options.path + "/" + $0 })
    } else {
      try add(file: options.path)
    }
  }

  /// Adds an archive, or a list with the archives that it names; of a command its text is all that is known.
  mutating func add(table: String) throws(FileFault) {
    let input = try ArchiveInput(reading: table)
    guard let path = input.path else {
      lines.append(table)
      return
    }
    try add(file: path)
    if case .script = input { try add(listed: try ArchiveScript(path: path).files) }
  }

  /// Adds a table of matrices: a list by its bytes, and archives as recordings are.
  mutating func add(_ table: MatrixTable) throws(FileFault) {
    if try FileSystem.facts(of: table.path)?.kind != .file {
      lines.append(table.path)
    } else if table.files.isEmpty {
      try add(recording: table.path)
    } else {
      try add(file: table.path)
      try add(listed: table.files)
    }
  }

  private mutating func add(listed files: [String]) throws(FileFault) {
    for file in files { try add(recording: file) }
  }

  var fingerprint: Fingerprint { Fingerprint(of: lines.joined(separator: "\n")) }

  /// What the record of a step begins with.
  fileprivate var record: String { "\(fingerprint)\n" }
}
