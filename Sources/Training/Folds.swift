import LinearAlgebra
import Storage

/// A division of the training utterances, so that each can be labelled by members that do not know it.
///
/// That is stacked generalisation (Wolpert, 1992). Speakers stay whole where they are known and
/// not fewer than folds.
package struct Folds: Sendable, Equatable, Codable {
  package let count: Int
  /// The fold of each utterance, from 0.
  private let ofUtterances: [String: Int]

  /// - Parameters:
  ///   - utterances: their ids.
  ///   - speakers: the speaker of each; nil, or one for all, to divide by utterances.
  ///   - count: how many folds there are.
  ///   - seed: decides which utterances go together.
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

  /// Whether a member, counted from 0, is trained on an utterance; none is on one that is in no fold.
  package func isTrained(member: Int, on utterance: String) -> Bool {
    ofUtterances[utterance].map { $0 != member % count } ?? false
  }
}
