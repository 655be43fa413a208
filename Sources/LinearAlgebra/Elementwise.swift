/// Elementwise kernels of a feed-forward network. Each has a naive twin in `TestSupport`.
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
    precondition(
      outputs.rows == rows && outputs.columns == columns, "maskByPositive: shapes differ")
    let columns = columns
    forEachRow(workers) { index, values in
      let output = outputs.row(index)
      for column in 0..<columns { values[column] = output[column] > 0 ? values[column] * scale : 0 }
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
    forEachRow(workers) { _, values in
      for column in values.indices { values[column] *= factor }
    }
  }

  /// Adds `other`, element by element.
  package mutating func add(_ other: Matrix, workers: Workers = .one) {
    precondition(other.rows == rows && other.columns == columns, "add: shapes differ")
    forEachRow(workers) { index, values in
      let row = other.row(index)
      for column in values.indices { values[column] += row[column] }
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
        workers.forEachPart(of: unsafe g.count, size: 1 << 15) { part in
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
