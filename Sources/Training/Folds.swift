import LinearAlgebra
import Storage

/// A division of the training utterances into folds, so that each utterance can be labelled by
/// members that were not trained on it.
///
/// Stacked generalisation (Wolpert, 1992). The utterances of a speaker stay in one fold if speakers
/// are known and there are at least as many speakers as folds.
package struct Folds: Sendable, Equatable, Codable {
  /// The number of folds.
  package let count: Int
  /// The fold of each utterance, from 0.
  private let ofUtterances: [String: Int]

  /// Divides utterances into folds of about the same number of speakers, or of utterances.
  ///
  /// - Parameters:
  ///   - utterances: their ids.
  ///   - speakers: the speaker of each; nil to divide by utterance, as for a single speaker.
  ///   - count: the number of folds.
  ///   - seed: the seed of the division.
  package init(utterances: [String], speakers: [String: String]?, count: Int, seed: UInt64) {
    var units = utterances.map { speakers?[$0] ?? $0 }
    if Set(units).count < count { units = utterances }
    let names = Set(units).sorted(by: inByteOrder)
    var generator = SeededGenerator(seed, UInt64(count))
    var folds: [String: Int] = [:]
    for (place, name) in generator.permutation(of: names.count).enumerated() {
      folds[names[Int(name)]] = place % count
    }
    self.count = count
    ofUtterances = Dictionary(
      uniqueKeysWithValues: zip(utterances, units).map { ($0, folds[$1] ?? 0) })
  }

  /// Whether a member, counted from 0, is trained on an utterance; false for an utterance in no
  /// fold.
  package func isTrained(member: Int, on utterance: String) -> Bool {
    ofUtterances[utterance].map { $0 != member % count } ?? false
  }
}
