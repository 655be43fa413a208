import Classes
import Corpus
package import Distillation
import Features
import KaldiIO
import LinearAlgebra
import Storage
import SystemPackage
import Training

/// Writes a teacher's distribution for each frame of a set.
struct LabelFrames: Step {
  let stage: Stage
  let labels: SoftTargets
  let set: UtteranceSet
  let reads: [Product]

  init(_ stage: Stage, _ labels: SoftTargets, of set: UtteranceSet, _ recipe: Recipe) {
    (self.stage, self.labels, self.set) = (stage, labels, set)
    // The targets determine the classes.
    let training: [Product] = set == .train ? [] : [.features(.train), .targets(.train)]
    reads = [.features(set), .targets(set)] + training + labels.reads(recipe)
  }

  /// The soft targets for a recipe's students.
  static func steps(of recipe: Recipe) -> [any Step] {
    ([.train] + recipe.copies(for: .students)).map {
      LabelFrames(.distill, .ofStudents(recipe), of: $0, recipe)
    }
  }

  var makes: Product { .softTargets(labels, set) }

  /// The soft targets of one mean at all T of a search are made in one pass over the members.
  var group: String {
    guard stage == .search, case .ensemble(let mean, _) = labels else { return name }
    return "soft-targets/\(mean.rawValue)/\(set.name)"
  }

  func files(in experiment: Experiment) throws -> StepFiles {
    let archive = try experiment.softTargetsPath(labels, set)
    return StepFiles(
      record: "soft-targets/\(try labels.folderName(in: experiment))/\(set.name)",
      folder: archive.folder, exact: [archive, SoftTargetReport.path(of: archive)])
  }

  func commonInputs(in experiment: Experiment) throws -> Inputs {
    let part = try experiment.transferPart(labels, set)
    var inputs = try Inputs()
    let bits = SoftTargetStore(classes: part.classes, largest: part.largest).bits
    inputs.add("form", ["\(bits)-bit logarithms"])
    try labels.teacher(in: experiment).add(to: &inputs)
    try inputs.add(file: part.featuresPath)
    for file in experiment.dataFiles(.train) { try inputs.add(file: file) }
    return inputs
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    let part = try experiment.transferPart(labels, set)
    let store = SoftTargetStore(classes: part.classes, largest: part.largest)
    if let largest = store.largest { inputs.add("largest", largest) }
    inputs.add("temperature", try labels.temperature(in: experiment))
  }

  /// The frames of the set, once for each network of the teacher.
  func framesToGo(in experiment: Experiment) throws -> Int? {
    let networks = reads.count { if case .model = $0 { true } else { false } }
    return try experiment.features(set).frameCounts().values.reduce(0, +) * networks
  }

  static func perform(_ steps: [Pending<LabelFrames>], in experiment: Experiment) throws {
    let claimed = try steps.compactMap { pending in
      try experiment.claim(pending).map { (pending.step, pending.files.exact, $0) }
    }
    guard let first = claimed.first?.0 else { return }
    let part = try experiment.transferPart(first.labels, first.set)
    try experiment.requireMemory(
      forSoftTargetsOf: part.frames, classes: part.classes, temperatures: claimed.count,
      name: "soft targets of \(first.name)")
    let outputs = try claimed.map { step, files, claim in
      SoftTargetPass.Output(
        path: files[0], identity: claim.inputs.fingerprint,
        temperature: try step.labels.temperature(in: experiment),
        store: SoftTargetStore(classes: part.classes, largest: part.largest))
    }
    try SoftTargetPass(
      frames: part.frames, featuresPath: part.featuresPath,
      teacher: try first.labels.teacher(in: experiment), workers: experiment.workers,
      reporter: experiment.reporter
    ).run(to: outputs) { place in
      let (_, files, claim) = claimed[place]
      try claim.finish(files)
    }
  }
}

/// A set of frames to train on, and the archive of their soft targets.
struct TransferPart {
  let frames: ArchiveFrames
  /// The archive of the features.
  let featuresPath: FilePath
  /// Nil for hard targets only.
  let softTargetsPath: FilePath?
  /// The number of probabilities stored for each frame; nil for all.
  let largest: Int?
  let classes: Int

  /// The same part with only some of its frames.
  func with(_ frames: ArchiveFrames) -> TransferPart {
    TransferPart(
      frames: frames, featuresPath: featuresPath, softTargetsPath: softTargetsPath,
      largest: largest, classes: classes)
  }
}

extension Experiment {
  /// The frames of a set with the path of their soft targets, which need not exist.
  ///
  /// - Parameters:
  ///   - labels: the soft targets; nil for none.
  ///   - set: the set of utterances.
  /// - Returns: the frames.
  /// - Throws: `FileFault` and `ExperimentFault` for archives that cannot be used.
  func transferPart(_ labels: SoftTargets?, _ set: UtteranceSet) throws -> TransferPart {
    let folder = features(set)
    let classes = try ClassInventory(path: targets(.train).classesPath).count
    return TransferPart(
      frames: try openFrames(set), featuresPath: folder.archivePath,
      softTargetsPath: try labels.map { try softTargetsPath($0, set) },
      largest: labels?.largest(recipe), classes: classes)
  }

  /// The archive of a set's soft targets.
  fileprivate func softTargetsPath(_ labels: SoftTargets, _ set: UtteranceSet) throws -> FilePath {
    path.appending("soft-targets/\(try labels.folderName(in: self))/\(set.name).ark")
  }

  /// What the students' soft targets of the training frames lose by being stored.
  ///
  /// - Returns: the report; nil if the soft targets no longer exist.
  /// - Throws: `FileFault` when the recipe's search was not run, or the report is malformed.
  package func softTargetReport() throws -> SoftTargetReport? {
    let path = SoftTargetReport.path(of: try softTargetsPath(.ofStudents(recipe), .train))
    return try FileSystem.exists(path) ? SoftTargetReport(path: path) : nil
  }
}
