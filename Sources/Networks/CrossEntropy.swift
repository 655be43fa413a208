import Foundation
package import LinearAlgebra

/// Replaces logits by the softmax at a temperature, `exp(z / T) / Σ exp(z / T)`.
///
/// - Returns: `log Σ exp(z / T)`.
@discardableResult
package func replaceBySoftmax(_ row: inout MutableSpan<Float>, temperature: Float = 1) -> Float {
  var largest = -Float.infinity
  for index in row.indices { largest = max(largest, row[index]) }
  let factor = 1 / temperature
  var sum: Float = 0
  for index in row.indices {
    let value = exp((row[index] - largest) * factor)
    row[index] = value
    sum += value
  }
  let scale = 1 / sum
  for index in row.indices { row[index] *= scale }
  return log(sum) + largest * factor
}

extension Matrix {
  /// Replaces each row of logits by its softmax at a temperature.
  package mutating func replaceRowsBySoftmax(temperature: Float = 1, workers: Workers = .one) {
    forEachRow(workers) { _, row in replaceBySoftmax(&row, temperature: temperature) }
  }
}

/// The cross-entropy of a frame, with its gradient with respect to the logits.
package enum CrossEntropy {
  /// `−log softmax(z)[label]`.
  ///
  /// - Parameters:
  ///   - row: logits z; replaced by `scale · (softmax(z) − 1[label])`, the gradient times `scale`.
  ///   - label: the class of the frame.
  ///   - scale: a factor of the gradient.
  /// - Returns: the loss, not scaled.
  package static func hard(
    _ row: inout MutableSpan<Float>, label: Int32, scale: Float
  ) -> Float {
    let target = row[Int(label)]
    let loss = replaceBySoftmax(&row) - target
    row[Int(label)] -= 1
    for index in row.indices { row[index] *= scale }
    return loss
  }

  /// `−Σ p · log softmax(z / T)`.
  ///
  /// - Parameters:
  ///   - row: logits z; replaced by `scale · (softmax(z / T) − p) / T`, the gradient times `scale`.
  ///   - target: a distribution p over the classes.
  ///   - temperature: T, positive.
  ///   - scale: a factor of the gradient.
  /// - Returns: the loss, not scaled.
  package static func soft(
    _ row: inout MutableSpan<Float>, target: Span<Float>, temperature: Float, scale: Float
  ) -> Float {
    precondition(target.count == row.count, "soft: \(target.count) targets for \(row.count) logits")
    var (expected, mass): (Float, Float) = (0, 0)
    for index in row.indices {
      expected += target[index] * row[index]
      mass += target[index]
    }
    let loss = mass * replaceBySoftmax(&row, temperature: temperature) - expected / temperature
    let factor = scale / temperature
    for index in row.indices { row[index] = (row[index] - target[index]) * factor }
    return loss
  }
}
