import Classes
import Foundation
package import LinearAlgebra

/// The rules by which whole utterances are classified, such as recordings of single words.
///
/// The decision is the label with the largest sum, over all frames, of the logarithm of its
/// posterior. A label's posterior is the sum of those of its states. Silence is no label.
package struct UtteranceRules: Sendable {
  /// The labels, in the order of the classes.
  package let labels: [String]
  /// The label of each of the model's classes; nil for silence.
  private let label: [Int?]

  /// The labels of some scoring rules, after folding.
  package init(_ rules: ScoringRules) {
    let (names, isSilence) = (rules.classes.labels, rules.classes.isSilence)
    var labels: [String] = []
    var places: [String: Int] = [:]
    let ofScored = names.indices.map { index -> Int? in
      if isSilence[index] { return nil }
      if let place = places[names[index]] { return place }
      places[names[index]] = labels.count
      labels.append(names[index])
      return labels.count - 1
    }
    self.labels = labels
    label = rules.ids.map { ofScored[Int($0)] }
  }

  /// The label that an utterance is decided to be.
  ///
  /// - Parameter posteriors: distributions over the model's classes, [frames × classes]; at least
  ///   one label must exist.
  /// - Returns: an index of `labels`, the first of equal ones.
  package func decision(_ posteriors: Matrix) -> Int {
    var sums = [Double](repeating: 0, count: labels.count)
    var own = [Double](repeating: 0, count: labels.count)
    for frame in 0..<posteriors.rows {
      for place in own.indices { own[place] = 0 }
      let row = posteriors.row(frame)
      for (id, label) in label.enumerated() { if let label { own[label] += Double(row[id]) } }
      // A posterior that rounds to zero must not decide alone.
      for place in sums.indices {
        sums[place] += log(max(own[place], Double(Float.leastNormalMagnitude)))
      }
    }
    return sums.indices.max { sums[$0] < sums[$1] || sums[$0] == sums[$1] && $0 > $1 } ?? 0
  }

  /// The one label of an utterance's frames.
  ///
  /// - Parameter targets: the true class id of each frame, among the model's classes.
  /// - Throws: `UndecidedLabel` when there is none besides silence, or there are several.
  /// - Returns: an index of `labels`.
  package func truth(_ targets: [Int32]) throws(UndecidedLabel) -> Int {
    let found = Set(targets.compactMap { label[Int($0)] }).sorted()
    guard let first = found.first, found.count == 1 else {
      throw UndecidedLabel(labels: found.map { labels[$0] })
    }
    return first
  }
}

/// An utterance that has no label as a whole.
package struct UndecidedLabel: Error, CustomStringConvertible {
  /// Its labels besides silence.
  let labels: [String]

  package var description: String {
    let shown = labels.prefix(3).joined(separator: ", ") + (labels.count > 3 ? " …" : "")
    return "expected one label besides silence, as --utterances needs, found "
      + (labels.isEmpty ? "none" : "\(labels.count): \(shown)")
  }
}

/// The accuracy of decisions on whole utterances.
package struct UtteranceScore: Sendable, Equatable, Encodable {
  /// The decision on one utterance.
  package struct Decision: Sendable, Equatable, Encodable {
    /// The utterance's id.
    package let utterance: String
    /// Its label in the targets.
    package let label: String
    /// The label that the model decides on.
    package let decision: String

    /// A decision on an utterance with a label.
    package init(utterance: String, label: String, decision: String) {
      (self.utterance, self.label, self.decision) = (utterance, label, decision)
    }
  }

  /// The share of right decisions, from 0 to 1.
  package let accuracy: Double
  /// The lower bound of its 95 % bootstrap interval; nil for a single utterance or speaker.
  package let low: Double?
  /// The upper bound of the interval, nil like the lower one.
  package let high: Double?
  /// The number of labels that were decided among.
  package let labels: Int
  /// Each decision, in the order of the utterances.
  package let decisions: [Decision]

  /// The score of some decisions, at least one.
  ///
  /// - Parameters:
  ///   - decisions: one for each utterance.
  ///   - labels: the number of labels that were decided among.
  ///   - bootstrap: a bootstrap for those utterances.
  package init(_ decisions: [Decision], labels: Int, bootstrap: Bootstrap) {
    let isRight = decisions.map { $0.label == $0.decision }
    func share(_ weights: [Int32]) -> Double {
      var (right, all) = (0, 0)
      for (own, weight) in zip(isRight, weights) {
        all += Int(weight)
        if own { right += Int(weight) }
      }
      return Double(right) / Double(all)
    }
    accuracy = share(Array(repeating: 1, count: decisions.count))
    let interval = bootstrap.interval(share)
    (low, high) = (interval?.low, interval?.high)
    (self.labels, self.decisions) = (labels, decisions)
  }
}
