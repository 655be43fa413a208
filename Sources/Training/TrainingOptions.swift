import Foundation
import Storage

/// How a network is trained.
package struct TrainingOptions: Sendable, Equatable, Codable {
  /// The maximum number of passes over the training frames.
  package var epochs = 10
  /// The number of frames per step.
  package var batchSize = 256
  /// For a time-delay network, the number of consecutive frames in each run of a batch; a divisor
  /// of 2048.
  ///
  /// Neighbouring frames share the work of the network's layers.
  package var chunk = 16
  /// The number of frames in memory, at least 4096; a larger set is shuffled half a pool at a time.
  ///
  /// A frame takes four bytes for each feature, for its class, and for each value of its soft
  /// target.
  package var pool = 1 << 20
  /// The optimiser; in a recipe, `optimizer` is its kind, and its options are beside these.
  package var optimizer = OptimizerOptions()
  /// The learning rate; in a recipe, its options are beside these.
  package var rate = LearningRateOptions()
  /// The probability that a hidden unit is dropped, 0 to 0.99.
  package var dropout = 0.0
  /// The maximum norm of the gradient over all parameters; a larger gradient is scaled down.
  ///
  /// Absent for no limit.
  package var clipNorm: Double?
  /// The maximum norm of the weights into a unit; larger ones are scaled down after each step.
  ///
  /// Absent for no limit.
  package var maxNorm: Double?
  /// ε of label smoothing: the share of a hard target that is spread evenly over all classes, in
  /// [0, 1).
  package var labelSmoothing = 0.0
  /// The factor of the hard loss of a class's frames, by the class's symbol; 1 for classes not
  /// listed.
  package var classWeights: [String: Double] = [:]
  /// The number of epochs without a higher development accuracy after which training stops.
  ///
  /// Absent to train for all epochs.
  package var patience: Int?
  /// How weights are averaged; absent to use those of the last step.
  package var averaging: AveragingOptions?

  /// The defaults.
  package init() {}

  /// The option names in a recipe, including those of the optimiser and the learning rate.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case epochs, batchSize, chunk, pool
    case optimizer, momentum, nesterov, beta1, beta2, epsilon, weightDecay
    case schedule, learningRate, finalLearningRate, warmUp, halving, improvement
    case dropout, clipNorm, maxNorm, labelSmoothing, classWeights, patience, averaging
  }

  /// Reads the options of a recipe; absent ones keep their defaults.
  ///
  /// - Throws: `OptionFault` for unknown options and values out of range.
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
    averaging = try read.optional(.averaging)
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
      expected: "a divisor of 2048 frames, such as 8, 16 or 32", found: chunk)
    try requireOption(
      (4096...1_000_000_000).contains(pool), "pool", expected: "4096 to 1,000,000,000 frames",
      found: pool)
    for (key, value) in [
      ("learningRate", rate.learningRate), ("finalLearningRate", rate.finalLearningRate),
      // Checked in single precision, in which it is used.
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
    if case .epochs(let last)? = averaging {
      try requireFit(
        last <= epochs, "averaging.epochs", expected: "at most epochs, \(epochs)", found: last)
      try requireFit(
        patience == nil, "patience",
        expected: "none beside averaging.epochs, which are the last ones", found: patience ?? 0)
    }
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
    try container.encodeIfPresent(averaging, forKey: .averaging)
  }
}
