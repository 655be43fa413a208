import Foundation
import LinearAlgebra
import Networks
import Storage

/// The state of a training that changes from step to step.
final class TrainingState {
  let network: TrainableNetwork
  /// The network of the best epoch so far; the initial one before the first epoch ends.
  var best: AcousticNetwork
  /// The average of the network's weights; nil when they are not averaged.
  let average: WeightAverage?
  var progress = TrainingProgress()

  init(_ start: AcousticNetwork, options: TrainingOptions, workers: Workers) {
    network = TrainableNetwork(
      start, moments: options.optimizer.moments,
      gradient: options.clipNorm == nil ? .immediate : .kept, workers: workers)
    best = start
    let network = network
    average = options.averaging.map { WeightAverage($0, of: network) }
  }
}

/// A training in progress.
final class TrainingRun<Objective: TrainingObjective> {
  let trainer: Trainer
  let state: TrainingState
  let frames: FrameSet
  let objective: Objective
  let layout: BatchLayout
  private var tally = RowTally()
  private var log: TrainingLog?

  /// - Throws: `TrainingFault` when the log cannot be written.
  init(
    trainer: Trainer, state: TrainingState, frames: FrameSet, objective: Objective,
    layout: BatchLayout
  ) throws(TrainingFault) {
    (self.trainer, self.state, self.frames) = (trainer, state, frames)
    (self.objective, self.layout) = (objective, layout)
    guard let paths = trainer.log else { return }
    do throws(FileFault) {
      var opened = try TrainingLog(paths, from: state.progress.log)
      if opened.isShort {
        // What was written after the last flush was lost, or somebody removed a file.
        for record in state.progress.history { try opened.write(record) }
        trainer.checkpoints?.warn(
          "\(paths.lines.text): started again with the epochs so far, as it was shorter than at "
            + "its checkpoint")
      }
      log = consume opened
    } catch {
      throw .file(error)
    }
  }

  private var options: TrainingOptions { trainer.options }

  func plan(_ epoch: Int) -> EpochPlan {
    frames.plan(
      .shuffled(seed: trainer.seed, epoch: epoch), layout: layout, batchSize: options.batchSize)
  }

  /// Trains until the last epoch, or until `patience` runs out.
  func finish(
    development: FrameSet, observe: (Trainer.Event) -> Void
  ) throws(TrainingFault) {
    let steps = try orFault { () throws(FileFault) in
      var steps = 0
      for epoch in 1...options.epochs { steps += try plan(epoch).countBatches() }
      return steps
    }
    while state.progress.epoch <= options.epochs, !isPatienceOver {
      let lastRate = try runEpoch(of: steps, observe: observe)
      let (network, scored) = try orFault { () throws(FileFault) in
        do throws(FileFault) {
          let network = try networkToScore()
          return (network, try trainer.evaluate(network, on: development))
        } catch {
          if error.isInterruption { try save() }
          throw error
        }
      }
      guard scored.loss.isFinite else {
        throw .diverged(step: state.progress.step - 1, learningRate: lastRate)
      }
      let record = close(network, scored, learningRate: lastRate)
      observe(.epoch(record))
      try orFault { () throws(FileFault) in
        try log?.write(record)
        try save()
      }
    }
    try orFault { () throws(FileFault) in
      if let log = log.take() { try log.close() }
    }
  }

  private var isPatienceOver: Bool {
    options.patience.map { state.progress.history.count - state.progress.bestEpoch >= $0 } ?? false
  }

  /// Records the epoch's figures, and moves to the next epoch.
  private func close(
    _ network: AcousticNetwork, _ scored: (loss: Double, accuracy: Double), learningRate: Double
  ) -> EpochRecord {
    let sums = state.progress.epochSums
    let record = EpochRecord(
      epoch: state.progress.epoch, step: state.progress.step, frames: sums.frames,
      learningRate: learningRate, loss: sums.meanLoss, accuracy: sums.accuracy,
      gradientNorm: sums.meanGradientNorm, developmentLoss: scored.loss,
      developmentAccuracy: scored.accuracy)
    if options.rate.halves(after: scored.loss, lowest: state.progress.lowestLoss) {
      state.progress.halvings += 1
    }
    if scored.accuracy > state.progress.bestAccuracy {
      state.best = network
      state.progress.bestEpoch = record.epoch
    }
    state.average?.close(with: network)
    state.progress.history.append(record)
    state.progress.epoch += 1
    state.progress.position = .init()
    state.progress.epochSums = .init()
    return record
  }

  private func save() throws(FileFault) {
    guard trainer.checkpoints != nil else { return }
    // A checkpoint must not refer to more of the log than is on disk.
    try log?.synchronize()
    state.progress.log = log?.mark
    try trainer.checkpoints?.save(state)
  }

