package import Corpus
import Storage

/// Perturbed copies of the training utterances, and which networks learn from them.
package struct CopyOptions: Sendable, Equatable, Codable {
  /// Networks that may learn from copies besides the training frames.
  package enum Learners: String, Sendable, Codable, CaseIterable {
    /// The ensemble's members, from the classes of a copy's frames.
    case members
    /// Baselines, from the same. What a search tries for them says so itself.
    case baselines
    /// Students, from the ensemble's soft targets for a copy's frames, and by λ from their classes.
    case students
  }

  /// How copies differ from the utterances.
  package let perturbation: AugmentationOptions
  /// Who learns from them.
  package let learners: Set<Learners>

  enum CodingKeys: String, CodingKey, CaseIterable { case learners = "for" }

  package init(from decoder: any Decoder) throws {
    let others = AugmentationOptions.CodingKeys.allCases.map(\.stringValue)
    let read = try OptionReader<CodingKeys>(decoder, besides: others)
    let names: [String] = try read(.learners, default: [Learners.students.rawValue])
    learners = Set(names.compactMap(Learners.init))
    try requireOption(
      learners.count == names.count && !names.isEmpty, "for",
      expected: Learners.allCases.map(\.rawValue).joined(separator: ", ") + ", each at most once",
      found: names.joined(separator: ", "))
    perturbation = try AugmentationOptions(
      from: decoder, besides: CodingKeys.allCases.map(\.stringValue))
  }

  package func encode(to encoder: any Encoder) throws {
    try perturbation.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(learners.map(\.rawValue).sorted(), forKey: .learners)
  }
}
