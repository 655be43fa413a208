import Foundation
package import LinearAlgebra
package import Networks
package import Storage

/// What one epoch came to.
package struct EpochRecord: Sendable, Equatable, Codable {
  /// From 1.
  package let epoch: Int
  /// The training frames that it went through.
  package let frames: Int
  /// The learning rate of the epoch's last step.
  package let learningRate: Double
  /// The mean of the objective over the training frames, as the network saw them.
  package let loss: Double
  /// The frame accuracy on the training frames, as the network saw them (with dropout, if any).
  package let accuracy: Double
  /// The mean cross-entropy with the true classes on the development set.
  package let developmentLoss: Double
  package let developmentAccuracy: Double
}

/// A training that went wrong.
package enum TrainingFault: Fault, Equatable {
  /// The loss is not a number or infinite. `step` counts from 0 over all epochs.
  case diverged(step: Int, learningRate: Double)

  package var exitStatus: ExitStatus { .data }

  package var description: String {
    switch self {
    case .diverged(let step, let learningRate):
      "the loss is no longer finite at step \(step), with a learning rate of \(learningRate); "
        + "choose a smaller learningRate"
    }
  }
}

/// Trains a network by minibatch gradient descent and keeps the best epoch.
package struct Trainer: Sendable {
  /// A trained network with its history.
  package struct Outcome: Sendable {
    /// The network after the epoch of the highest development accuracy; the first of equal ones.
    package let network: FeedForwardNetwork
    /// That epoch, from 1.
    package let epoch: Int
    /// One record an epoch.
    package let history: [EpochRecord]
  }

  /// What a training tells while it runs.
  package enum Event: Sendable {
    /// So many more frames are done.
    case frames(Int)
    case epoch(EpochRecord)
  }

  package let options: TrainingOptions
  package let seed: UInt64
  package let workers: Workers

  /// A trainer, which can train any number of networks.
  ///
  /// - Parameters:
  ///   - options: how to train.
  ///   - seed: decides the order of the frames and the dropped units; with the network's weights and
  ///     the data it decides the outcome to the bit.
  ///   - workers: change the time and not the outcome.
  package init(options: TrainingOptions, seed: UInt64, workers: Workers) {
    (self.options, self.seed, self.workers) = (options, seed, workers)
  }

  /// Trains a network.
  ///
  /// - Parameters:
  ///   - start: the network to start from.
  ///   - frames: the training set, not empty.
  ///   - objective: made for `frames`.
  ///   - development: the set that chooses the epoch, not empty.
  ///   - observe: called after each batch and each epoch, on the calling thread.
  /// - Returns: the network of the best epoch, with the history of all.
  /// - Throws: `TrainingFault` when the loss is no longer finite.
  package func train(
    _ start: FeedForwardNetwork, on frames: FrameSet, objective: some TrainingObjective,
    development: FrameSet, observe: (Event) -> Void = { _ in }
  ) throws(TrainingFault) -> Outcome {
    precondition(frames.count > 0 && development.count > 0, "Trainer: no frames")
    var state = TrainingState(
      network: start, batchSize: min(options.batchSize, frames.count), inputs: frames.inputs)
    var history: [EpochRecord] = []
    var best = (network: start, epoch: 0, accuracy: -1.0)
    for epoch in 1...options.epochs {
      let sums = try run(epoch, &state, on: frames, objective: objective, observe: observe)
      let scored = evaluate(state.network, on: development)
      guard scored.loss.isFinite else {
        throw .diverged(step: sums.lastStep, learningRate: sums.learningRate)
      }
      let record = EpochRecord(
        epoch: epoch, frames: sums.frames, learningRate: sums.learningRate,
        loss: sums.loss / Double(frames.count),
        accuracy: Double(sums.correct) / Double(frames.count),
        developmentLoss: scored.loss, developmentAccuracy: scored.accuracy)
      history.append(record)
      observe(.epoch(record))
      if scored.accuracy > best.accuracy { best = (state.network, epoch, scored.accuracy) }
    }
    return Outcome(network: best.network, epoch: best.epoch, history: history)
  }

  private func run(
    _ epoch: Int, _ state: inout TrainingState, on frames: FrameSet,
    objective: some TrainingObjective, observe: (Event) -> Void
  ) throws(TrainingFault) -> (
    loss: Double, correct: Int, frames: Int, learningRate: Double, lastStep: Int
  ) {
    var generator = SeededGenerator(seed, RandomStream.order.rawValue, UInt64(epoch))
    let order = generator.permutation(of: frames.count)
    let batches = (frames.count + options.batchSize - 1) / options.batchSize
    var sums = (loss: 0.0, correct: 0, frames: 0, learningRate: 0.0, lastStep: 0)
    for batch in 0..<batches {
      let start = batch * options.batchSize
      let chosen = order[start..<min(order.count, start + options.batchSize)]
      let step = (epoch - 1) * batches + batch
      sums.learningRate = options.learningRate(atStep: step, of: options.epochs * batches)
      let dropout = Dropout(rate: options.dropout, seed: seed, epoch: epoch, batch: batch)
      let result = state.takeStep(
        on: frames, chosen, objective: objective, dropout: dropout,
        rate: Float(sums.learningRate), momentum: Float(options.momentum), workers: workers)
      guard result.loss.isFinite else {
        throw .diverged(step: step, learningRate: sums.learningRate)
      }
      sums.loss += result.loss
      sums.correct += result.correct
      sums.frames += chosen.count
      sums.lastStep = step
      observe(.frames(chosen.count))
    }
    return sums
  }

  /// The mean cross-entropy with the true classes and the frame accuracy of a network.
  package func evaluate(
    _ network: FeedForwardNetwork, on frames: FrameSet
  ) -> (loss: Double, accuracy: Double) {
    let blockSize = 1024
    var input = Matrix(rows: 0, columns: frames.inputs)
    var activations = Activations(of: network, frames: 0)
    var statistics = Matrix(rows: 0, columns: 2)
    let objective = HardTargets(labels: frames.labels)
    let all = (0..<Int32(frames.count)).map { $0 }
    var sums = (loss: 0.0, correct: 0)
    for start in stride(from: 0, to: all.count, by: blockSize) {
      let block = all[start..<min(all.count, start + blockSize)]
      frames.gather(block, into: &input, workers: workers)
      network.forward(input, into: &activations, workers: workers)
      let result = replaceLogits(
        &activations.logits, statistics: &statistics, frames: block, labels: frames.labels,
        objective: objective, workers: workers)
      sums.loss += result.loss
      sums.correct += result.correct
    }
    return (sums.loss / Double(frames.count), Double(sums.correct) / Double(frames.count))
  }
}

