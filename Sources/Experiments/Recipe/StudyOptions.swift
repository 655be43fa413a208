import Corpus
import Foundation
import Storage

/// Networks that train on a share of the training utterances, with and without the ensemble's soft
/// targets.
///
/// Soft targets as a regulariser: Hinton, Vinyals and Dean, "Distilling the knowledge in a neural
/// network", 2015, §6.
package struct SubsetOptions: Sendable, Codable {
  /// The shares of the utterances, each above 0 and at most 1; a larger share contains a smaller
  /// one.
  package var shares = [0.03, 0.1]
  /// The seed that selects the utterances.
  package var seed: UInt64 = 1
  /// The network that trains on soft targets.
  package let soft: Recipe.SystemOptions
  /// The network that trains on hard targets; it keeps the epoch with the highest development
  /// accuracy, and `patience` stops it early.
  package let hard: Recipe.SystemOptions

  package enum CodingKeys: String, CodingKey, CaseIterable { case shares, seed, soft, hard }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    shares = try read(.shares, default: shares)
    seed = try read(.seed, default: seed)
    soft = try read(.soft)
    hard = try read(.hard)
    try requireOption(
      !shares.isEmpty && Set(shares).count == shares.count
        && shares.allSatisfy { $0 > 0 && $0 <= 1 },
      "shares", expected: "shares above 0 and up to 1, each once", found: shares)
    try requireOption(
      Set(shares.map(SubsetOptions.name)).count == shares.count, "shares",
      expected: "shares that differ in six digits", found: shares)
  }

  /// A share's name in the names of its networks, such as `3pct`.
  static func name(of share: Double) -> String { "\(String(format: "%g", 100 * share))pct" }
}

/// A student whose transfer set lacks the frames of one label.
///
/// Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, §3.
package struct MissingClassOptions: Sendable, Codable {
  /// The label, such as a phone, all of whose states are withheld.
  package let label: String
  /// The student.
  package let student: Recipe.SystemOptions

  package enum CodingKeys: String, CodingKey, CaseIterable { case label, student }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    label = try read(.label)
    student = try read(.student)
    // It is part of a file's name.
    try requireOption(
      !label.utf8.contains(0), "label", expected: "a label without a NUL", found: label)
  }
}
