import LinearAlgebra

/// Logits of a frame with mean 0 and variance 1 over the classes: `u = (z − mean) / s` with
/// `s² = variance + ε`.
///
/// See Sun et al. 2024, "Logit standardization in knowledge distillation", §4. A constant added to all logits changes nothing, nor does a positive factor, apart from ε.
package enum LogitStandardization {
  /// ε, which keeps equal logits finite.
  static let epsilon: Float = 1e-7

  /// Replaces logits z by u.
  ///
  /// - Returns: s.
  package static func replace(_ row: inout MutableSpan<Float>) -> Float {
    let count = Float(row.count)
    RowKernels.scale(&row, by: 1, adding: -RowKernels.sum(row) / count)
    let deviation = (RowKernels.dot(row, row.span) / count + epsilon).squareRoot()
    RowKernels.scale(&row, by: 1 / deviation)
    return deviation
  }

  /// Replaces the gradient g of a loss with respect to u by that with respect to z, which is
  /// `(g − mean(g) − u · mean(g · u)) / s`.
  ///
  /// - Parameters:
  ///   - gradient: g.
  ///   - standardized: u.
  ///   - deviation: s.
  package static func replaceBack(
    _ gradient: inout MutableSpan<Float>, standardized: Span<Float>, deviation: Float
  ) {
    let count = Float(gradient.count)
    let (mean, product) = (
      RowKernels.sum(gradient) / count, RowKernels.dot(gradient, standardized) / count
    )
    RowKernels.combine(
      &gradient, standardized, factor: 1 / deviation, otherFactor: -product / deviation)
    RowKernels.scale(&gradient, by: 1, adding: -mean / deviation)
  }
}
