import COpenBLAS

/// The sum of `xᵀ x` over rows x, in double precision.
package struct SquareSum: Sendable {
  /// The length of a row.
  package let size: Int
  /// The upper triangle, by rows.
  private var values: [Double]

  package init(size: Int) {
    self.size = size
    values = Array(repeating: 0, count: size * size)
  }

  /// Adds `xᵀ x` of each row.
  ///
  /// - Parameter rows: of `size` columns.
  package mutating func add(_ rows: Matrix) {
    precondition(rows.columns == size, "SquareSum: \(rows.columns) columns for \(size)")
    guard rows.rows > 0 else { return }
    _ = Workers.one
    let doubles = rows.values.map(Double.init)
    let (count, stride) = (Int32(rows.rows), Int32(size))
    unsafe doubles.withUnsafeBufferPointer { input in
      unsafe values.withUnsafeMutableBufferPointer { output in
        unsafe cblas_dsyrk(
          CblasRowMajor, CblasUpper, CblasTrans, stride, count, 1, input.baseAddress, stride, 1,
          output.baseAddress, stride)
      }
    }
  }

  /// Adds another sum of as many columns.
  package mutating func add(_ other: SquareSum) {
    precondition(other.size == size, "SquareSum: \(other.size) columns for \(size)")
    for index in values.indices { values[index] += other.values[index] }
  }

  /// The sum of the products of two columns.
  package subscript(row: Int, column: Int) -> Double {
    values[min(row, column) * size + max(row, column)]
  }
}
