import Foundation
import LinearAlgebra

extension CrossEntropy {
  /// The decoupled loss for a distribution over the classes.
  ///
  /// See Zhao et al. 2022, "Decoupled knowledge distillation", §3.2; here with cross-entropies in
  /// place of divergences, which have the same gradient.
  ///
  /// With y the true class and q = softmax(z / T), it is `α · (−p_y · log q_y − p_o · log q_o) +
  /// β · (−Σ p̂_i · log q̂_i)`, where p_o and q_o are the sums over all other classes, and
  /// p̂_i = p_i / p_o and q̂_i = q_i / q_o are the distributions over them. For α = 1 and β = p_o it
  /// is `soft`.
  ///
  /// - Parameters:
  ///   - row: logits z of two classes or more; replaced by the gradient times `scale`. The gradient is
  ///     `α · (q_y − p_y) / T` for the true class, and
  ///     `(α · (q_o − p_o) · q̂_i + β · (q̂_i − p̂_i)) / T` for the others.
  ///   - label: y.
  ///   - target: a distribution p over the classes.
  ///   - temperature: T, positive.
  ///   - weights: α, of the true class against all others, and β, of the others among themselves.
  ///   - scale: a factor for the gradient.
  /// - Returns: the loss, not scaled.
  package static func decoupled(
    _ row: inout MutableSpan<Float>, label: Int32, target: Span<Float>, temperature: Float,
    weights: (alpha: Float, beta: Float), scale: Float
  ) -> Float {
    let own = Int(label)
    precondition(
      row.count > 1 && row.indices.contains(own), "decoupled: class \(own) of \(row.count)")
    let (logit, expected) = (row[own], target[own])
    // Summing the others directly keeps precision; 1 minus the true class would lose it.
    let others = max(
      RowKernels.sum(target.extracting(..<own)) + RowKernels.sum(target.extracting((own + 1)...)),
      .leastNormalMagnitude)
    row[own] = 0
    let dot = RowKernels.dot(row, target) / temperature
    // The true class takes no part in the softmax over the others.
    row[own] = row[own == 0 ? 1 : 0]
    row[own] = RowKernels.maximum(row) - 1000 * temperature
    let sum = replaceBySoftmax(&row, temperature: temperature)
    let odds = logit / temperature - sum
    let (q, rest) = (1 / (1 + exp(-odds)), 1 / (1 + exp(odds)))
    let loss =
      weights.alpha * (expected * softPlus(-odds) + others * softPlus(odds))
      + weights.beta * (sum - dot / others)
    let factor = scale / temperature
    RowKernels.combine(
      &row, target, factor: factor * (weights.alpha * (rest - others) + weights.beta),
      otherFactor: -factor * weights.beta / others)
    row[own] = factor * weights.alpha * (q - expected)
    return loss
  }

  /// `log(1 + exp(x))`.
  private static func softPlus(_ x: Float) -> Float { max(x, 0) + log1p(exp(-abs(x))) }
}
