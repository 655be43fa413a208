import Models
import Classes
import Corpus
import Distillation
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Logging
import Networks
package import Storage
package import Training

/// One network to train.
struct TrainingJob: Sendable {
  let system: System
  let seed: UInt64
  let hidden: HiddenShape
  let training: TrainingOptions
  /// Of a member that is not trained on all utterances, its number, which decides on the fold.
  let member: Int?
  /// Of a network that does not start from random weights and learns some classes.
  let specialist: Specialist?
  /// Whether it is one of a search, whose divergence is no fault; it is then left without a model.
  let isTrial: Bool

  init(
    system: System, seed: UInt64, hidden: HiddenShape, training: TrainingOptions,
    member: Int? = nil, specialist: Specialist? = nil, isTrial: Bool = false
  ) {
    (self.system, self.seed, self.hidden, self.training) = (system, seed, hidden, training)
    (self.member, self.specialist, self.isTrial) = (member, specialist, isTrial)
  }

  init(_ system: System, _ options: Recipe.SystemOptions) {
    self.init(
      system: system, seed: options.seed, hidden: options.hidden, training: options.training)
  }
}

/// The data that networks are trained on.
struct TrainingData: Sendable {
  let train: FrameSet
  let development: FrameSet
  let normalizer: FeatureNormalizer
  let classes: ClassInventory
  /// Those of the training targets; see `AcousticModel.logPriors`.
  let logPriors: [Float]

  /// The same of which each pass has a sample; all of it for nil.
  func sampled(by sampling: ClassSampling?) -> TrainingData {
    guard let sampling else { return self }
    return TrainingData(
      train: train.sampled(by: sampling), development: development.sampled(by: sampling),
      normalizer: normalizer, classes: classes, logPriors: logPriors)
  }
}

extension Experiment {
  /// The jobs of the ensemble's members, in order.
  var memberJobs: [TrainingJob] {
    (0..<recipe.ensemble.members).map { member in
      TrainingJob(
        system: .member(member), seed: recipe.ensemble.seed &+ UInt64(member),
        hidden: recipe.ensemble.hidden, training: recipe.ensemble.training,
        member: recipe.ensemble.folds == nil ? nil : member)
    }
  }

  /// The jobs of all students, the recipe's `student` first, the others by their names.
  var studentJobs: [TrainingJob] {
    [TrainingJob(.student(nil), recipe.student)]
      + pairs.map { TrainingJob(.student($0.name), $0.pair.student) }
  }

  /// The jobs of the students' baselines, in the same order.
  var baselineJobs: [TrainingJob] {
    [TrainingJob(.baseline(nil), recipe.baseline)]
      + pairs.map { TrainingJob(.baseline($0.name), $0.pair.baseline) }
  }

