import Storage

/// How the distributions of an ensemble's members are averaged.
package enum TeacherMean: String, Sendable, Codable, CaseIterable {
  /// The mean of the members' softmax at T.
  case arithmetic
  /// The softmax at T of the mean of the members' logits.
  case geometric
}

/// The logits whose softmax the soft term compares.
package enum LogitForm: String, Sendable, Codable, CaseIterable {
  /// The student's logits, and the ensemble's distribution.
  case raw
  /// Both with mean 0 and variance 1 over the classes of each frame (Sun et al. 2024, "Logit
  /// standardization in knowledge distillation").
  ///
  /// The logits of the ensemble are the logarithms of its distribution.
  case standardized
}

/// The weights of the two parts of a decoupled soft term; each is 0 or more.
///
/// See Zhao et al. 2022, "Decoupled knowledge distillation", §3.2.
package struct DecoupledOptions: Sendable, Equatable, Codable {
  /// α, the weight of the true class against all others.
  package var alpha = 1.0
  /// β, the weight of the other classes among themselves; the paper's values are 0.5 to 8.
  package var beta = 8.0

  /// The defaults.
  package init() {}

  /// Weights as given; nothing is checked.
  package init(alpha: Double, beta: Double) { (self.alpha, self.beta) = (alpha, beta) }

  /// The option names in a recipe.
  package enum CodingKeys: String, CodingKey, CaseIterable { case alpha, beta }

  /// Reads the weights; absent ones keep their defaults.
  ///
  /// - Throws: `OptionFault` for unknown options, values out of range, and two zeros.
  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    alpha = try read(.alpha, default: alpha)
    beta = try read(.beta, default: beta)
    for (key, value) in [("alpha", alpha), ("beta", beta)] {
      try requireOption(value >= 0 && value.isFinite, key, expected: "0 or more", found: value)
    }
    try requireOption(alpha + beta > 0, "beta", expected: "above 0 if alpha is 0", found: beta)
  }
}

/// How a student learns from an ensemble (Hinton, Vinyals and Dean 2015, §2).
///
/// For each frame it minimises `λ · CE(y, softmax(z)) + (1−λ) · T² · CE(p, softmax(z/T))`, where y
/// is the true class, z the student's logits, and p the ensemble's distribution at T. `logits` and
/// `decoupled` change the second term.
package struct DistillationOptions: Sendable, Equatable, Codable {
  /// T, the temperature of the soft term, for both teacher and student; positive.
  ///
  /// The soft term's gradient is `T · (softmax(z/T) − p)`, so a high T with a low `hardWeight`
  /// needs a lower learning rate than hard targets alone.
  package var temperature = 2.0
  /// λ, the weight of the hard term, in [0, 1].
  package var hardWeight = 0.5
  /// How the members' distributions are averaged.
  package var mean = TeacherMean.arithmetic
  /// The number of largest probabilities stored per frame, with the sum of the others; absent for
  /// all probabilities.
  package var largest: Int?
  /// The logits whose softmax the soft term compares.
  package var logits = LogitForm.raw
  /// The weights of the two parts of a decoupled soft term; absent for the cross-entropy.
  package var decoupled: DecoupledOptions?

  /// The defaults.
  package init() {}

  /// Options with the given values; nothing is checked.
  package init(
    temperature: Double, hardWeight: Double, mean: TeacherMean = .arithmetic, largest: Int? = nil,
    logits: LogitForm = .raw, decoupled: DecoupledOptions? = nil
  ) {
    (self.temperature, self.hardWeight, self.mean) = (temperature, hardWeight, mean)
    (self.largest, self.logits, self.decoupled) = (largest, logits, decoupled)
  }

  /// The option names in a recipe.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case temperature, hardWeight, mean, largest, logits, decoupled
  }

  /// Reads the options of a recipe; absent ones keep their defaults.
  ///
  /// - Throws: `OptionFault` for unknown options and values out of range.
  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    temperature = try read(.temperature, default: temperature)
    hardWeight = try read(.hardWeight, default: hardWeight)
    mean = try read(.mean, default: mean)
    largest = try read.optional(.largest)
    logits = try read(.logits, default: logits)
    decoupled = try read.optional(.decoupled)
    try requireOption(
      temperature > 0 && temperature.isFinite, "temperature", expected: "above 0",
      found: temperature)
    try requireOption(
      (0...1).contains(hardWeight), "hardWeight", expected: "0 to 1", found: hardWeight)
    try requireOption(
      (1...10_000).contains(largest ?? 1), "largest", expected: "1 to 10,000 classes",
      found: largest ?? 1)
    try requireOption(
      largest == nil || logits == .raw, "logits",
      expected: "raw beside largest, since mean and variance are over all classes",
      found: logits.rawValue)
    try requireOption(
      largest == nil || decoupled == nil, "decoupled",
      expected: "none beside largest, where the true class may have no probability of its own",
      found: "one")
  }
}
