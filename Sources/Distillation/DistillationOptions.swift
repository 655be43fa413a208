import Storage

/// How the distributions of an ensemble's members are averaged.
package enum TeacherMean: String, Sendable, Codable, CaseIterable {
  /// The mean of the members' softmax at T.
  case arithmetic
  /// The softmax at T of the mean of the members' logits.
  case geometric
}

/// How a student learns from an ensemble (Hinton, Vinyals and Dean 2015, §2).
///
/// For each frame it minimises `λ · CE(y, softmax(z)) + (1−λ) · T² · CE(p, softmax(z/T))`, where y
/// is the true class, z the student's logits, and p the ensemble's distribution at T.
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

  /// The defaults.
  package init() {}

  /// Options with the given values; nothing is checked.
  package init(
    temperature: Double, hardWeight: Double, mean: TeacherMean = .arithmetic, largest: Int? = nil
  ) {
    (self.temperature, self.hardWeight, self.mean) = (temperature, hardWeight, mean)
    self.largest = largest
  }

  /// The option names in a recipe.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case temperature, hardWeight, mean, largest
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
    try requireOption(
      temperature > 0 && temperature.isFinite, "temperature", expected: "above 0",
      found: temperature)
    try requireOption(
      (0...1).contains(hardWeight), "hardWeight", expected: "0 to 1", found: hardWeight)
    try requireOption(
      (1...10_000).contains(largest ?? 1), "largest", expected: "1 to 10,000 classes",
      found: largest ?? 1)
  }
}
