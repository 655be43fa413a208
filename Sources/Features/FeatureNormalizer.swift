package import LinearAlgebra

/// Shifts and scales each feature to mean 0 and variance 1 over the frames it was made from.
///
/// It is part of a model: the same numbers are used in training and ever after.
package struct FeatureNormalizer: Sendable, Equatable {
  /// The mean of each feature.
  package let mean: [Float]
  /// The standard deviation of each feature, at least 1e-5.
  package let deviation: [Float]

  /// - Parameters:
  ///   - mean: one value a feature.
  ///   - deviation: one positive value a feature.
  package init(mean: [Float], deviation: [Float]) {
    precondition(
      mean.count == deviation.count && deviation.allSatisfy { $0 > 0 },
      "FeatureNormalizer: \(mean.count) means, \(deviation.count) deviations, all to be positive")
    (self.mean, self.deviation) = (mean, deviation)
  }

  /// The statistics of all rows of `features` (at least one), summed in double precision.
  package init(of features: Matrix) {
    precondition(features.rows > 0, "FeatureNormalizer: no frames")
    var sums = [Double](repeating: 0, count: features.columns)
    var squares = sums
    for index in 0..<features.rows {
      let row = features.row(index)
      for column in row.indices {
        let value = Double(row[column])
        sums[column] += value
        squares[column] += value * value
      }
    }
    let count = Double(features.rows)
    mean = sums.map { Float($0 / count) }
    deviation = zip(sums, squares).map { sum, square in
      Float(max(1e-10, square / count - (sum / count) * (sum / count)).squareRoot())
    }
  }

  /// A copy of `features` with each row normalised.
  package func applied(to features: Matrix, workers: Workers = .one) -> Matrix {
    var result = features
    result.standardiseRows(mean: mean, factor: deviation.map { 1 / $0 }, workers: workers)
    return result
  }
}
