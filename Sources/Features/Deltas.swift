package import LinearAlgebra

/// Delta features of any order (Kaldi, `feat/feature-functions.cc`, `DeltaFeatures`).
///
/// The delta of frame t is Σ n · x[t + n] / Σ n² for n from −window to window. Beyond the edges of
/// an utterance its first or last frame is repeated.
package struct Deltas: Sendable {
  /// The highest order: 0 for none, 1 for deltas, 2 for delta-deltas.
  package let order: Int
  /// The number of frames on each side that the highest order needs.
  package let reach: Int

  /// For each order, the weights of the neighbouring frames, oldest first.
  package let weights: [[Float]]

  /// - Parameters:
  ///   - order: 0 for none, 1 for deltas, 2 for deltas and delta-deltas.
  ///   - window: the number of frames on each side of a delta, at least one.
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

  /// The features of some frames, with their deltas appended.
  ///
  /// - Parameters:
  ///   - rows: the indices of the frames to compute.
  ///   - features: consecutive frames of the utterance, which include every existing frame within
  ///     `reach` of `rows`.
  ///   - first: the index in the utterance of row 0 of `features`.
  ///   - count: the number of frames of the utterance.
  /// - Returns: [`rows.count` × (1 + order) · columns]: the features, their deltas, their
  ///   delta-deltas.
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
