import Corpus
import Distillation
import Evaluation
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Logging
import Storage
import Training

extension Experiment {
  /// A set of frames that students learn from, with the soft targets of its frames.
  struct TransferPart {
    let name: String
    let frames: ArchiveFrames
    /// The archive that the features are in.
    let featuresPath: String
    /// Nil for hard targets alone.
    let softTargetsPath: String?
    /// How many probabilities of a frame are stored; nil for all.
    let largest: Int?

    /// Some of the frames.
    func with(
      _ frames: ArchiveFrames, softTargetsPath: String?, largest: Int?
    ) -> TransferPart {
      TransferPart(
        name: name, frames: frames, featuresPath: featuresPath, softTargetsPath: softTargetsPath,
        largest: largest)
    }
  }

  /// The training frames, and the frames of their copies, whose classes are not known.
  ///
  /// - Parameters:
  ///   - folder: where their soft targets are, in the experiment's folder.
  ///   - most: how many copies there are at most; nil for all.
  /// - Returns: at least the training frames.
  /// - Throws: `FileFault` and `ExperimentFault` for archives that cannot be used.
  func transferParts(_ folder: String, copies most: Int? = nil) throws -> [TransferPart] {
    func part(
      _ name: String, _ frames: ArchiveFrames, _ features: FeatureFolder
    ) -> TransferPart {
      TransferPart(
        name: "\(folder)/\(name)", frames: frames, featuresPath: features.archivePath,
        softTargetsPath: "\(path)/\(folder)/\(name).ark",
        largest: recipe.distillation.largest)
    }
    let classes = try ClassInventory(path: targets(.train).classesPath)
    let own = part("train", try openFrames(.train), features(.train))
    return try [own]
      + copies.prefix(most ?? copies.count).map { features, copy in
        part(
          copy.name,
          try ArchiveFrames(
            features: try MatrixArchive(path: features.archivePath), targets: nil,
            columns: recipe.features.columns, classes: classes.count), features)
      }
  }

  /// T, λ and the mean that students learn with: those that the search has chosen, or the recipe's.
  ///
  /// - Throws: `FileFault` when there should have been a search and was none.
  func distillation() throws(FileFault) -> DistillationOptions {
    recipe.search == nil ? recipe.distillation : try SearchReport(path: searchPath).chosen
  }

  /// Tries the recipe's points, each by a student, and writes `search.json` with the best on the development
  /// set.
  package func search() throws {
    guard let options = recipe.search else { return }
    var jobs: [(job: TrainingJob, distillation: DistillationOptions)] = []
    var training = recipe.student.training
    training.epochs = options.epochs ?? training.epochs
    for point in options.points(largest: recipe.distillation.largest) {
      let name = "\(point.mean.rawValue)-T\(point.temperature)-L\(point.hardWeight)"
      let job = TrainingJob(
        system: "search-\(name)", seed: recipe.student.seed, hidden: recipe.student.hidden,
        training: training)
      jobs.append((job, point))
    }
    // Those of one mean and T share their soft targets.
    let groups = Dictionary(grouping: jobs) {
      "soft-targets/search-\($0.distillation.mean.rawValue)-T\($0.distillation.temperature)"
    }
    for (folder, own) in groups.sorted(by: { $0.key < $1.key }) {
      try trainStudents(own, softTargets: folder, copies: options.copies)
    }
    let points = try jobs.map { job, distillation in
      let provenance = try AcousticModel(path: modelPath(job.system)).provenance
      return SearchReport.Point(
        distillation: distillation, developmentAccuracy: provenance.developmentAccuracy,
        epoch: provenance.epoch)
    }
    let report = SearchReport(points)
    try AtomicFile.write(JSONText.document(report), to: searchPath)
    reporter.log.info("\(searchPath):\n\(report.table.markdown)")
  }

