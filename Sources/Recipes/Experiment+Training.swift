import Corpus
import Features
import Foundation
import LinearAlgebra
import Logging
import Networks
import Storage
import Synchronization
import Training

/// One network to train.
struct TrainingJob: Sendable {
  /// Its name in the experiment, as in `member-00`.
  let system: String
  let seed: UInt64
  let hidden: HiddenShape
  let training: TrainingOptions
}

/// The data that networks are trained on.
struct TrainingData: Sendable {
  let train: FrameSet
  let development: FrameSet
  let normalizer: FeatureNormalizer
  let classes: ClassInventory
}

extension Experiment {
  /// The jobs of the ensemble's members, in order.
  var memberJobs: [TrainingJob] {
    (0..<recipe.ensemble.members).map { member in
      TrainingJob(
        system: Experiment.memberName(member), seed: recipe.ensemble.seed &+ UInt64(member),
        hidden: recipe.ensemble.hidden, training: recipe.ensemble.training)
    }
  }

  /// The job of a network like the student; the baseline is one with hard targets.
  func studentJob(_ system: String) -> TrainingJob {
    TrainingJob(
      system: system, seed: recipe.student.seed, hidden: recipe.student.hidden,
      training: recipe.student.training)
  }

  static func memberName(_ member: Int) -> String {
    "member-" + (member < 10 ? "0" : "") + "\(member)"
  }

  /// Trains all members and the baseline that are not fresh.
  package func trainMembersAndBaseline() throws {
    try train(memberJobs + [studentJob("baseline")])
  }

  /// Trains one member, counted from 0.
  package func trainMember(_ member: Int) throws {
    guard memberJobs.indices.contains(member) else {
      throw ExperimentFault.noMember(member, members: memberJobs.count)
    }
    try train([memberJobs[member]])
  }

  /// Trains networks on hard targets, side by side.
  private func train(_ jobs: [TrainingJob]) throws {
    let data = try trainingInputs()
    let inputs = jobs.map { self.inputs(of: $0, on: data) }
    let stale = jobs.indices.filter {
      !isFresh(jobs[$0].system, inputs: inputs[$0], outputs: [modelPath(jobs[$0].system)])
    }
    for index in jobs.indices where !stale.contains(index) {
      reporter.log.info("\(jobs[index].system): fresh")
    }
    guard !stale.isEmpty else { return }
    for index in stale { begin(jobs[index].system) }
    let frames = try loadTrainingData()
    let objective = HardTargets(labels: frames.train.labels)
    let observer = TrainingObserver(
      work: stale.map { jobs[$0].system }.joined(separator: " "),
      total: stale.reduce(0) { $0 + frames.train.count * jobs[$1].training.epochs },
      reporter: reporter)
    let share = Workers(count: max(1, workers.count / stale.count))
    let results = workers.map(stale.count) { index -> Result<Void, any Error> in
      let job = jobs[stale[index]]
      return Result {
        try train(job, on: frames, objective: objective, workers: share, observer: observer)
        try finish(job.system, inputs: inputs[stale[index]])
      }
    }
    for result in results { try result.get() }
  }

  /// Trains one network and writes its model and its log.
  func train(
    _ job: TrainingJob, on data: TrainingData, objective: some TrainingObjective,
    workers: Workers, observer: TrainingObserver
  ) throws {
    let network = FeedForwardNetwork(
      inputs: data.train.inputs, hidden: job.hidden, classes: data.classes.count, seed: job.seed)
    let trainer = Trainer(options: job.training, seed: job.seed, workers: workers)
    let outcome = try trainer.train(
      network, on: data.train, objective: objective, development: data.development
    ) { event in
      observer.note(event, of: job)
    }
    let best = outcome.history[outcome.epoch - 1]
    let model = AcousticModel(
      network: outcome.network, features: recipe.features, normalizer: data.normalizer,
      context: recipe.context, classes: data.classes,
      provenance: AcousticModel.Provenance(
        system: job.system, seed: job.seed, epoch: outcome.epoch,
        developmentAccuracy: best.developmentAccuracy, limbeckVersion: limbeckVersion))
    try AtomicFile.write(
      outcome.history.map { JSONText.line($0) + "\n" }.joined(),
      to: "\(path)/models/\(job.system).log.jsonl")
    try model.write(to: modelPath(job.system))
  }

  /// What every network depends on: the training and development data.
  func trainingInputs() throws(FileFault) -> Inputs {
    var inputs = Inputs()
    for file in dataFiles(.train) + dataFiles(.development) { try inputs.add(file: file) }
    return inputs
  }

  /// What a network trained on hard targets depends on.
  func inputs(of job: TrainingJob, on data: Inputs) -> Inputs {
    var inputs = data
    inputs.add("seed", job.seed)
    inputs.add("hidden", job.hidden)
    inputs.add("training", job.training)
    inputs.add("context", recipe.context)
    return inputs
  }

  /// The training and development frames, normalised by the training frames' statistics.
  func loadTrainingData() throws -> TrainingData {
    let train = try loadUtterances(.train)
    let development = try loadUtterances(.development)
    let classes = try ClassInventory(path: targets(.train).classesPath)
    guard try ClassInventory(path: targets(.development).classesPath) == classes else {
      throw ExperimentFault.otherClasses(
        targets(.development).classesPath, targets(.train).classesPath)
    }
    var all = Matrix(rows: 0, columns: recipe.features.columns)
    for utterance in train { all.append(utterance.features) }
    let normalizer = FeatureNormalizer(of: all)
    return TrainingData(
      train: FrameSet(train, normalizer: normalizer, context: recipe.context),
      development: FrameSet(development, normalizer: normalizer, context: recipe.context),
      normalizer: normalizer, classes: classes)
  }
}

/// Adds up the progress of networks that are trained side by side.
final class TrainingObserver: Sendable {
  private let work: String
  private let total: Int
  private let reporter: Reporter
  private let done = Atomic(0)

  /// An observer of some networks.
  ///
  /// - Parameters:
  ///   - work: what is being trained, for the progress line.
  ///   - total: frames over all networks and epochs.
  ///   - reporter: where progress and epochs go.
  init(work: String, total: Int, reporter: Reporter) {
    (self.work, self.total, self.reporter) = (work, total, reporter)
  }

  func note(_ event: Trainer.Event, of job: TrainingJob) {
    switch event {
    case .frames(let count):
      let sum = done.wrappingAdd(count, ordering: .relaxed).newValue
      reporter.progress(
        WorkProgress(work: work, done: Double(sum), total: Double(total), unit: "frames"))
    case .epoch(let record):
      reporter.log.info(
        """
        \(job.system): epoch \(record.epoch) of \(job.training.epochs), \
        loss \(String(format: "%.4f", record.loss)), \
        accuracy \(String(format: "%.2f", 100 * record.accuracy)) %, \
        development \(String(format: "%.2f", 100 * record.developmentAccuracy)) %
        """)
    }
  }
}
