import CMatrixKernels

/// Vectorised functions of one row of numbers.
package enum RowKernels {
  /// The largest value; NaN if any value is NaN.
  package static func maximum(_ row: borrowing MutableSpan<Float>) -> Float {
    precondition(!row.isEmpty, "maximum: no values")
    return unsafe row.withUnsafeBufferPointer { row in
      guard let base = row.baseAddress else { return -.infinity }
      return unsafe matrix_maximum(base, Int64(row.count))
    }
  }

  /// Replaces each value x by `exp((x − shift) · factor)`.
  ///
  /// The exponential is within 2 ulps from −87 to 88, zero below and infinite above.
  ///
  /// - Returns: the sum of the results, accumulated in sixteen partial sums.
  package static func replaceByExponentials(
    _ row: inout MutableSpan<Float>, shift: Float, factor: Float
  ) -> Float {
    unsafe row.withUnsafeMutableBufferPointer { row in
      guard let base = row.baseAddress else { return 0 }
      return unsafe matrix_exponentials(base, Int64(row.count), shift, factor)
    }
  }

  /// The sum of all values.
  package static func sum(_ row: borrowing MutableSpan<Float>) -> Float {
    unsafe row.withUnsafeBufferPointer { row in
      guard let base = row.baseAddress else { return 0 }
      return unsafe matrix_sum(base, Int64(row.count))
    }
  }

  /// The sum of all values.
  package static func sum(_ row: Span<Float>) -> Float {
    unsafe row.withUnsafeBufferPointer { row in
      guard let base = row.baseAddress else { return 0 }
      return unsafe matrix_sum(base, Int64(row.count))
    }
  }

  /// The sum of the products of two rows of the same length.
  package static func dot(_ row: borrowing MutableSpan<Float>, _ other: Span<Float>) -> Float {
    precondition(row.count == other.count, "dot: \(row.count) values with \(other.count)")
    return unsafe row.withUnsafeBufferPointer { row in
      unsafe other.withUnsafeBufferPointer { other in
        guard let a = row.baseAddress, let b = other.baseAddress else { return 0 }
        return unsafe matrix_dot(a, b, Int64(row.count))
      }
    }
  }

  /// Multiplies each value by `factor` and adds `added`.
  package static func scale(
    _ row: inout MutableSpan<Float>, by factor: Float, adding added: Float = 0
  ) {
    unsafe row.withUnsafeMutableBufferPointer { row in
      guard let base = row.baseAddress else { return }
      unsafe matrix_scale(base, Int64(row.count), factor, added)
    }
  }

  /// `row ← factor · row + otherFactor · other`.
  package static func combine(
    _ row: inout MutableSpan<Float>, _ other: Span<Float>, factor: Float, otherFactor: Float
  ) {
    precondition(row.count == other.count, "combine: \(row.count) values with \(other.count)")
    unsafe row.withUnsafeMutableBufferPointer { row in
      unsafe other.withUnsafeBufferPointer { other in
        guard let a = row.baseAddress, let b = other.baseAddress else { return }
        unsafe matrix_combine(a, b, Int64(row.count), factor, otherFactor)
      }
    }
  }

  /// `row ← (row − mean) · scale`, value by value.
  package static func standardise(
    _ row: inout MutableSpan<Float>, mean: Span<Float>, scale: Span<Float>
  ) {
    let count = row.count
    precondition(
      mean.count == count && scale.count == count,
      "standardise: \(mean.count) means and \(scale.count) scales for \(count) values")
    unsafe row.withUnsafeMutableBufferPointer { row in
      unsafe mean.withUnsafeBufferPointer { mean in
        unsafe scale.withUnsafeBufferPointer { scale in
          guard let row = row.baseAddress, let mean = mean.baseAddress,
            let scale = scale.baseAddress
          else { return }
          unsafe matrix_standardise(row, mean, scale, Int64(count))
        }
      }
    }
  }

  /// Copies values to a row, starting at a column.
  package static func copy(
    _ values: Span<Float>, into row: inout MutableSpan<Float>, at place: Int = 0
  ) {
    precondition(
      place >= 0 && place + values.count <= row.count,
      "copy: \(values.count) values to \(place) of \(row.count)")
    unsafe row.withUnsafeMutableBufferPointer { row in
      unsafe values.withUnsafeBufferPointer { values in
        guard let row = row.baseAddress, let base = values.baseAddress else { return }
        unsafe (row + place).update(from: base, count: values.count)
      }
    }
  }
}