  /// Computes the ensemble's soft targets and trains all students on them.
  package func distill() throws {
    try search()
    let options = try distillation()
    try trainStudents(studentJobs.map { ($0, options) }, softTargets: "soft-targets")
    try trainStudies()
  }

  /// Computes the soft targets of one T and mean, and trains students on them and on so many copies, all where
  /// none is given.
  private func trainStudents(
    _ students: [(job: TrainingJob, distillation: DistillationOptions)],
    softTargets folder: String, copies: Int? = nil
  ) throws {
    let parts = try transferParts(folder, copies: copies)
    let options = students[0].distillation
    let teacher = try ensembleTeacher(options)
    for part in parts {
      try computeSoftTargets(of: part, temperature: options.temperature, by: teacher)
    }
    try trainStudents(students, on: parts)
  }

  /// Trains students on frames whose soft targets are there; on those without, by hard targets alone.
  ///
  /// - Parameters:
  ///   - students: with what each minimises.
  ///   - parts: all with soft targets, or none.
  ///   - settings: adds what the networks depend on besides.
  /// - Throws: what any network's training throws, once all others are done.
  func trainStudents(
    _ students: [(job: TrainingJob, distillation: DistillationOptions)], on parts: [TransferPart],
    settings: (inout Inputs) -> Void = { _ in }
  ) throws {
    let softTargets = try parts.compactMap { part in
      try part.softTargetsPath.map { (part.name, try Fingerprint(ofFile: $0)) }
    }
    let options = Dictionary(
      uniqueKeysWithValues: students.map { ($0.job.system, $0.distillation) })
    try train(students.map(\.job), on: parts) { job, inputs in
      if !softTargets.isEmpty { inputs.add("distillation", options[job.system]) }
      for (name, print) in softTargets {
        inputs.add("soft targets of \(name)", print.description)
      }
      settings(&inputs)
    } objective: { job, classes in
      let hard = try job.hardTargets(classes)
      return softTargets.isEmpty
        ? hard
        : SoftAndHardTargets(
          options: options[job.system] ?? recipe.distillation, classes: classes.count, hard: hard)
    }
  }

  /// The whole ensemble, as a teacher.
  ///
  /// - Parameters:
  ///   - options: with the mean.
  ///   - members: how many of the members, from the first on; nil for all, each on the folds that it was not
  ///     trained on.
  /// - Returns: a teacher whose models need not be there yet.
  /// - Throws: `FileFault` when the folds cannot be told.
  func ensembleTeacher(
    _ options: DistillationOptions, members: Int? = nil
  ) throws(FileFault) -> EnsembleTeacher {
    EnsembleTeacher(
      memberPaths: memberJobs.prefix(members ?? memberJobs.count).map { modelPath($0.system) },
      mean: options.mean, folds: members == nil ? try folds() : nil)
  }

  /// Writes a teacher's distribution at T for each frame, keyed by utterance and frame.
  func computeSoftTargets(
    of part: TransferPart, temperature: Double, by teacher: any Teacher
  ) throws {
    guard let softTargetsPath = part.softTargetsPath else { return }
    let reportPath = SoftTargetReport.path(of: softTargetsPath)
    var inputs = Inputs()
    let classes = try ClassInventory(path: targets(.train).classesPath).count
    let store = SoftTargetStore(classes: classes, largest: part.largest)
    inputs.add("form", ["16-bit logarithms"])
    if let largest = store.largest { inputs.add("largest", largest) }
    inputs.add("temperature", temperature)
    try teacher.add(to: &inputs)
    try inputs.add(file: part.featuresPath)
    for file in dataFiles(.train) { try inputs.add(file: file) }
    try perform(part.name, inputs: inputs, outputs: [softTargetsPath, reportPath]) {
      try SoftTargetPass(
        frames: part.frames, store: store, featuresPath: part.featuresPath, teacher: teacher,
        temperature: temperature, workers: workers, reporter: reporter
      ).run(to: softTargetsPath, identity: inputs.fingerprint)
    }
  }
}
