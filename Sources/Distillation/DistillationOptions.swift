import Storage

/// How the distributions of an ensemble's members become one.
package enum TeacherMean: String, Sendable, Codable, CaseIterable {
  /// The mean of the members' softmax at T.
  case arithmetic
  /// The softmax at T of the mean of the members' logits.
  case geometric
}

/// How a student learns from an ensemble (Hinton, Vinyals and Dean 2015, §2): per frame it
/// minimises `λ · CE(y, softmax(z)) + (1−λ) · T² · CE(p, softmax(z/T))`.
package struct DistillationOptions: Sendable, Equatable, Codable {
  /// T of the soft term, on the teacher's side and on the student's.
  ///
  /// The soft term's gradient is `T · (softmax(z/T) − p)`: a high T with a low `hardWeight` wants a
  /// lower learning rate than hard targets alone.
  package var temperature = 2.0
  /// λ, the weight of the true classes, in [0, 1].
  package var hardWeight = 0.5
  package var mean = TeacherMean.arithmetic
  /// How many of the largest probabilities of a frame are stored, with the sum of the others; absent for all.
  package var largest: Int?

  package init() {}

  package init(
    temperature: Double, hardWeight: Double, mean: TeacherMean = .arithmetic, largest: Int? = nil
  ) {
    (self.temperature, self.hardWeight, self.mean) = (temperature, hardWeight, mean)
    self.largest = largest
  }

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case temperature, hardWeight, mean, largest
  }

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
