import Foundation
package import LinearAlgebra

/// Replaces logits by the softmax at a temperature, `exp(z / T) / Σ exp(z / T)`.
///
/// - Returns: `log Σ exp(z / T)`.
@discardableResult
package func replaceBySoftmax(_ row: inout MutableSpan<Float>, temperature: Float = 1) -> Float {
  let largest = RowKernels.maximum(row)
  let factor = 1 / temperature
  let sum = RowKernels.replaceByExponentials(&row, shift: largest, factor: factor)
  RowKernels.scale(&row, by: 1 / sum)
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
  /// The loss of a true class.
  ///
  /// It is `−Σ t · log softmax(z)` with `t = (1 − ε) · 1[label] + ε / N`, which for ε = 0 is
  /// `−log softmax(z)[label]` (label smoothing: Szegedy et al. 2016, "Rethinking the Inception architecture",
  /// §7).
  ///
  /// - Parameters:
  ///   - row: logits z of N classes; replaced by `scale · (softmax(z) − t)`, the gradient times `scale`.
  ///   - label: the class of the frame.
  ///   - smoothing: ε, in [0, 1).
  ///   - scale: a factor of the gradient.
  /// - Returns: the loss, not scaled.
  package static func hard(
    _ row: inout MutableSpan<Float>, label: Int32, smoothing: Float = 0, scale: Float
  ) -> Float {
    let share = smoothing / Float(row.count)
    var expected = (1 - smoothing) * row[Int(label)]
    if smoothing > 0 { expected += share * RowKernels.sum(row) }
    let loss = replaceBySoftmax(&row) - expected
    row[Int(label)] -= 1 - smoothing
    RowKernels.scale(&row, by: scale, adding: -share * scale)
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
    let expected = RowKernels.dot(row, target) / temperature
    let loss =
      RowKernels.sum(target) * replaceBySoftmax(&row, temperature: temperature) - expected
    let factor = scale / temperature
    RowKernels.combine(&row, target, factor: factor, otherFactor: -factor)
    return loss
  }
}
