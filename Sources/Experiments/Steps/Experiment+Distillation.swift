import Models
import Classes
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
        try requireFeatures(features, copy: copy)
        return part(
          copy.name,
          try ArchiveFrames(
            features: try MatrixArchive(path: features.archivePath), targets: nil,
            columns: try features.options().columns, classes: classes.count), features)
      }
  }

  /// T, λ and the mean that students learn with: those that the search has chosen, or the recipe's.
  ///
  /// - Throws: `FileFault` when there should have been a search, and was none or one of another recipe, other data
  ///   or other members.
  func distillation() throws -> DistillationOptions {
    guard let search = recipe.search else { return recipe.distillation }
    let report = try SearchReport(path: searchPath)
    guard try isFresh("search", inputs: inputs(of: search), outputs: [searchPath]) else {
      throw FileFault.malformed(
        path: searchPath, expected: "the search of this recipe, data and members",
        found: "another; run limbeck distill")
    }
    return report.chosen
  }

  /// What a search depends on.
  private func inputs(of search: SearchOptions) throws -> Inputs {
    var inputs = try trainingInputs()
    inputs.add("search", search)
    inputs.add("student", recipe.student)
    inputs.add("context", recipe.context)
    inputs.add("largest", recipe.distillation.largest)
    inputs.add("augmentation", recipe.augmentation)
    for job in memberJobs { try inputs.add(file: modelPath(job.system)) }
    return inputs
  }

  /// Tries the recipe's points, each by a student, and writes `search.json` with the best on the development
  /// set.
  package func search() throws {
    guard let options = recipe.search else {
      try FileSystem.remove(searchPath)
      return
    }
    var jobs: [(job: TrainingJob, distillation: DistillationOptions)] = []
    var training = recipe.student.training
    training.epochs = options.epochs ?? training.epochs
    for point in options.points(largest: recipe.distillation.largest) {
      let name = "\(point.mean.rawValue)-T\(point.temperature)-L\(point.hardWeight)"
      let job = TrainingJob(
        system: .studentTrial(name), seed: recipe.student.seed, hidden: recipe.student.hidden,
        training: training, isTrial: true)
      jobs.append((job, point))
    }
    for (mean, own) in Dictionary(grouping: jobs, by: \.distillation.mean)
      .sorted(by: { $0.key.rawValue < $1.key.rawValue })
    {
      let groups = Dictionary(grouping: own, by: \.distillation.temperature)
        .sorted { $0.key < $1.key }
      let parts = try labelledParts(
        mean, temperatures: groups.map(\.key), copies: options.copies)
      for (students, parts) in zip(groups.map(\.value), parts) {
        try trainStudents(students, on: parts)
      }
    }
    let points = try jobs.map { job, distillation in
      let provenance = try model(job.system)?.provenance
      return SearchReport.Point(
        distillation: distillation, developmentAccuracy: provenance?.developmentAccuracy,
        epoch: provenance?.epoch)
    }
    guard let report = SearchReport(points) else {
      throw ExperimentFault.allDiverged(studentJobs[0].system.name)
    }
    try begin("search")
    try AtomicFile.write(JSONText.document(report), to: searchPath)
    try finish("search", inputs: try inputs(of: options), outputs: [searchPath])
    reporter.log.info("\(searchPath):\n\(report.table.markdown)")
  }

  /// Distils the members that are there: searches T and λ, and trains all students.
  ///
  /// - Throws: `ExperimentFault` when the members are not this recipe's, and what any student's training throws.
  package func distill() throws {
    try requireModels(memberJobs)
    try search()
    try trainStudents()
  }

  /// Computes the ensemble's soft targets at the T that was chosen, and trains all students on them.
  func trainStudents() throws {
    let options = try distillation()
    for parts in try labelledParts(options.mean, temperatures: [options.temperature]) {
      try trainStudents(studentJobs.map { ($0, options) }, on: parts)
    }
    try trainStudies()
  }

  /// Where the ensemble's soft targets of a mean and T are, in the experiment's folder; a search and the students
  /// after it have the same.
  func softTargetFolder(_ mean: TeacherMean, _ temperature: Double) -> String {
    "soft-targets/\(mean.rawValue)-T\(temperature)"
  }

  /// What the soft targets of the training frames, of which the students have learnt, lose by being stored.
  ///
  /// - Returns: nil when they are not there any more.
  /// - Throws: `FileFault` when there should have been a search, and was none or another.
  package func softTargetReport() throws -> SoftTargetReport? {
    let own = try distillation()
    let path = SoftTargetReport.path(
      of: "\(path)/\(softTargetFolder(own.mean, own.temperature))/train.ark")
    return try FileSystem.exists(path) ? SoftTargetReport(path: path) : nil
  }

  /// Labels the training frames and so many copies by the whole ensemble.
  ///
  /// - Parameters:
  ///   - mean: how the members' distributions become one.
  ///   - temperatures: each T.
  ///   - copies: how many of the copies, the first ones; nil for all.
  /// - Returns: for each T, the training frames and the copies with their soft targets.
  /// - Throws: what `computeSoftTargets` throws.
  private func labelledParts(
    _ mean: TeacherMean, temperatures: [Double], copies: Int? = nil
  ) throws -> [[TransferPart]] {
    let teacher = try ensembleTeacher(mean)
    let parts = try temperatures.map {
      try transferParts(softTargetFolder(mean, $0), copies: copies)
    }
    for place in parts.first?.indices ?? 0..<0 {
      try computeSoftTargets(
        of: parts.map { $0[place] }, temperatures: temperatures, by: teacher)
    }
    return parts
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
  ///   - mean: how the members' distributions become one.
  ///   - members: how many of the members, from the first on; nil for all, each on the folds that it was not
  ///     trained on.
  /// - Returns: a teacher whose models need not be there yet.
  /// - Throws: `FileFault` when the folds cannot be told.
  func ensembleTeacher(
    _ mean: TeacherMean, members: Int? = nil
  ) throws(FileFault) -> EnsembleTeacher {
    EnsembleTeacher(
      memberPaths: memberJobs.prefix(members ?? memberJobs.count).map { modelPath($0.system) },
      mean: mean, folds: members == nil ? try folds() : nil)
  }

  /// Writes a teacher's distributions for each frame, keyed by utterance and frame; those that are fresh are left
  /// alone, all others made in one pass over the teacher's networks.
  ///
  /// - Parameters:
  ///   - parts: the same frames for each T, and where their soft targets go.
  ///   - temperatures: as many.
  ///   - teacher: labels them.
  /// - Throws: `FileFault` for files that cannot be read or written, and what is wrong with a model.
  func computeSoftTargets(
    of parts: [TransferPart], temperatures: [Double], by teacher: any Teacher
  ) throws {
    guard let frames = parts.first else { return }
    let classes = try ClassInventory(path: targets(.train).classesPath).count
    var common = Inputs()
    let bits = SoftTargetStore(classes: classes, largest: frames.largest).bits
    common.add("form", ["\(bits)-bit logarithms"])
    try teacher.add(to: &common)
    try common.add(file: frames.featuresPath)
    for file in dataFiles(.train) { try common.add(file: file) }
    var stale: [(part: TransferPart, output: SoftTargetPass.Output, inputs: Inputs)] = []
    for (part, temperature) in zip(parts, temperatures) {
      guard let softTargetsPath = part.softTargetsPath else { continue }
      let store = SoftTargetStore(classes: classes, largest: part.largest)
      var inputs = common
      if let largest = store.largest { inputs.add("largest", largest) }
      inputs.add("temperature", temperature)
      let outputs = [softTargetsPath, SoftTargetReport.path(of: softTargetsPath)]
      if try isFresh(part.name, inputs: inputs, outputs: outputs) {
        reporter.log.info("\(part.name): fresh")
        continue
      }
      try begin(part.name)
      let output = SoftTargetPass.Output(
        path: softTargetsPath, identity: inputs.fingerprint, temperature: temperature,
        store: store)
      stale.append((part, output, inputs))
    }
    guard !stale.isEmpty else { return }
    try requireMemory(
      forSoftTargetsOf: frames.frames, classes: classes, temperatures: stale.count,
      name: "soft targets of \(frames.name)")
    try SoftTargetPass(
      frames: frames.frames, featuresPath: frames.featuresPath, teacher: teacher,
      workers: workers, reporter: reporter
    ).run(to: stale.map(\.output)) { place in
      let (part, output, inputs) = stale[place]
      try finish(
        part.name, inputs: inputs,
        outputs: [output.path, SoftTargetReport.path(of: output.path)])
    }
  }
}
