package import LinearAlgebra

/// Which classes a model predicts together: the covariance of its distributions over frames, in one pass, with
/// memory for the square of the number of classes alone.
package struct PredictionCovariance: Sendable {
  package let classes: Int
  private var frames = 0
  private var sums: [Double]
  /// The sums of products of two probabilities: classes × classes.
  private var products: SquareSum

  /// - Parameter classes: at least one.
  package init(classes: Int) {
    self.classes = classes
    sums = Array(repeating: 0, count: classes)
    products = SquareSum(size: classes)
  }

  /// Counts some frames.
  ///
  /// - Parameters:
  ///   - posteriors: frames × classes, each row a distribution.
  ///   - workers: share the classes.
  package mutating func add(_ posteriors: Matrix, workers: Workers = .one) {
    precondition(
      posteriors.columns == classes, "PredictionCovariance: \(posteriors.columns) classes")
    for row in 0..<posteriors.rows {
      let own = posteriors.row(row)
      for index in own.indices { sums[index] += Double(own[index]) }
    }
    products.add(posteriors, workers: workers)
    frames += posteriors.rows
  }

  /// The mean of each class's probability.
  package var mean: [Double] { sums.map { $0 / Double(max(1, frames)) } }

  /// The covariance of two classes' probabilities, by class; of at least one frame.
  package var columns: [[Double]] {
    let (mean, count) = (mean, Double(max(1, frames)))
    return (0..<classes).map { row in
      (0..<classes).map { products[row, $0] / count - mean[row] * mean[$0] }
    }
  }

  /// The covariance of the summed probabilities of groups of classes, by group.
  ///
  /// - Parameter groups: the ids of each group's classes; no class is in two.
  /// - Returns: groups × groups.
  package func columns(ofGroups groups: [[Int32]]) -> [[Double]] {
    let classes = columns
    return groups.map { row in
      groups.map { column in
        row.reduce(0) { sum, one in column.reduce(sum) { $0 + classes[Int(one)][Int($1)] } }
      }
    }
  }
}
