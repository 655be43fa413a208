import LinearAlgebra
import TestSupport
import Testing

@Suite("Elementwise functions of matrices equal their definitions")
struct ElementwiseTests {
  // Seed 11; more elements than one thread takes at a time.
  private let matrix = Matrix.random(rows: 700, columns: 50, seed: 11)
  private let row = Matrix.random(rows: 1, columns: 50, seed: 12).values
  private let two = Workers(count: 2)

  private func expected(_ function: (Float, _ row: Int, _ column: Int) -> Float) -> [Float] {
    (0..<matrix.rows).flatMap { i in
      (0..<matrix.columns).map { function(matrix[i, $0], i, $0) }
    }
  }

  @Test func standardiseRows() {
    var result = matrix
    let factor = row.map { 1 + $0 * $0 }
    result.standardiseRows(mean: row, factor: factor, workers: two)
    #expect(result.values == expected { ($0 - row[$2]) * factor[$2] })
  }

  @Test func scaleAndAdd() {
    let other = Matrix.random(rows: 700, columns: 50, seed: 14)
    var result = matrix
    result.scale(by: 0.25, workers: two)
    result.add(other, workers: two)
    #expect(result.values == expected { $0 * 0.25 + other[$1, $2] })
  }

  @Test("rows can be fewer and more again; new ones are zero")
  func setRowCount() {
    var small = Matrix(rows: 2, columns: 2, values: [1, 2, 3, 4])
    small.setRowCount(1)
    #expect(small.values == [1, 2])
    small.setRowCount(2)
    #expect(small.values == [1, 2, 0, 0])
  }

  @Test("the largest column is the first of equal ones")
  func largestColumns() {
    let matrix = Matrix(rows: 3, columns: 3, values: [0, 2, 2, -1, -2, -3, 1, 1, 5])
    #expect(matrix.largestColumns() == [1, 0, 2])
  }
}
