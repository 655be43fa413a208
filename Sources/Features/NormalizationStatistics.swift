package import LinearAlgebra

/// Sums over frames from which their mean and variance are normalised.
///
/// They are those of Kaldi's `compute-cmvn-stats` (`transform/cmvn.cc`).
package struct NormalizationStatistics: Sendable, Equatable {
  /// The number of frames; a fraction when frames are weighted.
  package private(set) var count: Double
  /// The sum of each feature.
  package private(set) var sums: [Double]
  /// The sum of squares of each feature.
  package private(set) var squares: [Double]

  /// - Parameters:
  ///   - count: the number of frames.
  ///   - sums: the sum of each feature.
  ///   - squares: the sum of squares of each feature.
  package init(count: Double, sums: [Double], squares: [Double]) {
    precondition(
      sums.count == squares.count,
      "NormalizationStatistics: \(sums.count) sums, \(squares.count) squares")
    (self.count, self.sums, self.squares) = (count, sums, squares)
  }

  /// Statistics of no frames, of `columns` features.
  package init(columns: Int) {
    self.init(
      count: 0, sums: Array(repeating: 0, count: columns),
      squares: Array(repeating: 0, count: columns))
  }

  /// Adds the rows of `frames` in order; squares are taken in single precision, as in Kaldi.
  package mutating func add(_ frames: Matrix) {
    precondition(
      frames.columns == sums.count, "add: \(frames.columns) columns to \(sums.count)")
    for index in 0..<frames.rows {
      let row = frames.row(index)
      for column in row.indices {
        sums[column] += Double(row[column])
        squares[column] += Double(row[column] * row[column])
      }
    }
    count += Double(frames.rows)
  }

  /// Adds other statistics of the same number of features.
  package mutating func add(_ other: NormalizationStatistics) {
    precondition(other.sums.count == sums.count, "add: \(other.sums.count) to \(sums.count)")
    count += other.count
    for column in sums.indices {
      sums[column] += other.sums[column]
      squares[column] += other.squares[column]
    }
  }

  /// The mean of each feature; the number of frames must be positive.
  package var means: [Float] { sums.map { Float($0 / count) } }

  /// Subtracts the mean of these statistics from `frames`, and optionally scales to variance 1.
  ///
  /// A variance below 1e-20 counts as 1e-20. The number of frames counted must be positive.
  ///
  /// - Parameters:
  ///   - frames: as many columns as there are sums.
  ///   - variance: whether to scale to variance 1.
  package func normalize(_ frames: inout Matrix, variance: Bool) {
    precondition(
      frames.columns == sums.count && count > 0,
      "normalize: \(frames.columns) columns by \(sums.count) sums of \(count) frames")
    let means = sums.map { $0 / count }
    let scales = zip(squares, means).map { square, mean in
      variance ? 1 / max(square / count - mean * mean, 1e-20).squareRoot() : 1
    }
    let (factors, offsets) = (
      scales.map { Float($0) }, zip(means, scales).map { Float(-($0 * $1)) }
    )
    frames.withRows(0..<frames.rows) { _, row in
      for column in row.indices { row[column] = row[column] * factors[column] + offsets[column] }
    }
  }
}
