import Networks
import Foundation
import LinearAlgebra

extension Matrix {
  /// Replaces probabilities by their logarithms; those too small for a normal float count as the
  /// smallest one.
  mutating func replaceByLogarithms() {
    forEachRow { _, row in
      for place in row.indices { row[place] = log(max(row[place], .leastNormalMagnitude)) }
    }
  }

  /// Distributions at T, whose logarithms serve as logits.
  ///
  /// - Parameter temperature: T, positive.
  /// - Returns: [frames × classes]; the same distributions for T = 1.
  func softened(temperature: Double) -> Matrix {
    guard temperature != 1 else { return self }
    var result = self
    result.replaceByLogarithms()
    result.replaceRowsBySoftmax(temperature: Float(temperature))
    return result
  }
}
