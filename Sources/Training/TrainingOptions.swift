import Foundation
import Storage

/// How a network is trained: minibatch gradient descent with momentum and a learning rate that
/// falls exponentially with the step.
package struct TrainingOptions: Sendable, Equatable, Codable {
  /// Passes over the training frames.
  package var epochs = 10
  /// Frames a step.
  package var batchSize = 256
  /// The learning rate of the first step, for the mean loss over a batch.
  package var learningRate = 0.05
  /// The learning rate of the last step.
  package var finalLearningRate = 0.0005
  /// The share of the last step that is taken again, in [0, 1).
  package var momentum = 0.9
  /// The probability that a hidden unit is dropped, in [0, 1).
  package var dropout = 0.0

  package init() {}

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case epochs, batchSize, learningRate, finalLearningRate, momentum, dropout
  }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    epochs = try read(.epochs, default: epochs)
    batchSize = try read(.batchSize, default: batchSize)
    learningRate = try read(.learningRate, default: learningRate)
    finalLearningRate = try read(.finalLearningRate, default: finalLearningRate)
    momentum = try read(.momentum, default: momentum)
    dropout = try read(.dropout, default: dropout)
    try requireOption(
      (1...100_000).contains(epochs), "epochs", expected: "1 to 100,000", found: epochs)
    try requireOption(
      (1...1_000_000).contains(batchSize), "batchSize", expected: "1 to 1,000,000 frames",
      found: batchSize)
    try requireOption(
      learningRate > 0 && learningRate.isFinite, "learningRate", expected: "above 0",
      found: learningRate)
    try requireOption(
      finalLearningRate > 0 && finalLearningRate.isFinite, "finalLearningRate",
      expected: "above 0", found: finalLearningRate)
    try requireOption(
      (0..<1).contains(momentum), "momentum", expected: "at least 0, below 1", found: momentum)
    try requireOption(
      (0..<1).contains(dropout), "dropout", expected: "at least 0, below 1", found: dropout)
  }

  /// The learning rate of a step.
  ///
  /// - Parameters:
  ///   - step: from 0.
  ///   - steps: the number of steps of the whole training.
  /// - Returns: `learningRate · (finalLearningRate / learningRate)^(step / (steps − 1))`.
  package func learningRate(atStep step: Int, of steps: Int) -> Double {
    let progress = steps > 1 ? Double(step) / Double(steps - 1) : 0
    return learningRate * pow(finalLearningRate / learningRate, progress)
  }
}
