import Foundation
package import LinearAlgebra
import Networks

/// How distributions are stored: their natural logarithms, none below −30, which 16 bits spread over their
/// range hold to within 0.00025, so that a probability is off by 0.05 % at most.
///
/// What a softmax makes of the stored logarithms is the distribution again.
package enum SoftTargetStore {
  /// The least logarithm; what is less probable counts as this.
  package static let floor: Float = -30

  /// The logarithms of distributions.
  ///
  /// - Parameter distributions: frames × classes, each row a distribution.
  /// - Returns: frames × classes, from −30 to 0.
  package static func logarithms(of distributions: Matrix) -> Matrix {
    var result = distributions
    result.withRows(0..<result.rows) { _, row in
      for index in row.indices { row[index] = max(floor, min(0, log(row[index]))) }
    }
    return result
  }

  /// Replaces a row of stored logarithms by its distribution.
  package static func restore(_ row: inout MutableSpan<Float>) {
    _ = replaceBySoftmax(&row)
  }

  /// What frames lose by being stored.
  package struct Loss: Sendable, Equatable {
    package private(set) var frames = 0
    /// The sum over the frames of KL(p, p as restored), in nats.
    private var divergence = 0.0
    /// The frames whose most probable class is the same.
    private var agreed = 0

    package init() {}

    /// Counts the frames of an utterance.
    ///
    /// - Parameters:
    ///   - distributions: frames × classes.
    ///   - stored: the same frames as they are read back, before they are restored.
    package mutating func add(_ distributions: Matrix, stored: Matrix) {
      var restored = stored
      restored.withRows(0..<restored.rows) { _, row in SoftTargetStore.restore(&row) }
      for (own, other) in zip(distributions.largestColumns(), restored.largestColumns())
      where own == other { agreed += 1 }
      for row in 0..<distributions.rows {
        let (p, q) = (distributions.row(row), restored.row(row))
        for index in p.indices where p[index] > 0 {
          divergence += Double(p[index]) * (log(Double(p[index])) - log(Double(q[index])))
        }
      }
      frames += distributions.rows
    }

    /// The mean over the frames of the Kullback-Leibler divergence, in nats.
    package var meanDivergence: Double { divergence / Double(max(1, frames)) }

    /// The share of frames whose most probable class is kept.
    package var agreement: Double { Double(agreed) / Double(max(1, frames)) }
  }
}
