import Classes
import Corpus
import Distillation
import Features
import Foundation
import LinearAlgebra
import Models
import Networks
import Storage
import Training

extension TrainNetwork {
  /// Trains networks of one group side by side.
  ///
  /// - Throws: the first fault in the order of the networks, after all have finished.
  static func perform(_ steps: [Pending<TrainNetwork>], in experiment: Experiment) throws {
    let transfer = try steps[0].step.lesson.transfer(in: experiment)
    let most = min(
      experiment.networks ?? experiment.workers.count, experiment.workers.count, steps.count)
    let sideBySide = try experiment.networksThatFit(
      steps.map(\.step), on: transfer, sideBySide: most)
    let pupils = try experiment.pupils(steps, on: transfer)
    let observer = TrainingObserver(
      work: "train " + (steps.count == 1 ? steps[0].step.name : "\(steps.count) networks"),
      total: pupils.reduce(0) { $0 + $1.frames }, reporter: experiment.reporter)
    // Networks that are still training share the threads of those that have finished.
    let company = Workers.Company(pieces: steps.count, width: sideBySide)
    let share = experiment.workers.shared(in: company)
    let results = Workers(count: sideBySide).map(steps.count) { index -> Result<Void, any Error> in
      let result = Result {
        try Interruption.check()
        try experiment.train(pupils[index], workers: share, observer: observer)
      }
      company.end()
      // Report the fault at once: the other networks may train for hours.
      if case .failure(let fault) = result, (fault as? any Fault)?.isInterruption != true {
        experiment.reporter.log.error("\(fault)")
      }
      return result
    }
    ThreadMemory.note(experiment.workers)
    for result in results { try result.get() }
  }
}

/// A network about to be trained, with its data.
private struct Pupil: Sendable {
  let step: TrainNetwork
  let pending: Pending<TrainNetwork>
  let data: TrainingData
  let objective: any TrainingObjective
  /// The start of a specialist; nil for a network with random initial weights.
  let specialist: Specialist?

  /// The number of frames in all its epochs.
  var frames: Int { data.train.count * step.training.epochs }
}

extension Experiment {
  /// Opens the data that some networks are trained on.
  fileprivate func pupils(
    _ steps: [Pending<TrainNetwork>], on transfer: [TransferPart]?
  ) throws -> [Pupil] {
    let data = try openTrainingData(of: steps.map(\.step), on: transfer)
    return try zip(steps, data).map { pending, data in
      let step = pending.step
      var specialist: Specialist?
      if case .specialist(let number, _) = step.lesson {
        specialist = try openSpecialist(number, seed: step.seed)
      }
      return Pupil(
        step: step, pending: pending, data: data.sampled(by: specialist?.sampling),
        objective: try objective(of: step, specialist, data.classes), specialist: specialist)
    }
  }

  /// The loss that a network minimises.
  private func objective(
    of step: TrainNetwork, _ specialist: Specialist?, _ classes: ClassInventory
  ) throws -> any TrainingObjective {
    if let specialist {
      let hard = HardTargets(smoothing: step.training.labelSmoothing)
      guard let held = recipe.specialists?.fullSoftmax else { return hard }
      return HeldTargets(own: specialist.own, classes: classes.count, options: held, hard: hard)
    }
    let hard = try step.training.hardTargets(classes)
    guard let options = try step.lesson.distillation(in: self) else { return hard }
    return SoftAndHardTargets(options: options, classes: classes.count, hard: hard)
  }

  /// Trains one network, resuming from its checkpoints, and writes its model, log and record.
  fileprivate func train(_ pupil: Pupil, workers: Workers, observer: TrainingObserver) throws {
    let step = pupil.step
    guard let claim = try claim(pupil.pending) else {
      // Another run trained it while this one was reading the data.
      observer.skip(frames: pupil.frames)
      return try step.settle(in: self)
    }
    let folder = checkpointsPath(step.system)
    let outcome: Trainer.Outcome
    do throws(TrainingFault) {
      outcome = try trainer(of: step, claim, workers: workers).train(
        start(of: pupil), on: pupil.data.train, objective: pupil.objective,
        development: pupil.data.development
      ) { observer.note($0, of: step) }
    } catch {
      // It would diverge again from its checkpoint, and another recipe could not resume from it.
      if error.isDivergence { try CheckpointFolder.remove(folder) }
      guard error.isDivergence, step.mayEndWithoutFiles else {
        throw ExperimentFault.training(step.system.name, error)
      }
      reporter.log.warning("\(ExperimentFault.training(step.system.name, error)); it is excluded")
      try FileSystem.remove(modelPath(step.system))
      return try claim.finish([])
    }
    observer.skip(
      frames: (step.training.epochs - outcome.history.count) * pupil.data.train.count)
    try model(of: pupil, outcome).write(to: modelPath(step.system))
    // Until the record is written, a stopped run could only resume from the checkpoints.
    try claim.finish([modelPath(step.system)])
    try CheckpointFolder.remove(folder)
  }

  private func trainer(of step: TrainNetwork, _ claim: Claim, workers: Workers) -> Trainer {
    let log = reporter.log
    let checkpoints = CheckpointFolder(
      checkpointsPath(step.system), identity: claim.inputs.lines, pause: checkpointPause
    ) { log.warning("\(step.system): \($0)") }
    return Trainer(
      options: step.training, seed: step.seed, workers: workers, checkpoints: checkpoints,
      log: TrainingLog.Paths(lines: logPath(step.system), events: eventsPath(step.system)))
  }

  /// The network that training starts from.
  private func start(of pupil: Pupil) -> AcousticNetwork {
    pupil.specialist?.start
      ?? AcousticNetwork(
        features: pupil.data.options.columns, context: pupil.step.context.offsets,
        hidden: pupil.step.hidden, classes: pupil.data.classes.count, seed: pupil.step.seed)
  }

  /// The model that results from training.
  private func model(of pupil: Pupil, _ outcome: Trainer.Outcome) -> AcousticModel {
    let (data, specialist) = (pupil.data, pupil.specialist)
    let best = outcome.history[outcome.epoch - 1]
    return AcousticModel(
      network: specialist?.corrected(outcome.network) ?? outcome.network,
      features: data.options, normalizer: data.normalizer,
      classes: specialist?.classes ?? data.classes,
      logPriors: specialist == nil ? data.logPriors : nil,
      provenance: AcousticModel.Provenance(
        system: pupil.step.system.name, seed: pupil.step.seed, epoch: outcome.epoch,
        developmentAccuracy: best.developmentAccuracy, limbeckVersion: limbeckVersion))
  }
}

extension TrainingOptions {
  /// The objective for hard targets.
  ///
  /// - Throws: `OptionFault` for a weight of an unknown class.
  fileprivate func hardTargets(_ classes: ClassInventory) throws(OptionFault) -> HardTargets {
    var weights: [Float] = []
    if !classWeights.isEmpty {
      weights = Array(repeating: 1, count: classes.count)
      for (symbol, weight) in classWeights.sorted(by: { $0.key < $1.key }) {
        guard let id = classes.id(of: symbol) else {
          throw .unknown(
            key: "classWeights.\(symbol)", nearest: nearest(to: symbol, among: classes.symbols),
            known: classes.symbols)
        }
        weights[Int(id)] = Float(weight)
      }
    }
    return HardTargets(smoothing: labelSmoothing, classWeights: weights)
  }
}