  /// Runs the rest of an epoch.
  ///
  /// - Returns: the learning rate at its last step.
  private func runEpoch(
    of steps: Int, observe: (Trainer.Event) -> Void
  ) throws(TrainingFault) -> Double {
    let epoch = state.progress.epoch
    let stream = BatchStream(plan(epoch), from: state.progress.position)
    // The last step's rate, in case the checkpoint was written after the epoch's last batch.
    var rate = options.rate.rate(
      atStep: max(0, state.progress.step - 1), of: steps, halvings: state.progress.halvings)
    var lastSave = ContinuousClock.now
    func next() throws(TrainingFault) -> (batch: Batch, next: FrameSet.Position)? {
      try orFault { () throws(FileFault) in try stream.next() }
    }
    var upcoming = try next()
    if let batch = upcoming?.batch { for task in 0..<batch.fillTasks { batch.fill(task) } }
    while let (batch, position) = upcoming {
      upcoming = try next()
      let step = state.progress.step
      rate = options.rate.rate(atStep: step, of: steps, halvings: state.progress.halvings)
      try take(batch, step: step, rate: rate, filling: upcoming?.batch)
      state.progress.step += 1
      state.progress.position = position
      observe(.frames(batch.frameCount, state.progress.epochSums))
      log?.count(frames: batch.frameCount)
      try orFault { () throws(FileFault) in
        if state.progress.step % Trainer.stepsARecord == 0 {
          let record = record(rate)
          observe(.steps(record))
          try log?.write(record)
        }
        if Interruption.signal != nil {
          try save()
          try Interruption.check()
        }
        if let pause = trainer.checkpoints?.pause, ContinuousClock.now - lastSave >= pause {
          try save()
          lastSave = .now
        }
      }
    }
    return rate
  }

  private func record(_ rate: Double) -> StepRecord {
    let sums = state.progress.recordSums
    state.progress.recordSums = .init()
    return StepRecord(
      epoch: state.progress.epoch, step: state.progress.step, learningRate: rate,
      loss: sums.meanLoss, accuracy: sums.accuracy, gradientNorm: sums.meanGradientNorm)
  }

  /// Updates the weights with one batch, and meanwhile fills the next one.
  private func take(
    _ batch: Batch, step: Int, rate: Double, filling next: Batch?
  ) throws(TrainingFault) {
    let network = state.network
    var batchStep = TrainableNetwork.Step(input: batch.input, chunks: batch.chunks)
    batchStep.statisticsShare =
      BatchNormalization.share
      * min(1, Float(batch.chunks * layout.chunk) / Float(options.batchSize))
    batchStep.dropout = Dropout(
      rate: options.dropout, seed: trainer.seed, epoch: state.progress.epoch, batch: step)
    tally.setRowCount(batch.labels.count)
    // A batch may have no frame to learn from.
    let frames = max(1, batch.frameCount)
    let (scale, own, objective) = (1 / Float(frames), tally, objective)
    let update = options.optimizer.update(step: step, rate: rate)
    let norm = network.take(
      batchStep,
      loss: { row, logits in own.count(row, &logits, of: batch, objective, scale: scale) },
      update: update, beside: (next?.fillTasks ?? 0, { next?.fill($0) })
    ).squareRoot()
    var sums = TrainingProgress.Sums()
    let loss = tally.add(to: &sums, frames: batch.frameCount) / Double(frames)
    guard loss.isFinite, norm.isFinite else { throw .diverged(step: step, learningRate: rate) }
    if let limit = options.clipNorm {
      network.applyKeptGradient(scaledBy: Float(norm > limit ? limit / norm : 1), update: update)
    }
    if let limit = options.maxNorm { network.limitNorms(to: Float(limit)) }
    state.average?.add(network, step: step, workers: trainer.workers)
    (sums.gradientNorms, sums.steps) = (norm, 1)
    state.progress.epochSums.add(sums)
    state.progress.recordSums.add(sums)
    try checkExplosion(step: step, rate: rate)
  }

  /// Throws when the mean loss since the last record exceeds ten times that of equal logits.
  ///
  /// It needs at least 256 frames, so that a wrong label is not mistaken for an explosion.
  private func checkExplosion(step: Int, rate: Double) throws(TrainingFault) {
    let sums = state.progress.recordSums
    let limit = 10 * objective.weight * Foundation.log(Double(max(2, state.network.classes)))
    guard sums.frames < 256 || sums.meanLoss <= limit else {
      throw .exploded(step: step, learningRate: rate, loss: sums.meanLoss, limit: limit)
    }
  }
}
