import Corpus
import Foundation
import Storage

/// Networks that learn from a share of the training utterances, with the ensemble's soft targets and
/// without: soft targets as regulariser (Hinton, Vinyals and Dean 2015, §6).
package struct SubsetOptions: Sendable, Codable {
  /// The shares of the utterances, each above 0 and at most 1; a smaller one is part of a larger one.
  package var shares = [0.03, 0.1]
  /// Decides which utterances they are.
  package var seed: UInt64 = 1
  /// Learns from soft targets.
  package let soft: Recipe.SystemOptions
  /// Learns from hard targets; the epoch of the highest development accuracy is kept, and `patience` stops it
  /// early.
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

  /// What a share is called in the names of its networks.
  static func name(of share: Double) -> String { "\(String(format: "%g", 100 * share))pct" }
}

/// A student whose transfer set lacks the frames of one label (Hinton, Vinyals and Dean 2015, §3).
package struct MissingClassOptions: Sendable, Codable {
  /// The label, such as a phone; all its states are held out.
  package let label: String
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
