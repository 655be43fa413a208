import Foundation
import Storage

/// How a network is trained.
package struct TrainingOptions: Sendable, Equatable, Codable {
  /// Passes over the training frames.
  package var epochs = 10
  /// Frames a step.
  package var batchSize = 256
  /// Of a time-delay network: the frames that follow each other in a batch, so that neighbours share the work
  /// of its layers; a divisor of 2048.
  package var chunk = 16
  /// Frames in memory; of a longer set, half of them are mixed at a time.
  ///
  /// A frame takes four bytes for each feature, for its class, and for each class of soft targets.
  package var pool = 1 << 20
  /// The optimiser, `optimizer:` for its kind; its options stand beside these.
  package var optimizer = OptimizerOptions()
  /// The learning rate; its options stand beside these.
  package var rate = LearningRateOptions()
  /// The probability that a hidden unit is dropped, in [0, 1).
  package var dropout = 0.0
  /// The largest norm of the gradient over all parameters; a longer one is scaled down.
  ///
  /// Absent for any.
  package var clipNorm: Double?
  /// The largest norm of the weights into a unit; longer ones are scaled down after each step.
  ///
  /// Absent for any.
  package var maxNorm: Double?
  /// ε of label smoothing: the share of a hard target that goes to all classes alike, in [0, 1).
  package var labelSmoothing = 0.0
  /// What the hard loss of a class's frames is multiplied by, by the class's symbol; 1 for the others.
  package var classWeights: [String: Double] = [:]
  /// Epochs without a higher development accuracy after which training stops; absent to go on to the last.
  package var patience: Int?

  package init() {}

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case epochs, batchSize, chunk, pool
    case optimizer, momentum, nesterov, beta1, beta2, epsilon, weightDecay
    case schedule, learningRate, finalLearningRate, warmUp, halving, improvement
    case dropout, clipNorm, maxNorm, labelSmoothing, classWeights, patience
  }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    epochs = try read(.epochs, default: epochs)
    batchSize = try read(.batchSize, default: batchSize)
    chunk = try read(.chunk, default: chunk)
    pool = try read(.pool, default: pool)
    optimizer.kind = try read(.optimizer, default: optimizer.kind)
    optimizer.momentum = try read(.momentum, default: optimizer.momentum)
    optimizer.nesterov = try read(.nesterov, default: optimizer.nesterov)
    optimizer.beta1 = try read(.beta1, default: optimizer.beta1)
    optimizer.beta2 = try read(.beta2, default: optimizer.beta2)
    optimizer.epsilon = try read(.epsilon, default: optimizer.epsilon)
    optimizer.weightDecay = try read(.weightDecay, default: optimizer.weightDecay)
    rate.schedule = try read(.schedule, default: rate.schedule)
    rate.learningRate = try read(.learningRate, default: rate.learningRate)
    rate.finalLearningRate = try read(.finalLearningRate, default: rate.learningRate / 100)
    rate.warmUp = try read(.warmUp, default: rate.warmUp)
    rate.halving = try read(.halving, default: rate.halving)
    rate.improvement = try read(.improvement, default: rate.improvement)
    dropout = try read(.dropout, default: dropout)
    clipNorm = try read.optional(.clipNorm)
    maxNorm = try read.optional(.maxNorm)
    labelSmoothing = try read(.labelSmoothing, default: labelSmoothing)
    classWeights = try read(.classWeights, default: classWeights)
    patience = try read.optional(.patience)
    try validate()
  }

  private func validate() throws {
    try requireOption(
      (1...100_000).contains(epochs), "epochs", expected: "1 to 100,000", found: epochs)
    try requireOption(
      (1...1_000_000).contains(batchSize), "batchSize", expected: "1 to 1,000,000 frames",
      found: batchSize)
    try requireOption(
      (1...2048).contains(chunk) && 2048 % chunk == 0, "chunk",
      expected: "a divisor of 2048 frames, as 8, 16 or 32", found: chunk)
    try requireOption(
      (4096...1_000_000_000).contains(pool), "pool", expected: "4096 to 1,000,000,000 frames",
      found: pool)
    for (key, value) in [
      ("learningRate", rate.learningRate), ("finalLearningRate", rate.finalLearningRate),
      // As it is used, in single precision.
      ("epsilon", Double(Float(optimizer.epsilon))), ("clipNorm", clipNorm ?? 1),
      ("maxNorm", maxNorm ?? 1),
    ] {
      try requireOption(value > 0 && value.isFinite, key, expected: "above 0", found: value)
    }
    for (key, value) in [
      ("momentum", optimizer.momentum), ("beta1", optimizer.beta1), ("beta2", optimizer.beta2),
      ("improvement", rate.improvement), ("labelSmoothing", labelSmoothing),
    ] {
      try requireOption(
        (0..<1).contains(value), key, expected: "at least 0, below 1", found: value)
    }
    try requireOption(
      optimizer.weightDecay >= 0 && optimizer.weightDecay.isFinite, "weightDecay",
      expected: "0 or more", found: optimizer.weightDecay)
    try requireOption(
      (0...0.99).contains(dropout), "dropout", expected: "0 to 0.99", found: dropout)
    try requireOption(
      rate.halving > 0 && rate.halving < 1, "halving", expected: "above 0, below 1",
      found: rate.halving)
    try requireOption(
      (0...1_000_000_000).contains(rate.warmUp), "warmUp", expected: "0 or more steps",
      found: rate.warmUp)
    try requireOption(
      patience ?? 1 > 0, "patience", expected: "1 or more epochs", found: patience ?? 1)
    for (symbol, weight) in classWeights.sorted(by: { $0.key < $1.key }) {
      try requireOption(
        weight >= 0 && weight.isFinite, "classWeights.\(symbol)", expected: "0 or more",
        found: weight)
    }
  }
}

extension TrainingOptions {
  /// Writes what `init(from:)` reads.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(epochs, forKey: .epochs)
    try container.encode(batchSize, forKey: .batchSize)
    try container.encode(chunk, forKey: .chunk)
    try container.encode(pool, forKey: .pool)
    try container.encode(optimizer.kind, forKey: .optimizer)
    try container.encode(optimizer.momentum, forKey: .momentum)
    try container.encode(optimizer.nesterov, forKey: .nesterov)
    try container.encode(optimizer.beta1, forKey: .beta1)
    try container.encode(optimizer.beta2, forKey: .beta2)
    try container.encode(optimizer.epsilon, forKey: .epsilon)
    try container.encode(optimizer.weightDecay, forKey: .weightDecay)
    try container.encode(rate.schedule, forKey: .schedule)
    try container.encode(rate.learningRate, forKey: .learningRate)
    try container.encode(rate.finalLearningRate, forKey: .finalLearningRate)
    try container.encode(rate.warmUp, forKey: .warmUp)
    try container.encode(rate.halving, forKey: .halving)
    try container.encode(rate.improvement, forKey: .improvement)
    try container.encode(dropout, forKey: .dropout)
    try container.encodeIfPresent(clipNorm, forKey: .clipNorm)
    try container.encodeIfPresent(maxNorm, forKey: .maxNorm)
    try container.encode(labelSmoothing, forKey: .labelSmoothing)
    try container.encode(classWeights, forKey: .classWeights)
    try container.encodeIfPresent(patience, forKey: .patience)
  }
}
