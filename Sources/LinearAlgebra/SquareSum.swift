import COpenBLAS

/// The sum of `xᵀ x` over rows x, in double precision.
package struct SquareSum: Sendable {
  /// The length of a row.
  package let size: Int
  /// The upper triangle, by rows.
  private var values: [Double]

  /// A sum over no rows, for rows of `size` values.
  package init(size: Int) {
    self.size = size
    precondition(
      size >= 0 && size <= Int(Int32.max), "SquareSum: \(size) columns are not from 0 to 2³¹ − 1")
    values = Array(repeating: 0, count: size * size)
  }

  /// Adds `xᵀ x` of each row.
  ///
  /// - Parameters:
  ///   - rows: a matrix with `size` columns.
  ///   - workers: threads that share the rows of the sum.
  package mutating func add(_ rows: Matrix, workers: Workers = .one) {
    precondition(rows.columns == size, "SquareSum: \(rows.columns) columns for \(size)")
    precondition(rows.rows <= Int(Int32.max), "SquareSum: \(rows.rows) rows are not below 2³¹")
    guard rows.rows > 0 else { return }
    let doubles = rows.values.map(Double.init)
    let (count, stride) = (Int32(rows.rows), Int32(size))
    let size = size
    unsafe doubles.withUnsafeBufferPointer { input in
      unsafe values.withUnsafeMutableBufferPointer { output in
        guard let source = input.baseAddress, let sum = output.baseAddress else {
          return
        }
        nonisolated(unsafe) let (own, result) = unsafe (source, sum)
        // Panels of rows starting at the diagonal, with bounds independent of the number of threads.
        workers.forEachPart(of: size, size: SquareSum.panel) { part in
          let first = part.lowerBound
          unsafe cblas_dgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, Int32(part.count), stride - Int32(first),
            count,
            1, own + first, stride, own + first, stride, 1, result + first * (size + 1), stride)
        }
      }
    }
  }

  /// The number of rows of the sum that one product computes.
  private static let panel = 256

  /// The sum of the products of two columns.
  package subscript(row: Int, column: Int) -> Double {
    values[min(row, column) * size + max(row, column)]
  }
}
