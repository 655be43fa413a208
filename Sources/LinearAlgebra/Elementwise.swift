/// Elementwise kernels of a feed-forward network; `ElementwiseTests` holds each to its definition.
extension Matrix {
  /// Adds `row` to each row.
  package mutating func addToRows(_ row: [Float], workers: Workers = .one) {
    precondition(row.count == columns, "addToRows: \(row.count) values for \(columns) columns")
    let columns = columns
    forEachRow(workers) { _, values in
      for column in 0..<columns { values[column] += row[column] }
    }
  }

  /// Adds `row` to each row and replaces negative values by zero: `max(0, x + row)`.
  package mutating func addToRowsAndRectify(_ row: [Float], workers: Workers = .one) {
    precondition(row.count == columns, "addToRows: \(row.count) values for \(columns) columns")
    let columns = columns
    forEachRow(workers) { _, values in
      for column in 0..<columns { values[column] = max(0, values[column] + row[column]) }
    }
  }

  /// Multiplies each value by `scale` where `outputs` is positive and sets it to zero elsewhere:
  /// the gradient of a rectifier whose output was scaled, from its output alone.
  package mutating func maskByPositive(
    _ outputs: Matrix, scale: Float = 1, workers: Workers = .one
  ) {
    updateEach(with: outputs, workers) { $1 > 0 ? $0 * scale : 0 }
  }

  /// Sets values to zero at random and multiplies the others by `scale`.
  ///
  /// - Parameters:
  ///   - threshold: how many of 65,536 values are set to zero, on average.
  ///   - scale: what the others are multiplied by.
  ///   - key: of the random numbers; the index of the row is added to it, so that the result does
  ///     not depend on who computes it.
  ///   - workers: share the rows.
  package mutating func dropAtRandom(
    threshold: UInt64, scale: Float, key: [UInt64], workers: Workers = .one
  ) {
    forEachRow(workers) { index, row in
      var generator = SeededGenerator(key + [UInt64(index)])
      let limit = SIMD4(repeating: UInt32(threshold))
      unsafe row.withUnsafeMutableBufferPointer { row in
        for start in stride(from: 0, to: row.count, by: 4) {
          // One random word decides on four values, 16 bits each.
          let bits = generator.next()
          let low = UInt32(truncatingIfNeeded: bits)
          let high = UInt32(truncatingIfNeeded: bits >> 32)
          let draws = SIMD4(low & 0xFFFF, low >> 16, high & 0xFFFF, high >> 16)
          let factors = SIMD4<Float>(repeating: scale).replacing(with: 0, where: draws .< limit)
          if start + 4 <= row.count {
            unsafe row[start] *= factors[0]
            unsafe row[start + 1] *= factors[1]
            unsafe row[start + 2] *= factors[2]
            unsafe row[start + 3] *= factors[3]
          } else {
            for index in start..<row.count { unsafe row[index] *= factors[index - start] }
          }
        }
      }
    }
  }

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
  /// Inlined, so that the loop is compiled for its function.
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

  /// The sum over the rows of each column, from the first row to the last.
  package func columnSums() -> [Float] {
    var sums = [Float](repeating: 0, count: columns)
    for index in 0..<rows {
      let row = row(index)
      for column in 0..<columns { sums[column] += row[column] }
    }
    return sums
  }
}

/// Elements that one thread takes at a time.
private let elementsAPart = 1 << 15

/// One step of gradient descent with momentum, in place:
/// `velocity ← momentum · velocity − rate · gradient`, `parameters ← parameters + velocity`.
///
/// All three arrays have the same length.
package func takeMomentumStep(
  parameters: inout [Float], velocity: inout [Float], gradient: [Float],
  rate: Float, momentum: Float, workers: Workers = .one
) {
  precondition(
    parameters.count == gradient.count && velocity.count == gradient.count,
    "takeMomentumStep: \(parameters.count), \(velocity.count) and \(gradient.count) values")
  unsafe parameters.withUnsafeMutableBufferPointer { parameters in
    unsafe velocity.withUnsafeMutableBufferPointer { velocity in
      unsafe gradient.withUnsafeBufferPointer { gradient in
        nonisolated(unsafe) let (p, v, g) = unsafe (parameters, velocity, gradient)
        let count = unsafe g.count
        workers.forElements(count).forEachPart(of: count, size: elementsAPart) { part in
          for index in part {
            let step = unsafe momentum * v[index] - rate * g[index]
            unsafe v[index] = step
            unsafe p[index] += step
          }
        }
      }
    }
  }
}

extension Matrix {
  /// One step of gradient descent with momentum, as `takeMomentumStep` does it.
  package mutating func takeMomentumStep(
    velocity: inout Matrix, gradient: Matrix, rate: Float, momentum: Float, workers: Workers = .one
  ) {
    LinearAlgebra.takeMomentumStep(
      parameters: &values, velocity: &velocity.values, gradient: gradient.values,
      rate: rate, momentum: momentum, workers: workers)
  }
}
