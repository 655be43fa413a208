package import LinearAlgebra

/// Shifts and scales each feature to mean 0 and variance 1 over the training frames.
///
/// It is part of a model, which always uses the statistics of its training set.
package struct FeatureNormalizer: Sendable, Equatable {
  /// The mean of each feature.
  package let mean: [Float]
  /// The standard deviation of each feature, at least 1e-5.
  package let deviation: [Float]

  /// - Parameters:
  ///   - mean: one value per feature.
  ///   - deviation: one positive value per feature.
  package init(mean: [Float], deviation: [Float]) {
    precondition(
      mean.count == deviation.count && deviation.allSatisfy { $0 > 0 },
      "FeatureNormalizer: \(mean.count) means, \(deviation.count) deviations, all to be positive")
    (self.mean, self.deviation) = (mean, deviation)
  }

  /// The mean and deviation over all rows of `features`, at least one.
  package init(of features: Matrix) {
    var statistics = Statistics(columns: features.columns)
    for index in 0..<features.rows { statistics.add(features.row(index)) }
    self = statistics.normalizer
  }

  /// Sums over frames, in double precision and in the order of the frames.
  package struct Statistics: Sendable {
    private var count = 0
    private var sums: [Double]
    private var squares: [Double]

    /// Sums over no frames yet, of `columns` features.
    package init(columns: Int) {
      sums = Array(repeating: 0, count: columns)
      squares = sums
    }

    /// Adds a frame, unless a value of it is infinite or not a number.
    ///
    /// - Returns: whether the frame was added.
    @discardableResult
    package mutating func add(_ frame: Span<Float>) -> Bool {
      precondition(
        frame.count == sums.count, "FeatureNormalizer: \(frame.count) values for \(sums.count)")
      var largest: UInt32 = 0
      for column in frame.indices { largest = max(largest, frame[column].magnitude.bitPattern) }
      guard largest < Float.infinity.bitPattern else { return false }
      for column in frame.indices {
        let value = Double(frame[column])
        sums[column] += value
        squares[column] += value * value
      }
      count += 1
      return true
    }

    /// The mean and deviation over the frames added, at least one.
    package var normalizer: FeatureNormalizer {
      precondition(count > 0, "FeatureNormalizer: no frames")
      let count = Double(count)
      return FeatureNormalizer(
        mean: sums.map { Float($0 / count) },
        deviation: zip(sums, squares).map { sum, square in
          Float(max(1e-10, square / count - (sum / count) * (sum / count)).squareRoot())
        })
    }
  }

  /// Normalises one frame in place.
  ///
  /// - Parameters:
  ///   - frame: the features of the frame.
  ///   - scale: the reciprocal of each deviation.
  package func apply(to frame: inout MutableSpan<Float>, scale: [Float]) {
    RowKernels.standardise(&frame, mean: mean.span, scale: scale.span)
  }

  /// A copy of `features` with every row normalised.
  package func applied(to features: Matrix, workers: Workers = .one) -> Matrix {
    var result = features
    result.standardiseRows(mean: mean, factor: deviation.map { 1 / $0 }, workers: workers)
    return result
  }
}
