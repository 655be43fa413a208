import Foundation
package import LinearAlgebra
package import Networks
package import Storage

/// Trains networks by minibatch gradient descent, and keeps the best epoch of each.
package struct Trainer: Sendable {
  /// A trained network and its history.
  package struct Outcome: Sendable {
    /// The network after the epoch with the highest development accuracy, the first in case of
    /// ties; the averaged network if weights are averaged.
    ///
    /// Its batch normalisation is folded into its weights.
    package let network: AcousticNetwork
    /// That epoch, counted from 1.
    package let epoch: Int
    /// One record for each epoch.
    package let history: [EpochRecord]
  }

  /// The progress that a training reports while it runs.
  package enum Event: Sendable {
    /// The number of frames done since the last such event, and the sums of the epoch so far.
    ///
    /// A resumed training first reports the frames of the earlier run.
    case frames(Int, TrainingProgress.Sums)
    /// The figures of the last 100 steps.
    case steps(StepRecord)
    /// The figures of an epoch that has ended.
    case epoch(EpochRecord)
  }

  /// How to train.
  package let options: TrainingOptions
  /// The seed of the order of the frames and of dropout.
  package let seed: UInt64
  /// The threads to train with, which do not affect the result.
  package let workers: Workers
  /// Where checkpoints are kept, from which a stopped training resumes; nil for none.
  package let checkpoints: CheckpointFolder?
  /// Where the log is written; nil for none.
  package let log: TrainingLog.Paths?

  /// The number of steps between two records.
  static let stepsARecord = 100

  /// A trainer, which can train any number of networks one after the other.
  ///
  /// - Parameters:
  ///   - options: how to train.
  ///   - seed: determines the order of the frames and the dropped units. Together with the
  ///     network's weights and the data, it determines the result to the bit.
  ///   - workers: the threads to use, which affect the time but not the result.
  ///   - checkpoints: where checkpoints are kept; nil for none.
  ///   - log: where the log is written; nil for none.
  package init(
    options: TrainingOptions, seed: UInt64, workers: Workers, checkpoints: CheckpointFolder? = nil,
    log: TrainingLog.Paths? = nil
  ) {
    (self.options, self.seed, self.workers) = (options, seed, workers)
    (self.checkpoints, self.log) = (checkpoints, log)
  }

  /// Trains a network; if there is a checkpoint, training resumes from it.
  ///
  /// - Parameters:
  ///   - start: the network to start from.
  ///   - frames: the training set.
  ///   - objective: the loss.
  ///   - development: the set that decides which epoch is best.
  ///   - observe: called with each event, on the calling thread.
  /// - Returns: the network of the best epoch, and the history of all epochs.
  /// - Throws: `TrainingFault` when the loss is not finite or explodes, when a file cannot be read
  ///   or written, or when a signal requested termination, in which case the state is saved first.
  package func train(
    _ start: AcousticNetwork, on frames: FrameSet, objective: some TrainingObjective,
    development: FrameSet, observe: (Event) -> Void = { _ in }
  ) throws(TrainingFault) -> Outcome {
    let state = TrainingState(start, options: options, workers: workers)
    try orFault { () throws(FileFault) in try checkpoints?.restore(state) }
    let done = state.progress.history.reduce(state.progress.epochSums.frames) { $0 + $1.frames }
    if done > 0 { observe(.frames(done, state.progress.epochSums)) }
    let run = try TrainingRun(
      trainer: self, state: state, frames: frames, objective: objective,
      layout: BatchLayout(of: start, chunk: options.chunk))
    try run.finish(development: development, observe: observe)
    return Outcome(
      network: state.best.folded, epoch: state.progress.bestEpoch, history: state.progress.history)
  }

  /// The mean cross-entropy with the true classes, in nats, and the frame accuracy of a network.
  ///
  /// - Throws: `FileFault` when frames cannot be read, or a signal requested termination.
  package func evaluate(
    _ network: AcousticNetwork, on frames: FrameSet
  ) throws(FileFault) -> (loss: Double, accuracy: Double) {
    let network = network.folded
    let layout = BatchLayout(of: network, chunk: options.chunk)
    let stream = BatchStream(frames.plan(.given, layout: layout, batchSize: 1024))
    let objective = HardTargets()
    var tally = RowTally()
    var sums = TrainingProgress.Sums()
    while let (batch, _) = try stream.next() {
      try Interruption.check()
      workers.forEach(batch.fillTasks) { batch.fill($0) }
      let logits = network.logits(of: batch.input, chunks: batch.chunks, workers: workers)
      tally.setRowCount(logits.rows)
      let own = tally
      workers.forEachPart(of: logits.rows, size: 32) { rows in
        for row in rows {
          logits.withRow(row) { own.count(row, &$0, of: batch, objective, scale: 1) }
        }
      }
      tally.add(to: &sums, frames: batch.frameCount)
    }
    return (sums.meanLoss, sums.accuracy)
  }
}

/// Runs `body`, and wraps a file's fault in a `TrainingFault`.
func orFault<Result>(_ body: () throws(FileFault) -> Result) throws(TrainingFault) -> Result {
  do throws(FileFault) {
    return try body()
  } catch {
    throw .file(error)
  }
}
