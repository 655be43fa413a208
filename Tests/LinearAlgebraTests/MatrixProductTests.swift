import LinearAlgebra
import TestSupport
import Testing

@Suite("Products of matrices")
struct MatrixProductTests {
  /// Shapes below, at and above the number of rows that one call computes.
  static let shapes = [(1, 1, 1), (3, 5, 2), (127, 9, 33), (128, 16, 8), (300, 40, 17)]

  @Test("equal the definition in all four orientations", arguments: shapes)
  func equalsNaive(_ m: Int, _ n: Int, _ k: Int) {
    // Seeds 1 and 2.
    let a = Matrix.random(rows: m, columns: k, seed: 1)
    let b = Matrix.random(rows: k, columns: n, seed: 2)
    let expected = Naive.product(a.doubles, b.doubles).joined().map { $0 }
    // The error of a sum of k products of numbers around 1 is below k units in the last place.
    let bound = Double(k) * 1.2e-7 * 8
    for left in [Operand.asIs(a), .transposed(transposed(a))] {
      for right in [Operand.asIs(b), .transposed(transposed(b))] {
        var result = Matrix(rows: m, columns: n)
        result.setProduct(left, right)
        #expect(mismatch(result.values, expected, absolute: bound) == nil)
      }
    }
  }

  @Test("are the same to the bit on one thread and on two")
  func sameOnTwoThreads() {
    let a = Matrix.random(rows: 300, columns: 70, seed: 3)
    let b = Matrix.random(rows: 70, columns: 50, seed: 4)
    var one = Matrix(rows: 300, columns: 50)
    var two = one
    one.setProduct(.asIs(a), .asIs(b), workers: .one)
    two.setProduct(.asIs(a), .asIs(b), workers: Workers(count: 2))
    #expect(one == two)
  }

  @Test("are zero over an inner dimension of none")
  func edges() {
    var result = Matrix(rows: 1, columns: 2, values: [5, 5])
    result.setProduct(
      .asIs(Matrix(rows: 1, columns: 0)), .asIs(Matrix(rows: 0, columns: 2)))
    #expect(result.values == [0, 0])
  }

  private func transposed(_ matrix: Matrix) -> Matrix {
    Matrix(
      rows: matrix.columns, columns: matrix.rows,
      values: Naive.transpose(matrix.doubles).joined().map { Float($0) })
  }
}
