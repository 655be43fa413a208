import Foundation
package import LinearAlgebra

/// Replaces logits by their softmax at a temperature, `exp(z / T) / Σ exp(z / T)`.
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

extension Matrix {
  /// Replaces each row of logits by the logarithm of its softmax at a temperature,
  /// `z / T − log Σ exp(z / T)`.
  ///
  /// The sum is that of `replaceBySoftmax`, and no probability is too small for its logarithm.
  ///
  /// - Parameter temperature: T, positive.
  package mutating func replaceRowsByLogSoftmax(temperature: Float = 1) {
    var powers = [Float](repeating: 0, count: columns)
    withRows(0..<rows) { _, row in
      var own = powers.mutableSpan
      RowKernels.copy(row.span, into: &own)
      let sum = replaceBySoftmax(&own, temperature: temperature)
      RowKernels.scale(&row, by: 1 / temperature, adding: -sum)
    }
  }
}

/// The cross-entropy of a frame and its gradient with respect to the logits.
package enum CrossEntropy {
  /// The loss for a true class.
  ///
  /// It is `−Σ t · log softmax(z)` with `t = (1 − ε) · 1[label] + ε / N`. For ε = 0 it is `−log
  /// softmax(z)[label]`. For label smoothing see Szegedy et al. 2016, "Rethinking the Inception
  /// architecture", §7.
  ///
  /// - Parameters:
  ///   - row: logits z of N classes; replaced by `scale · (softmax(z) − t)`, the gradient times
  ///     `scale`.
  ///   - label: the class of the frame.
  ///   - smoothing: ε, in [0, 1).
  ///   - scale: a factor for the gradient.
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

  /// The loss for a distribution over the classes, `−Σ p · log softmax(z / T)`.
  ///
  /// - Parameters:
  ///   - row: logits z; replaced by `scale · (softmax(z / T) − p) / T`, the gradient times `scale`.
  ///   - target: a distribution p over the classes.
  ///   - temperature: T, positive.
  ///   - scale: a factor for the gradient.
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

  /// The loss for the k largest probabilities of a distribution and the sum of all others, the
  /// tail.
  ///
  /// It is `−Σ p_i · log q_i − p_tail · log q_tail`, where `q = softmax(z / T)` and q_tail is its
  /// sum over the other classes.
  ///
  /// - Parameters:
  ///   - row: logits z of more than k classes; replaced by the gradient times `scale`. The gradient
  ///     is `(q_i − p_i) / T` for the k classes and `q_j · (1 − p_tail / q_tail) / T` for the
  ///     others.
  ///   - target: the k probabilities, the probability of the tail, and the k class ids.
  ///   - temperature: T, positive.
  ///   - scale: a factor for the gradient.
  /// - Returns: the loss, not scaled.
  package static func soft(
    _ row: inout MutableSpan<Float>, largest target: Span<Float>, temperature: Float, scale: Float
  ) -> Float {
    let count = (target.count - 1) / 2
    var loss: Float = 0
    var known: Float = 0
    for place in 0..<count {
      loss -= target[place] * row[Int(target[count + 1 + place])] / temperature
      known += target[place]
    }
    loss += known * replaceBySoftmax(&row, temperature: temperature)
    // Summing the others directly keeps precision; 1 minus the k would lose it.
    return unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { own in
      for place in 0..<count {
        let id = Int(target[count + 1 + place])
        unsafe own[place] = row[id]
        row[id] = 0
      }
      let tail = max(RowKernels.sum(row), .leastNormalMagnitude)
      let factor = scale / temperature
      RowKernels.scale(&row, by: factor * (1 - target[count] / tail))
      for place in 0..<count {
        unsafe row[Int(target[count + 1 + place])] = factor * (own[place] - target[place])
      }
      return loss - target[count] * log(tail)
    }
  }
}
