import Corpus
import Storage
package import SystemPackage

/// How scores get their intervals.
package struct ScoringOptions: Sendable, Codable {
  /// The number of bootstrap resamples of the utterances.
  package var resamples = 2000
  /// The seed of the resampling.
  package var seed: UInt64 = 1
  /// A map that folds classes before they are compared, with a line `FROM TO` for each class; see
  /// `ScoringRules`.
  package var fold: FilePath?

  /// 2000 resamples and no folding of classes.
  package init() {}

  package enum CodingKeys: String, CodingKey, CaseIterable { case resamples, seed, fold }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    fold = try read.optional(.fold)
    resamples = try read(.resamples, default: resamples)
    seed = try read(.seed, default: seed)
    try requireOption(
      (40...100_000).contains(resamples), "resamples", expected: "40 to 100,000",
      found: resamples)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(resamples, forKey: .resamples)
    try container.encode(seed, forKey: .seed)
    try container.encodeIfPresent(fold?.string, forKey: .fold)
  }
}