/// What changes from step to step, with the scratch of one batch.
private struct TrainingState {
  private(set) var network: FeedForwardNetwork
  private var velocity: FeedForwardNetwork
  private var gradient: FeedForwardNetwork
  private var activations: Activations
  private var input: Matrix
  private var statistics = Matrix(rows: 0, columns: 2)

  init(network: FeedForwardNetwork, batchSize: Int, inputs: Int) {
    self.network = network
    velocity = network.zeros
    gradient = network.zeros
    activations = Activations(of: network, frames: batchSize)
    input = Matrix(rows: batchSize, columns: inputs)
  }

  /// Moves the weights by one batch; returns the batch's loss, summed over frames, and the number of
  /// frames whose true class had the largest logit before the move.
  mutating func takeStep(
    on frames: FrameSet, _ chosen: ArraySlice<Int32>, objective: some TrainingObjective,
    dropout: Dropout, rate: Float, momentum: Float, workers: Workers
  ) -> (loss: Double, correct: Int) {
    frames.gather(chosen, into: &input, workers: workers)
    network.forward(input, into: &activations, dropout: dropout, workers: workers)
    let result = replaceLogits(
      &activations.logits, statistics: &statistics, frames: chosen, labels: frames.labels,
      objective: objective, workers: workers)
    network.backward(
      input, activations: &activations, gradient: &gradient, dropout: dropout, workers: workers)
    for index in network.layers.indices {
      network.layers[index].weights.takeMomentumStep(
        velocity: &velocity.layers[index].weights, gradient: gradient.layers[index].weights,
        rate: rate, momentum: momentum, workers: workers)
      takeMomentumStep(
        parameters: &network.layers[index].bias, velocity: &velocity.layers[index].bias,
        gradient: gradient.layers[index].bias, rate: rate, momentum: momentum)
    }
    return result
  }
}

/// Replaces the logits of a batch by the gradient of its mean loss.
///
/// Losses are summed in the order of the frames.
///
/// - Parameters:
///   - logits: a row a frame.
///   - statistics: scratch of two columns.
///   - frames: the index of each row's frame.
///   - labels: the true class of each frame of the set.
///   - objective: the loss.
///   - workers: share the rows.
/// - Returns: the loss summed over frames, and the number of frames whose true class has the largest
///   logit, the first of equal ones counting.
private func replaceLogits(
  _ logits: inout Matrix, statistics: inout Matrix, frames: ArraySlice<Int32>, labels: [Int32],
  objective: some TrainingObjective, workers: Workers
) -> (loss: Double, correct: Int) {
  let scale = 1 / Float(frames.count)
  statistics.setRowCount(logits.rows)
  logits.forEachRow(with: &statistics, workers) { index, row, statistics in
    let frame = Int(frames[frames.startIndex + index])
    var best = 0
    for column in row.indices where row[column] > row[best] { best = column }
    statistics[1] = best == Int(labels[frame]) ? 1 : 0
    statistics[0] = objective.replaceByGradient(&row, frame: frame, scale: scale)
  }
  var sums = (loss: 0.0, correct: 0)
  for index in 0..<statistics.rows {
    sums.loss += Double(statistics[index, 0])
    sums.correct += Int(statistics[index, 1])
  }
  return sums
}
