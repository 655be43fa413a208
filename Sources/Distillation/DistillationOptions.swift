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

  package init() {}

  package init(temperature: Double, hardWeight: Double, mean: TeacherMean = .arithmetic) {
    (self.temperature, self.hardWeight, self.mean) = (temperature, hardWeight, mean)
  }

  package enum CodingKeys: String, CodingKey, CaseIterable { case temperature, hardWeight, mean }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    temperature = try read(.temperature, default: temperature)
    hardWeight = try read(.hardWeight, default: hardWeight)
    mean = try read(.mean, default: mean)
    try requireOption(
      temperature > 0 && temperature.isFinite, "temperature", expected: "above 0",
      found: temperature)
    try requireOption(
      (0...1).contains(hardWeight), "hardWeight", expected: "0 to 1", found: hardWeight)
  }
}
