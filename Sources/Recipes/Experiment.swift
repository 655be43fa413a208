package import Corpus
package import Evaluation
import Features
import Foundation
package import LinearAlgebra
import Logging
package import Storage
import Training

/// The steps of an experiment, in order; each reads files and leaves files.
package enum Stage: String, Sendable, CaseIterable {
  /// Log-mel features of the three data directories.
  case features
  /// Frame targets.
  case targets
  /// The ensemble's members and the baselines.
  case train
  /// T, λ and the mean by development accuracy, where the recipe asks for a search.
  case search
  /// Soft targets and the students.
  case distill
  /// The baseline's specialists and their students, where the recipe asks for them.
  case specialists
  /// The scores of all systems.
  case score
}

/// The three parts of a corpus.
package enum CorpusPart: String, Sendable, CaseIterable {
  case train, development, test
}

/// A recipe and the folder where its stages leave their results.
///
/// ```
/// features/PART/        feats.ark feats.scp utt2num_frames features.json ledger.jsonl
/// targets/PART/         targets.ark classes.txt class_counts log_priors targets.json ledger.jsonl
/// models/               SYSTEM.safetensors, SYSTEM.log.jsonl, and folds.json where there are folds
/// tensorboard/SYSTEM/   the same log as TensorBoard's events
/// checkpoints/SYSTEM/   of trainings that are not done
/// soft-targets/MEAN-T/  train.ark train.scp train.json of the ensemble at T, and train-copy-N.ark of the copies
/// search.json           what was tried to choose T and λ
/// baseline-search.json  what was tried to choose how baselines are trained
/// specialists/          clusters.json, the classes of each specialist
/// recipe.yaml           the recipe that the scores are of
/// stages/               what each step was made from, and what it made
/// ledger.jsonl          what became of every utterance at every stage
/// scores.json
/// ```
package struct Experiment: Sendable {
  package let recipe: Recipe
  package let path: String
  let workers: Workers
  /// How many networks may be trained side by side; nil for as many as there are threads.
  let networks: Int?
  let checkpointPause: Duration
  let reporter: Reporter

  /// An experiment; nothing is read or written yet.
  ///
  /// - Parameters:
  ///   - recipe: the choices.
  ///   - path: the folder.
  ///   - workers: all the threads that the experiment may use.
  ///   - networks: how many networks may be trained side by side, which share the threads; nil for as many
  ///     as there are threads.
  ///   - checkpointPause: the least time between two checkpoints of a training within an epoch.
  ///   - reporter: where progress and log lines go.
  package init(
    recipe: Recipe, path: String, workers: Workers, networks: Int? = nil,
    checkpointPause: Duration = .seconds(300), reporter: Reporter
  ) {
    (self.recipe, self.path, self.workers, self.reporter) = (recipe, path, workers, reporter)
    (self.networks, self.checkpointPause) = (networks, checkpointPause)
  }

  package var scoresPath: String { path + "/scores.json" }
  /// The recipe that the scores are of.
  package var recipePath: String { path + "/recipe.yaml" }
  package var searchPath: String { path + "/search.json" }
  package var ledgerPath: String { path + "/ledger.jsonl" }

  func features(_ part: CorpusPart) -> FeatureFolder {
    FeatureFolder(path: "\(path)/features/\(part.rawValue)")
  }

  /// The features of the perturbed copies of the training utterances.
  var copies: [(features: FeatureFolder, copy: AugmentedCopy)] {
    guard let options = recipe.augmentation, options.copies > 0 else { return [] }
    return (1...options.copies).map { number in
      let copy = AugmentedCopy(options: options, number: number)
      return (FeatureFolder(path: "\(path)/features/\(copy.name)"), copy)
    }
  }

  func targets(_ part: CorpusPart) -> TargetFolder {
    TargetFolder(path: "\(path)/targets/\(part.rawValue)")
  }

  func modelPath(_ system: String) -> String { "\(path)/models/\(system).safetensors" }

  /// Runs the stages up to and with `last`; what is fresh is skipped.
  ///
  /// - Returns: the utterances that were left out, also written to `ledger.jsonl`, and how many
  ///   there are in all.
  package func run(until last: Stage = .score) throws -> (ledger: Ledger, utterances: Int) {
    for stage in Stage.allCases {
      switch stage {
      case .features: try prepareFeatures()
      case .targets: try prepareTargets()
      case .train: try trainMembersAndBaselines()
      case .search: try search()
      case .distill: try distill()
      case .specialists: try trainSpecialists()
      case .score: try score()
      }
      if stage == last { break }
    }
    return try collectLedger(until: last)
  }

  /// The program, its libraries and the machine, in words.
  static var maker: String {
    let machine = ProcessInfo.processInfo
    return """
      limbeck \(limbeckVersion); \(libraryVersions.joined(separator: ", ")); \
      \(machine.operatingSystemVersionString), \(machine.activeProcessorCount) processors
      """
  }

  /// What `scores.json` holds.
  package func readScores() throws(FileFault) -> ScoreReport {
    try ScoreReport(path: scoresPath)
  }

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
  /// - Throws: what `body` throws.
  func perform(
    _ name: String, inputs: Inputs, outputs: [String], beside: [String] = [],
    _ body: () throws -> Void
  ) throws {
    if isFresh(name, inputs: inputs, outputs: outputs, beside: beside) {
      reporter.log.info("\(name): fresh")
      return
    }
    begin(name)
    try body()
    try finish(name, inputs: inputs, outputs: outputs)
  }

  /// Forgets what a step's results were made from, since they are about to change.
  func begin(_ name: String) {
    try? FileManager.default.removeItem(atPath: recordPath(name))
  }

  /// Whether a step's results are those that were made, from the same inputs as now.
  func isFresh(
    _ name: String, inputs: Inputs, outputs: [String], beside: [String] = []
  ) -> Bool {
    guard let found = try? TextFile.text(of: recordPath(name)), found.hasPrefix(inputs.record),
      beside.allSatisfy({ FileManager.default.fileExists(atPath: $0) })
    else { return false }
    return (try? record(of: inputs, outputs)) == found
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
    "\(path)/stages/\(name.replacing("/", with: "-"))"
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

  /// Adds a recording by its path, size and time of change, since a corpus is long to read; of a command
  /// its text is all that is known.
  mutating func add(_ recording: Recording) {
    guard case .file(let path) = recording else {
      lines.append("\(recording)")
      return
    }
    let facts = try? FileManager.default.attributesOfItem(atPath: path)
    let changed = (facts?[.modificationDate] as? Date)?.timeIntervalSince1970
    lines.append("\(path) \(facts?[.size] ?? "missing") \(changed.map { "\($0)" } ?? "")")
  }

  /// Adds which part of which recording an utterance is; not the recording's bytes.
  mutating func add(_ utterance: Utterance) {
    let seconds = utterance.seconds.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "all"
    lines.append(
      """
      \(utterance.id): \(utterance.recordingID) \(utterance.recording) \(seconds) \
      \(utterance.channel ?? 0)
      """)
  }

  /// Adds alignments: a file by its bytes; a folder by the paths, sizes and times of change of what is in
  /// it, since it is long to read.
  mutating func add(alignments options: TargetOptions) throws(FileFault) {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: options.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { return try add(file: options.path) }
    for file in filePaths(below: options.path) { add(.file(path: options.path + "/" + file)) }
  }

  var fingerprint: Fingerprint { Fingerprint(of: lines.joined(separator: "\n")) }

  /// What the record of a step begins with.
  fileprivate var record: String { "\(fingerprint)\n" }
}