  private var pairs: [(name: String, pair: Recipe.StudentPair)] {
    recipe.students.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The systems that have a model when a stage is done.
  func systems(until last: Stage) -> [System] {
    let trained = (memberJobs + baselineJobs).map(\.system)
    return switch last {
    case .features, .targets: []
    case .train, .search: trained
    case .distill, .specialists, .score: trained + studentJobs.map(\.system)
    }
  }

  /// The systems whose models a single step after the training takes or makes.
  ///
  /// - Parameter step: `distill` or `specialists`.
  /// - Returns: a part of `systems(until:)`.
  /// - Throws: `FileFault` when the clusters of specialists cannot be read.
  package func systems(of step: Stage) throws(FileFault) -> [System] {
    switch step {
    case .distill: (memberJobs + studentJobs).map(\.system)
    case .specialists:
      [System.generalist]
        + memberJobs.prefix(
          recipe.specialists?.student == nil ? 0 : try comparedEnsemble()?.members ?? 0
        ).map(\.system)
    case .features, .targets, .train, .search, .score: systems(until: step)
    }
  }

  /// Trains all members and baselines that are not fresh.
  package func trainMembersAndBaselines() throws {
    try checkStudies()
    try noteFolds()
    if recipe.baselineSearch == nil {
      try FileSystem.remove(baselineSearchPath)
      try train(memberJobs + baselineJobs) { try $0.hardTargets($1) }
    } else {
      try train(memberJobs + baselineTrials.map(\.job)) { try $0.hardTargets($1) }
      try adoptBaselines()
    }
  }

  /// Trains one member, counted from 0.
  package func trainMember(_ member: Int) throws {
    guard memberJobs.indices.contains(member) else {
      throw ExperimentFault.noMember(member, members: memberJobs.count)
    }
    try noteFolds()
    try train([memberJobs[member]]) { try $0.hardTargets($1) }
  }

  /// What each epoch of a system's training came to.
  ///
  /// - Parameter system: that has been trained.
  /// - Returns: in their order.
  /// - Throws: `FileFault` when its log cannot be read.
  package func epochs(of system: System) throws(FileFault) -> [EpochRecord] {
    try TextFile.lines(of: logPath(system)).compactMap { _, line in
      // The lines of steps lack what epochs have.
      try? JSONDecoder().decode(EpochRecord.self, from: Data(line.utf8))
    }
  }

  func logPath(_ system: System) -> String { "\(path)/models/\(system).log.jsonl" }

  func eventsPath(_ system: System) -> String {
    "\(path)/tensorboard/\(system)/events.out.tfevents.limbeck"
  }

  /// Trains the networks that are not fresh, side by side.
  ///
  /// - Parameters:
  ///   - jobs: the networks.
  ///   - transfer: what is trained on; nil for the training frames without soft targets.
  ///   - settings: adds what a network depends on besides the job and the data.
  ///   - objective: what a job minimises, given the classes.
  /// - Throws: what any network's training throws, once all others are done.
  func train(
    _ jobs: [TrainingJob], on transfer: [TransferPart]? = nil,
    settings: (TrainingJob, inout Inputs) throws -> Void = { _, _ in },
    objective: (TrainingJob, ClassInventory) throws -> any TrainingObjective
  ) throws {
    let common = try trainingInputs()
    let inputs = try jobs.map { job in
      var own = try self.inputs(of: job, on: common)
      try settings(job, &own)
      return own
    }
    let stale = try jobs.indices.filter { try !isFresh(jobs[$0], inputs: inputs[$0]) }
    for index in jobs.indices where !stale.contains(index) {
      reporter.log.info("\(jobs[index].system): fresh")
      try removeCheckpoints(of: jobs[index].system)
    }
    guard !stale.isEmpty else { return }
    let sideBySide = try networksThatFit(
      stale.map { jobs[$0] }, on: transfer,
      sideBySide: min(networks ?? workers.count, workers.count, stale.count))
    let data = try openTrainingData(of: stale.map { jobs[$0] }, on: transfer)
    let objectives = try jobs.map { try objective($0, data[0].classes) }
    let log = reporter.log
    let observer = TrainingObserver(
      work: stale.map { jobs[$0].system.name }.joined(separator: " "),
      total: zip(stale, data).reduce(0) { $0 + $1.1.train.count * jobs[$1.0].training.epochs },
      reporter: reporter)
    // Those that go on have the threads of those that have ended.
    let company = Workers.Company(pieces: stale.count, width: sideBySide)
    let share = workers.shared(in: company)
    let results = Workers(count: sideBySide).map(stale.count) { index -> Result<Void, any Error> in
      let job = jobs[stale[index]]
      let result = Result {
        try Interruption.check()
        do {
          try train(
            job, on: data[index], objective: objectives[stale[index]], inputs: inputs[stale[index]],
            workers: share, observer: observer)
        } catch ExperimentFault.training(let system, let fault)
          where fault.isDivergence && job.isTrial
        {
          log.warning("\(system): \(fault); it is out of the choice")
          try FileSystem.remove(modelPath(job.system))
          try finish(job.system.name, inputs: inputs[stale[index]], outputs: [])
        }
      }
      company.end()
      // Said at once: the others go on, perhaps for hours.
      if case .failure(let fault) = result, (fault as? any Fault)?.isInterruption != true {
        log.error("\(fault)")
      }
      return result
    }
    ThreadMemory.note(workers)
    for result in results { try result.get() }
  }

  /// Removes what a run left of a training that is done, unless another run has the folder and is about to.
  private func removeCheckpoints(of system: System) throws(FileFault) {
    let folder = checkpointsPath(system)
    guard try FileSystem.exists(folder), let lock = try? FolderLock(folder) else { return }
    try CheckpointFolder.remove(folder)
    _ = consume lock
  }

  func checkpointsPath(_ system: System) -> String { "\(path)/checkpoints/\(system)" }

  /// Trains one network and writes its model, its log and its record; one that was stopped goes on.
  func train(
    _ job: TrainingJob, on data: TrainingData, objective: any TrainingObjective, inputs: Inputs,
    workers: Workers, observer: TrainingObserver
  ) throws {
    let log = reporter.log
    let folder = checkpointsPath(job.system)
    let lock = try FolderLock(folder)
    guard try !isFresh(job, inputs: inputs) else {
      // Another run has trained it while this one read its data.
      observer.skip(frames: job.training.epochs * data.train.count)
      try CheckpointFolder.remove(folder)
      return
    }
    try begin(job.system.name)
    let options = try features(.train).options()
    let network =
      job.specialist?.start
      ?? AcousticNetwork(
        features: options.columns, context: recipe.context.offsets, hidden: job.hidden,
        classes: data.classes.count, seed: job.seed)
    let checkpoints = CheckpointFolder(
      folder, identity: inputs.lines, pause: checkpointPause
    ) { log.warning("\(job.system): \($0)") }
    let trainer = Trainer(
      options: job.training, seed: job.seed, workers: workers, checkpoints: checkpoints,
      log: TrainingLog.Paths(
        lines: logPath(job.system),
        events: eventsPath(job.system)))
    let outcome: Trainer.Outcome
    do throws(TrainingFault) {
      outcome = try trainer.train(
        network, on: data.train, objective: objective, development: data.development
      ) { event in
        observer.note(event, of: job)
      }
      observer.skip(frames: (job.training.epochs - outcome.history.count) * data.train.count)
    } catch {
      // From a checkpoint it would diverge again, and another recipe could not go on from it.
      if error.isDivergence { try CheckpointFolder.remove(folder) }
      throw ExperimentFault.training(job.system.name, error)
    }
    let best = outcome.history[outcome.epoch - 1]
    let model = AcousticModel(
      network: job.specialist?.corrected(outcome.network) ?? outcome.network,
      features: options, normalizer: data.normalizer,
      classes: job.specialist?.classes ?? data.classes,
      logPriors: job.specialist == nil ? data.logPriors : nil,
      provenance: AcousticModel.Provenance(
        system: job.system.name, seed: job.seed, epoch: outcome.epoch,
        developmentAccuracy: best.developmentAccuracy, limbeckVersion: limbeckVersion))
    try model.write(to: modelPath(job.system))
    // Until then they are all that a run which is stopped here could go on from.
    try finish(job.system.name, inputs: inputs, outputs: [modelPath(job.system)])
    try CheckpointFolder.remove(folder)
    _ = consume lock
  }

  /// The data of each of some networks; one set serves all that have the same pool and lack the same fold.
  private func openTrainingData(
    of jobs: [TrainingJob], on transfer: [TransferPart]?
  ) throws -> [TrainingData] {
    let folds = try folds()
    var sets: [[Int?]: TrainingData] = [:]
    return try jobs.map { job in
      let key = [job.training.pool, job.member.map { $0 % (folds?.count ?? 1) }]
      let own =
        try sets[key]
        ?? openTrainingData(pool: job.training.pool, transfer: transfer) { utterance in
          job.member.map { folds?.isTrained(member: $0, on: utterance) ?? true } ?? true
        }
      sets[key] = own
      return own.sampled(by: job.specialist?.sampling)
    }
  }

  /// The training and development frames, normalised by the training frames' statistics.
  ///
  /// Both are read for that, and every frame must be finite and every class known.
  ///
  /// - Parameters:
  ///   - pool: how many training frames may be in memory.
  ///   - transfer: what to train on; nil for the training frames without soft targets.
  ///   - isTrained: whether a training utterance is trained on, by its id; not asked of `transfer`.
  /// - Returns: both sets, read as far as they fit in the pool.
  /// - Throws: `ExperimentFault` and `FileFault` for data that cannot be trained on.
  func openTrainingData(
    pool: Int, transfer: [TransferPart]? = nil, where isTrained: (String) -> Bool = { _ in true }
  ) throws -> TrainingData {
    let train = try openFrames(.train)
    let development = try openFrames(.development)
    let classes = try ClassInventory(path: targets(.train).classesPath)
    guard try ClassInventory(path: targets(.development).classesPath) == classes else {
      throw ExperimentFault.otherClasses(
        targets(.development).classesPath, targets(.train).classesPath)
    }
    let normalizer = try statistics(of: train, .train).normalizer
    _ = try statistics(of: development, .development)
    let joined = try transfer.map { parts in
      JoinedFrames(
        try parts.map { part in
          guard let path = part.softTargetsPath else { return part.frames }
          return try part.frames.with(
            softTargets: try MatrixArchive(path: path), largest: part.largest)
        })
    }
    let source: any FrameSource = joined ?? train.keeping(isTrained)
    let set = try FrameSet(source, normalizer: normalizer, pool: pool)
    reporter.log.info("training data: \(set.memory)")
    return TrainingData(
      train: set,
      development: try FrameSet(development, normalizer: normalizer, pool: pool),
      normalizer: normalizer, classes: classes,
      logPriors: try targets(.train).logPriors(classes: classes.count))
  }

  /// The sums over all frames of a part.
  private func statistics(
    of frames: ArchiveFrames, _ part: CorpusPart
  ) throws(FileFault) -> FeatureNormalizer.Statistics {
    var statistics = FeatureNormalizer.Statistics(columns: frames.columns)
    let piece = SharedMatrix(rows: 0, columns: frames.columns)
    for index in 0..<frames.count {
      try Interruption.check()
      let count = frames.frameCount(of: index)
      for start in stride(from: 0, to: count, by: framesAPiece) {
        let range = start..<min(count, start + framesAPiece)
        piece.setRowCount(range.count)
        try frames.readFeatures(range, of: index, into: piece.tile)
        for row in 0..<piece.rows where !statistics.add(piece.row(row)) {
          throw .malformed(
            path: features(part).archivePath,
            expected: "finite features for \(frames.id(of: index))",
            found: "another in frame \(start + row)")
        }
        _ = try frames.labels(range, of: index)
      }
    }
    return statistics
  }
}

/// Frames that are read at a time for statistics.
private let framesAPiece = 4096

extension TrainingJob {
  /// Its objective on hard targets.
  ///
  /// - Throws: `OptionFault` for a weight of a class that there is not.
  func hardTargets(_ classes: ClassInventory) throws(OptionFault) -> HardTargets {
    var weights: [Float] = []
    if !training.classWeights.isEmpty {
      weights = Array(repeating: 1, count: classes.count)
      for (symbol, weight) in training.classWeights.sorted(by: { $0.key < $1.key }) {
        guard let id = classes.id(of: symbol) else {
          throw .unknown(
            key: "classWeights.\(symbol)", nearest: nearest(to: symbol, among: classes.symbols),
            known: classes.symbols)
        }
        weights[Int(id)] = Float(weight)
      }
    }
    return HardTargets(smoothing: training.labelSmoothing, classWeights: weights)
  }
}
