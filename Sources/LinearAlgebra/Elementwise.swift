/// Elementwise functions of matrices; `ElementwiseTests` checks each against its definition.
extension Matrix {
  /// Subtracts `mean` from each row and multiplies by `factor`, column by column.
  package mutating func standardiseRows(
    mean: [Float], factor: [Float], workers: Workers = .one
  ) {
    precondition(
      mean.count == columns && factor.count == columns,
      "standardiseRows: \(mean.count) means for \(columns) columns")
    let columns = columns
    forEachRow(workers) { _, values in
      for column in 0..<columns {
        values[column] = (values[column] - mean[column]) * factor[column]
      }
    }
  }

  /// Multiplies every value by `factor`.
  package mutating func scale(by factor: Float, workers: Workers = .one) {
    updateEach(with: self, workers) { value, _ in value * factor }
  }

  /// Adds `other`, element by element.
  package mutating func add(_ other: Matrix, workers: Workers = .one) {
    updateEach(with: other, workers) { $0 + $1 }
  }

  /// Replaces each value by a function of itself and of the value at the same place of `other`.
  ///
  /// Inlined, so that the loop is specialised for its function.
  @inline(__always)
  private mutating func updateEach(
    with other: Matrix, _ workers: Workers, _ function: @Sendable (Float, Float) -> Float
  ) {
    precondition(
      other.rows == rows && other.columns == columns,
      "Matrix: \(rows)×\(columns) with \(other.rows)×\(other.columns)")
    unsafe values.withUnsafeMutableBufferPointer { values in
      unsafe other.values.withUnsafeBufferPointer { others in
        nonisolated(unsafe) let (own, other) = unsafe (values, others)
        let count = unsafe own.count
        workers.forElements(count).forEachPart(of: count, size: elementsAPart) { part in
          for index in part { unsafe own[index] = function(own[index], other[index]) }
        }
      }
    }
  }
}

/// The number of elements that a thread processes at a time.
private let elementsAPart = 1 << 15
