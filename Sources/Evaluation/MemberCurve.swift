package import LinearAlgebra
import Foundation

/// The accuracy of an ensemble as a function of its size, and how much its members disagree.
package struct MemberCurve: Sendable, Equatable, Codable {
  /// The mean over all ensembles of a given number of consecutive members.
  ///
  /// Members are arranged in a ring, so that each counts equally often.
  package struct Point: Sendable, Equatable, Codable {
    /// The number of members.
    package let members: Int
    /// The mean accuracy on the development set.
    package let development: AccuracyScore
    /// The mean accuracy on the test set.
    package let test: AccuracyScore
  }

  /// The points, from one member to all.
  package let points: [Point]
  /// The share of test frames for which two members choose different classes, averaged over all
  /// pairs.
  ///
  /// Nil for a single member.
  package let disagreement: Estimate?
  /// The generalised Jensen-Shannon divergence of the members on the test set, in nats (Lin 1991).
  ///
  /// It is the mean over members and frames of KL(member, mean of the members); nil for a single
  /// member.
  package let divergence: Estimate?

  /// Computes the curve; nil when a set has no frames.
  ///
  /// - Parameters:
  ///   - development: a tally for each development utterance, at least one.
  ///   - onDevelopment: a bootstrap for those utterances.
  ///   - test: a tally for each test utterance, at least one.
  ///   - onTest: a bootstrap for those utterances.
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

/// The results of an ensemble's members on one utterance.
package struct MemberTally: Sendable {
  /// The tally of each ensemble of consecutive members, by its size minus one, then by its first
  /// member.
  ///
  /// There is only one ensemble of all members.
  let ensembles: [[FrameTally]]
  /// The sum over the frames of the share of pairs of members that choose different classes.
  let disagreement: Double
  /// The sum over the frames of the mean over members of KL(member, mean of the members), in nats.
  let divergence: Double

  var frames: Int { ensembles[0][0].frames }

  /// Counts the frames of an utterance.
  ///
  /// - Parameters:
  ///   - posteriors: the distributions of each member, at least one, [frames × classes].
  ///   - terms: what an ensemble adds up for each member: the posteriors for an arithmetic mean,
  ///     the logits for a geometric one. The class with the largest sum is the ensemble's choice.
  ///   - labels: the true class id of each frame.
  ///   - rules: the rules of scoring.
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
