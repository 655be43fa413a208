package import LinearAlgebra
import Foundation

/// How the accuracy of an ensemble grows with its members, and how much these disagree.
package struct MemberCurve: Sendable, Equatable, Codable {
  /// The ensembles of so many members that follow each other in a ring, so that each member counts alike.
  package struct Point: Sendable, Equatable, Codable {
    package let members: Int
    /// The mean accuracy of those ensembles.
    package let development: AccuracyScore
    package let test: AccuracyScore
  }

  /// From one member to all.
  package let points: [Point]
  /// The share of test frames on which two members choose different classes, a mean over the pairs; nil of a
  /// single member.
  package let disagreement: Estimate?
  /// The mean over members and test frames of KL(member, mean of the members), in nats: the generalised
  /// Jensen-Shannon divergence (Lin, 1991).
  package let divergence: Estimate?

  /// A curve; nil when a set has no frames.
  ///
  /// - Parameters:
  ///   - development: a tally an utterance, at least one.
  ///   - onDevelopment: made for as many utterances.
  ///   - test: as `development`.
  ///   - onTest: made for as many utterances.
  package init?(
    development: [MemberTally], _ onDevelopment: Bootstrap, test: [MemberTally],
    _ onTest: Bootstrap
  ) {
    var points: [Point] = []
    for size in test[0].ensembles.indices {
      func accuracy(_ set: [MemberTally], _ bootstrap: Bootstrap) -> AccuracyScore? {
        let rings = set[0].ensembles[size].indices.map { first in
          set.map { $0.ensembles[size][first] }
        }
        return AccuracyScore(rings, .all, bootstrap: bootstrap)
      }
      guard let first = accuracy(development, onDevelopment), let second = accuracy(test, onTest)
      else { return nil }
      points.append(Point(members: size + 1, development: first, test: second))
    }
    self.points = points
    func mean(_ figure: (MemberTally) -> Double) -> Estimate? {
      let values = test.map { (figure($0), Double($0.frames)) }
      return Estimate(utterances: test.count, bootstrap: onTest) { weights in
        var (sum, frames) = (0.0, 0.0)
        for ((value, own), weight) in zip(values, weights) {
          sum += Double(weight) * value
          frames += Double(weight) * own
        }
        return sum / frames
      }
    }
    disagreement = points.count > 1 ? mean(\.disagreement) : nil
    divergence = points.count > 1 ? mean(\.divergence) : nil
  }
}

/// The members of an ensemble on one utterance.
package struct MemberTally: Sendable {
  /// By the number of members less one, and by the first of them: the ensemble of as many as follow in the
  /// ring; of all members, one.
  let ensembles: [[FrameTally]]
  /// The sum over the frames of the share of pairs that choose different classes.
  let disagreement: Double
  /// The sum over the frames of the mean of KL(member, mean of the members), in nats.
  let divergence: Double

  var frames: Int { ensembles[0][0].frames }

  /// Counts the frames of an utterance.
  ///
  /// - Parameters:
  ///   - posteriors: of each member, at least one, frames × the model's classes.
  ///   - terms: as many, whose sum over some members is largest where their ensemble's distribution is: the
  ///     posteriors of an arithmetic mean, the logits of a geometric one.
  ///   - labels: the true ids, one a frame.
  ///   - rules: what counts as right.
  package init(
    posteriors: [Matrix], terms: [Matrix], labels: [Int32], by rules: ScoringRules
  ) {
    let count = terms.count
    var ensembles = Array(repeating: [FrameTally](), count: count)
    for first in 0..<count {
      var sum = terms[first]
      for size in 0..<count {
        if size > 0 { sum.add(terms[(first + size) % count]) }
        if size == count - 1 && first > 0 { continue }
        ensembles[size].append(rules.tally(predicted: sum.largestColumns(), labels: labels))
      }
    }
    self.ensembles = ensembles
    disagreement = MemberTally.disagreement(posteriors.map { $0.largestColumns() })
    divergence = MemberTally.divergence(posteriors)
  }

  private static func disagreement(_ choices: [[Int32]]) -> Double {
    let pairs = choices.indices.flatMap { first in
      choices.indices.dropFirst(first + 1).map { (first, $0) }
    }
    let differing = pairs.reduce(0) { sum, pair in
      sum + zip(choices[pair.0], choices[pair.1]).count { $0 != $1 }
    }
    return Double(differing) / Double(max(1, pairs.count))
  }

  private static func divergence(_ posteriors: [Matrix]) -> Double {
    var mean = posteriors[0]
    for other in posteriors.dropFirst() { mean.add(other) }
    mean.scale(by: 1 / Float(posteriors.count))
    var sum = 0.0
    for member in posteriors {
      for row in 0..<member.rows {
        let (p, q) = (member.row(row), mean.row(row))
        for index in p.indices where p[index] > 0 {
          sum += Double(p[index]) * Double(log(p[index] / q[index]))
        }
      }
    }
    return sum / Double(posteriors.count)
  }
}
