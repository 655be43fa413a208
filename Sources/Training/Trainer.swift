import Foundation
package import LinearAlgebra
package import Networks
package import Storage

/// Trains a network by minibatch gradient descent and keeps the best epoch.
package struct Trainer: Sendable {
  /// A trained network with its history.
  package struct Outcome: Sendable {
    /// The network after the epoch of the highest development accuracy, the first of equal ones; its
    /// normalisations are folded into its weights.
    package let network: AcousticNetwork
    /// That epoch, from 1.
    package let epoch: Int
    /// One record an epoch.
    package let history: [EpochRecord]
  }

  /// What a training tells while it runs.
  package enum Event: Sendable {
    /// So many more frames are done, and what the epoch came to so far; first those of an earlier run.
    case frames(Int, TrainingProgress.Sums)
    case steps(StepRecord)
    case epoch(EpochRecord)
  }

  package let options: TrainingOptions
  package let seed: UInt64
  package let workers: Workers
  /// Where a training that was stopped goes on from; nil to keep none.
  package let checkpoints: CheckpointFolder?
  /// Where the log goes; nil to keep none.
  package let log: TrainingLog.Paths?

  /// Steps between two records.
  static let stepsARecord = 100

  /// A trainer, which can train any number of networks.
  ///
  /// - Parameters:
  ///   - options: how to train.
  ///   - seed: decides the order of the frames and the dropped units; with the network's weights and
  ///     the data it decides the outcome to the bit.
  ///   - workers: change the time and not the outcome.
  ///   - checkpoints: where the state is kept; nil to keep none.
  ///   - log: where the log goes; nil to keep none.
  package init(
    options: TrainingOptions, seed: UInt64, workers: Workers, checkpoints: CheckpointFolder? = nil,
    log: TrainingLog.Paths? = nil
  ) {
    (self.options, self.seed, self.workers) = (options, seed, workers)
    (self.checkpoints, self.log) = (checkpoints, log)
  }

  /// Trains a network, from its last checkpoint on where there is one.
  ///
  /// - Parameters:
  ///   - start: the network to start from.
  ///   - frames: the training set.
  ///   - objective: the loss.
  ///   - development: the set that chooses the epoch.
  ///   - observe: called with what happens, on the calling thread.
  /// - Returns: the network of the best epoch, with the history of all.
  /// - Throws: `TrainingFault` when the loss is no longer finite or explodes, a file cannot be read or
  ///   written, or a signal asked for the end; its state is then saved.
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

  /// The mean cross-entropy with the true classes and the frame accuracy of a network.
  ///
  /// - Throws: `FileFault` when frames cannot be read, or a signal asked for the end.
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

/// What `body` returns; a file's fault becomes the training's.
func orFault<Result>(_ body: () throws(FileFault) -> Result) throws(TrainingFault) -> Result {
  do throws(FileFault) {
    return try body()
  } catch {
    throw .file(error)
  }
}
