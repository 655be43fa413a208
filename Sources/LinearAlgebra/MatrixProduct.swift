import COpenBLAS

/// How a matrix enters a product.
private enum Orientation {
  case asIs
  case transposed

  fileprivate var blas: CBLAS_TRANSPOSE { self == .asIs ? CblasNoTrans : CblasTrans }
}

/// A matrix as it enters a product: itself or its transpose.
package struct Operand {
  fileprivate let matrix: Matrix
  fileprivate let orientation: Orientation

  /// A matrix as it is.
  package static func asIs(_ matrix: Matrix) -> Operand {
    Operand(matrix: matrix, orientation: .asIs)
  }

  /// The transpose of a matrix, which is not formed.
  package static func transposed(_ matrix: Matrix) -> Operand {
    Operand(matrix: matrix, orientation: .transposed)
  }

  fileprivate var rows: Int { orientation == .asIs ? matrix.rows : matrix.columns }
  fileprivate var columns: Int { orientation == .asIs ? matrix.columns : matrix.rows }
}

extension Matrix {
  /// Replaces this matrix by `left · right`, by `sgemm` of OpenBLAS.
  ///
  /// The rows of the result are cut into parts of a fixed size that threads share; the sum over the
  /// inner dimension is never cut.
  ///
  /// - Parameters:
  ///   - left: `rows × k`.
  ///   - right: `k × columns`.
  ///   - workers: share the rows of the result.
  package mutating func setProduct(
    _ left: Operand, _ right: Operand, workers: Workers = .one
  ) {
    let (m, n, k) = (rows, columns, left.columns)
    precondition(
      left.rows == m && right.columns == n && right.rows == k,
      "setProduct: \(left.rows)×\(left.columns) by \(right.rows)×\(right.columns) is not \(m)×\(n)")
    guard m > 0, n > 0 else { return }
    guard k > 0 else {
      values = Array(repeating: 0, count: m * n)
      return
    }
    let leadingLeft = left.matrix.columns
    let leadingRight = right.matrix.columns
    let step = left.orientation == .asIs ? leadingLeft : 1
    let orientations = (left.orientation.blas, right.orientation.blas)
    unsafe values.withUnsafeMutableBufferPointer { result in
      unsafe left.matrix.values.withUnsafeBufferPointer { a in
        unsafe right.matrix.values.withUnsafeBufferPointer { b in
          guard let result = result.baseAddress, let a = a.baseAddress, let b = b.baseAddress
          else { return }
          nonisolated(unsafe) let pointers = unsafe (result: result, a: a, b: b)
          workers.forEachPart(of: m, size: productPartSize(rows: m)) { part in
            unsafe cblas_sgemm(
              CblasRowMajor, orientations.0, orientations.1,
              blasint(part.count), blasint(n), blasint(k), 1,
              pointers.a + part.lowerBound * step, blasint(leadingLeft),
              pointers.b, blasint(leadingRight), 0,
              pointers.result + part.lowerBound * n, blasint(n))
          }
        }
      }
    }
  }
}

/// How many rows of a product one call of `sgemm` computes, by the number of rows alone.
///
/// The parts are even in number, so that two threads finish together, and of at least 128 rows where
/// there are several, which keeps `sgemm` at its speed.
private func productPartSize(rows: Int) -> Int {
  let parts = max(1, rows / 128 & ~1)
  return (rows + parts - 1) / parts
}
