import LinearAlgebra
import TestSupport
import Testing

@Suite("Elementwise kernels equal their definitions")
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

  @Test func addToRows() {
    var result = matrix
    result.addToRows(row, workers: two)
    #expect(result.values == expected { value, _, column in value + row[column] })
  }

  @Test func addToRowsAndRectify() {
    var result = matrix
    result.addToRowsAndRectify(row, workers: two)
    #expect(result.values == expected { value, _, column in max(0, value + row[column]) })
  }

  @Test func maskByPositive() {
    let outputs = Matrix.random(rows: 700, columns: 50, seed: 13)
    var result = matrix
    result.maskByPositive(outputs, scale: 2, workers: two)
    #expect(result.values == expected { outputs[$1, $2] > 0 ? $0 * 2 : 0 })
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

  @Test func columnSums() {
    let exact = (0..<50).map { column in
      (0..<700).reduce(0.0) { $0 + Double(matrix[$1, column]) }
    }
    // 700 additions of numbers around 1, whose sum stays below 100.
    #expect(mismatch(matrix.columnSums(), exact, absolute: 700 * 100 * 6e-8) == nil)
  }

  @Test("the momentum step follows its formula, on two threads too")
  func momentumStep() {
    let gradient = Matrix.random(rows: 700, columns: 50, seed: 15)
    var parameters = matrix
    var velocity = Matrix.random(rows: 700, columns: 50, seed: 16)
    let before = velocity
    parameters.takeMomentumStep(
      velocity: &velocity, gradient: gradient, rate: 0.5, momentum: 0.75, workers: two)
    let step = zip(before.values, gradient.values).map { 0.75 * $0 - 0.5 * $1 }
    #expect(mismatch(velocity.values, step, absolute: 1e-6) == nil)
    #expect(
      mismatch(parameters.values, zip(matrix.values, step).map { $0 + $1 }, absolute: 1e-6) == nil)
  }

  @Test("dropping keeps the asked share, scales what it keeps, and does not depend on threads")
  func dropAtRandom() {
    var ones = Matrix(rows: 500, columns: 403, values: Array(repeating: 1, count: 500 * 403))
    var same = ones
    // Seed 17; a quarter is dropped.
    ones.dropAtRandom(threshold: 16384, scale: 4.0 / 3, key: [17], workers: .one)
    same.dropAtRandom(threshold: 16384, scale: 4.0 / 3, key: [17], workers: two)
    #expect(ones == same)
    #expect(Set(ones.values) == [0, 4.0 / 3])
    let share = Double(ones.values.count { $0 == 0 }) / Double(ones.values.count)
    // Five standard deviations of the share of 201,500 draws.
    #expect(mismatch(share, 0.25, absolute: 5 * (0.25 * 0.75 / 201_500).squareRoot()) == nil)
    #expect(ones.doubles[0] != ones.doubles[1])
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
