package import LinearAlgebra

/// The covariance of a model's class probabilities over frames, which shows what it predicts
/// together.
///
/// It is computed in one pass, with memory quadratic in the number of classes.
package struct PredictionCovariance: Sendable {
  /// The number of classes.
  package let classes: Int
  private var frames = 0
  private var sums: [Double]
  /// The sums of the products of two probabilities, [classes × classes].
  private var products: SquareSum

  /// - Parameter classes: the number of classes, at least one.
  package init(classes: Int) {
    self.classes = classes
    sums = Array(repeating: 0, count: classes)
    products = SquareSum(size: classes)
  }

  /// Adds some frames.
  ///
  /// - Parameters:
  ///   - posteriors: distributions, [frames × classes].
  ///   - workers: the threads among which the classes are shared.
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

  /// The mean probability of each class; zeros when there are no frames.
  package var mean: [Double] { sums.map { $0 / Double(max(1, frames)) } }

  /// The covariance matrix of the classes' probabilities; zeros when there are no frames.
  package var columns: [[Double]] {
    let (mean, count) = (mean, Double(max(1, frames)))
    return (0..<classes).map { row in
      (0..<classes).map { products[row, $0] / count - mean[row] * mean[$0] }
    }
  }

  /// The covariance matrix of the groups' probabilities, each the sum over the classes of a group.
  ///
  /// - Parameter groups: the class ids of each group; no class may be in two.
  /// - Returns: the matrix, [groups × groups].
  package func columns(ofGroups groups: [[Int32]]) -> [[Double]] {
    let classes = columns
    return groups.map { row in
      groups.map { column in
        row.reduce(0) { sum, one in column.reduce(sum) { $0 + classes[Int(one)][Int($1)] } }
      }
    }
  }
}
