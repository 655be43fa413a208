package import LinearAlgebra

/// Deltas of features, and deltas of those (Kaldi, `feat/feature-functions.cc`, `DeltaFeatures`).
///
/// The delta of frame t is Σ n · x[t + n] / Σ n² for n from −window to window; the first and the last
/// frame stand for those beyond the edges.
package struct Deltas: Sendable {
  /// How many times deltas are taken.
  package let order: Int
  /// Frames to each side that the highest delta needs.
  package let reach: Int

  /// The weights of the neighbouring frames for each order, from the oldest to the newest.
  private let weights: [[Float]]

  /// - Parameters:
  ///   - order: 0 for none, 1 for deltas, 2 for delta-deltas too.
  ///   - window: frames to each side, at least one.
  package init(order: Int, window: Int) {
    precondition(order >= 0 && window > 0, "Deltas: order \(order), window \(window)")
    self.order = order
    reach = order * window
    let normalizer = Float((-window...window).reduce(0) { $0 + $1 * $1 })
    var weights: [[Float]] = [[1]]
    for _ in 0..<order {
      let last = weights[weights.count - 1]
      var next = [Float](repeating: 0, count: last.count + 2 * window)
      for shift in -window...window {
        for (place, weight) in last.enumerated() {
          next[shift + window + place] += Float(shift) * weight
        }
      }
      weights.append(next.map { $0 / normalizer })
    }
    self.weights = weights
  }

  /// Features with their deltas beside them.
  ///
  /// - Parameters:
  ///   - rows: the frames to compute.
  ///   - features: frames of the utterance from `first` on; all that are within `reach` of `rows` and
  ///     exist.
  ///   - first: the frame that is row 0 of `features`.
  ///   - count: the number of frames of the utterance.
  /// - Returns: `rows.count` × (1 + order) · columns: the features, the deltas, the delta-deltas.
  package func appended(
    to rows: Range<Int>, of features: Matrix, from first: Int, count: Int
  ) -> Matrix {
    let columns = features.columns
    var result = Matrix(rows: rows.count, columns: columns * (1 + order))
    result.withRows(0..<rows.count) { index, row in
      for (order, weights) in weights.enumerated() {
        let side = weights.count / 2
        for (place, weight) in weights.enumerated() where weight != 0 {
          let frame = min(max(rows.lowerBound + index + place - side, 0), count - 1)
          let source = features.row(frame - first)
          for column in 0..<columns {
            row[order * columns + column] += weight * source[column]
          }
        }
      }
    }
    return result
  }
}
