import Foundation
import LinearAlgebra
import TestSupport
import Testing

@Suite("Products of tiles")
struct TileProductTests {
  static let shapes = [(1, 1, 1), (3, 5, 2), (127, 9, 33), (128, 16, 8), (300, 40, 17)]

  @Test(
    "equal the definition in all four forms, in part of a matrix, added or not", arguments: shapes)
  func equalsNaive(_ m: Int, _ n: Int, _ k: Int) {
    // Seeds 1 to 3.
    let a = Matrix.random(rows: m, columns: k, seed: 1)
    let b = Matrix.random(rows: k, columns: n, seed: 2)
    let before = Matrix.random(rows: m + 2, columns: n + 3, seed: 3)
    let product = Naive.product(a.doubles, b.doubles)
    // The error of a sum of k products of numbers around 1 is below k units in the last place.
    let bound = Double(k + 1) * 1.2e-7 * 8
    for left in [Tile.Form.asIs, .transposed] {
      for right in [Tile.Form.asIs, .transposed] {
        for start in [Tile.Start.replacing, .adding] {
          let result = SharedMatrix(before)
          result.tile(rows: 1..<m + 1, columns: 2..<n + 2).setProduct(
            form(a, left).tile, left, form(b, right).tile, right, start)
          let found = result.matrix
          for row in 0..<m + 2 {
            for column in 0..<n + 3 {
              let isInside = (1..<m + 1).contains(row) && (2..<n + 2).contains(column)
              let old = Double(before[row, column])
              let expected =
                isInside
                ? product[row - 1][column - 2] + (start == .adding ? old : 0) : old
              #expect(mismatch(found[row, column], expected, absolute: bound) == nil)
            }
          }
        }
      }
    }
  }

  @Test("are zero over an inner dimension of none, or leave what was there")
  func edges() {
    let result = SharedMatrix(Matrix(rows: 1, columns: 2, values: [5, 5]))
    let (left, right) = (SharedMatrix(rows: 1, columns: 0), SharedMatrix(rows: 0, columns: 2))
    result.tile.setProduct(left.tile, .asIs, right.tile, .asIs, .adding)
    #expect(result.values == [5, 5])
    result.tile.setProduct(left.tile, .asIs, right.tile)
    #expect(result.values == [0, 0])
  }

  private func form(_ matrix: Matrix, _ form: Tile.Form) -> SharedMatrix {
    guard form == .transposed else { return SharedMatrix(matrix) }
    return SharedMatrix(
      Matrix(
        rows: matrix.columns, columns: matrix.rows,
        values: Naive.transpose(matrix.doubles).joined().map { Float($0) }))
  }
}

@Suite("Kernels of tiles and rows equal their definitions")
struct TileKernelTests {
  // Seeds 11 to 16; a tile of 37 columns, which no vector fits, at column 5 of 50.
  private let matrix = Matrix.random(rows: 19, columns: 50, seed: 11)
  private let other = Matrix.random(rows: 19, columns: 50, seed: 13)
  private let row = Matrix.random(rows: 1, columns: 37, seed: 12).values
  private let columns = 5..<42

  /// What a kernel leaves of the matrix: the tile by `expected`, the rest as it was.
  private func check(
    _ kernel: (Tile) -> Void, absolute: Double = 0,
    _ expected: (_ value: Float, _ row: Int, _ column: Int) -> Float,
    location: SourceLocation = #_sourceLocation
  ) {
    let shared = SharedMatrix(matrix)
    kernel(shared.tile(columns: columns))
    let found = shared.matrix
    for i in 0..<matrix.rows {
      for j in 0..<matrix.columns {
        let value = matrix[i, j]
        let wanted = columns.contains(j) ? expected(value, i, j - 5) : value
        let problem = mismatch(found[i, j], wanted, absolute: absolute)
        #expect(problem == nil, "row \(i), column \(j)", sourceLocation: location)
      }
    }
  }

  @Test func biases() {
    let bias = SharedMatrix(row)
    check({ $0.add(bias: bias.tile) }) { value, _, column in value + row[column] }
    check({ $0.addAndRectify(bias: bias.tile) }) { value, _, column in max(0, value + row[column]) }
  }

  @Test func masks() {
    let outputs = SharedMatrix(other)
    check({ $0.mask(byPositive: outputs.tile(columns: columns), scale: 2) }) {
      other[$1, $2 + 5] > 0 ? $0 * 2 : 0
    }
  }

  @Test("what is not a number stays so through the rectifier")
  func notANumber() {
    let tile = SharedMatrix(Matrix(rows: 1, columns: 3, values: [.nan, -1, 2]))
    tile.tile.addAndRectify(bias: SharedMatrix([0, 0, 0]).tile)
    #expect(tile.values[0].isNaN && tile.values[1...] == [0, 2])
  }

  @Test func columnSumsAndSquares() {
    let sums = SharedMatrix(rows: 1, columns: 37)
    let tile = SharedMatrix(matrix).tile(columns: columns)
    tile.writeColumnSums(to: sums.tile)
    let exact = columns.map { column in
      (0..<19).reduce(0.0) { $0 + Double(matrix[$1, column]) }
    }
    #expect(mismatch(sums.values, exact, absolute: 19 * 20 * 6e-8) == nil)
    let squares = (0..<19).reduce(0.0) { sum, i in
      sum + columns.reduce(0.0) { $0 + Double(matrix[i, $1]) * Double(matrix[i, $1]) }
    }
    #expect(mismatch(tile.sumOfSquares, squares, relative: 1e-5) == nil)
  }

  @Test("batch normalisation and its way back: definition and slopes")
  func normalization() {
    let scale = row.map { 1 + $0 * $0 }
    let shift = Matrix.random(rows: 1, columns: 37, seed: 14).values
    let normalised = SharedMatrix(rows: 19, columns: 50)
    let (mean, inverse) = (SharedMatrix(rows: 1, columns: 37), SharedMatrix(rows: 1, columns: 37))
    /// The outputs of a column, in double precision.
    func naive(_ values: [Double], _ scale: Double, _ shift: Double) -> [Double] {
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      return values.map { scale * ($0 - mean) / (variance + 1e-5).squareRoot() + shift }
    }
    let outputs = columns.map { column in
      naive(
        (0..<19).map { Double(matrix[$0, column]) }, Double(scale[column - 5]),
        Double(shift[column - 5]))
    }
    check(
      {
        $0.normalizeAndRectify(
          keeping: normalised.tile(columns: columns), scale: SharedMatrix(scale).tile,
          shift: SharedMatrix(shift).tile, epsilon: 1e-5, mean: mean.tile, inverse: inverse.tile)
      }, absolute: 1e-5
    ) { Float(max(0, outputs[$2][$1])) }
    // The gradient of Σ g · y for each input, scale and shift, of some columns.
    let gradient = SharedMatrix(other)
    let scaleGradient = SharedMatrix(rows: 1, columns: 37)
    let shiftGradient = SharedMatrix(rows: 1, columns: 37)
    gradient.tile(columns: columns).normalizeBack(
      normalised.tile(columns: columns), scale: SharedMatrix(scale).tile, inverse: inverse.tile,
      scaleGradient: scaleGradient.tile, shiftGradient: shiftGradient.tile)
    for column in [0, 20, 36] {
      let values = (0..<19).map { Double(matrix[$0, column + 5]) }
      func loss(_ values: [Double], _ scale: Double, _ shift: Double) -> Double {
        zip(naive(values, scale, shift), 0..<19).reduce(0) {
          $0 + $1.0 * Double(other[$1.1, column + 5])
        }
      }
      let (a, b) = (Double(scale[column]), Double(shift[column]))
      for i in 0..<19 {
        let slope = slope(at: values[i], step: 1e-4) { value in
          var changed = values
          changed[i] = value
          return loss(changed, a, b)
        }
        #expect(mismatch(gradient.matrix[i, column + 5], slope, absolute: 1e-4) == nil)
      }
      #expect(
        mismatch(
          scaleGradient.values[column], slope(at: a, step: 1e-4) { loss(values, $0, b) },
          absolute: 1e-4) == nil)
      #expect(
        mismatch(
          shiftGradient.values[column], slope(at: b, step: 1e-4) { loss(values, a, $0) },
          absolute: 1e-4) == nil)
    }
  }

  @Test("dropping keeps the asked share, scales what it keeps, and does not depend on the tiles")
  func dropAtRandom() {
    let ones = Matrix(rows: 500, columns: 403, values: Array(repeating: 1, count: 500 * 403))
    let (whole, parts) = (SharedMatrix(ones), SharedMatrix(ones))
    // Seed 17; a quarter is dropped.
    whole.tile.dropAtRandom(threshold: 16384, scale: 4.0 / 3, key: [17], firstColumn: 0)
    for columns in [0..<64, 64..<100, 100..<403] {
      parts.tile(columns: columns).dropAtRandom(
        threshold: 16384, scale: 4.0 / 3, key: [17], firstColumn: columns.lowerBound)
    }
    #expect(whole.matrix == parts.matrix)
    #expect(Set(whole.values) == [0, 4.0 / 3])
    let share = Double(whole.values.count { $0 == 0 }) / Double(whole.values.count)
    // Five standard deviations of the share of 201,500 draws.
    #expect(mismatch(share, 0.25, absolute: 5 * (0.25 * 0.75 / 201_500).squareRoot()) == nil)
    #expect(whole.matrix.doubles[0] != whole.matrix.doubles[1])
  }

  @Test(
    "the momentum step follows its formula, with decay, with Nesterov", arguments: [false, true])
  func momentumStep(isNesterov: Bool) {
    let gradient = SharedMatrix(other)
    let before = Matrix.random(rows: 19, columns: 50, seed: 16)
    let velocity = SharedMatrix(before)
    func step(_ p: Float, _ v: Float, _ g: Float) -> Float { 0.75 * v - 0.5 * (g + 0.01 * p) }
    check(
      {
        $0.takeMomentumStep(
          velocity: velocity.tile(columns: columns), gradient: gradient.tile(columns: columns),
          rate: 0.5, momentum: 0.75, decay: 0.01, isNesterov: isNesterov)
      }, absolute: 1e-6
    ) { value, i, j in
      let own = step(value, before[i, j + 5], other[i, j + 5])
      return isNesterov
        ? value + 0.75 * own - 0.5 * (other[i, j + 5] + 0.01 * value) : value + own
    }
    #expect(
      mismatch(
        velocity.matrix[3, 7], step(matrix[3, 7], before[3, 7], other[3, 7]), absolute: 1e-6) == nil
    )
  }

  @Test(
    "three steps of Adam and of AdamW follow their algorithms", arguments: [0.0, 0.1], [0.0, 0.1])
  func adamStep(decay: Double, decoupled: Double) {
    let values = SharedMatrix(matrix)
    let (first, second) = (SharedMatrix(rows: 19, columns: 50), SharedMatrix(rows: 19, columns: 50))
    let gradients = (0..<3).map { Matrix.random(rows: 19, columns: 50, seed: 21 + UInt64($0)) }
    for (number, gradient) in gradients.enumerated() {
      values.tile.takeAdamStep(
        first: first.tile, second: second.tile, gradient: SharedMatrix(gradient).tile,
        AdamConstants(
          step: number + 1, rate: 0.02, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: decay,
          decoupledDecay: decoupled))
    }
    for (i, j) in [(0, 0), (7, 31), (18, 49)] {
      var (p, m, v) = (Double(matrix[i, j]), 0.0, 0.0)
      for (number, gradient) in gradients.enumerated() {
        let g = Double(gradient[i, j]) + decay * p
        p -= 0.02 * decoupled * p
        m = 0.9 * m + 0.1 * g
        v = 0.99 * v + 0.01 * g * g
        let t = Double(number + 1)
        p -= 0.02 * (m / (1 - pow(0.9, t))) / ((v / (1 - pow(0.99, t))).squareRoot() + 1e-8)
      }
      #expect(mismatch(values.matrix[i, j], p, absolute: 2e-6) == nil)
    }
  }
}

@Suite("Functions of one row")
struct RowKernelTests {
  private func row<Result>(
    _ values: [Float], _ body: (inout MutableSpan<Float>) -> Result
  ) -> (values: [Float], result: Result) {
    let matrix = SharedMatrix(values)
    let result = matrix.withRow(0) { body(&$0) }
    return (matrix.values, result)
  }

  @Test("exponentials are within 2 ulps over their whole range, and zero or infinite beyond it")
  func exponentials() {
    // Every 1/512 from -87 to 88.
    let values = (0...175 * 512).map { -87 + Float($0) / 512 }
    let found = row(values) { RowKernels.replaceByExponentials(&$0, shift: 0, factor: 1) }
    var worst = 0.0
    for (value, power) in zip(values, found.values) {
      let exact = exp(Double(value))
      worst = max(worst, abs(Double(power) - exact) / Double(Float(exact).ulp))
    }
    #expect(worst <= 2, "\(worst) ulps")
    let edges = row([-88, -1000, -.infinity, 89, .infinity, .nan]) {
      RowKernels.replaceByExponentials(&$0, shift: 0, factor: 1)
    }.values
    #expect(edges.prefix(5) == [0, 0, 0, .infinity, .infinity] && edges[5].isNaN)
  }

  @Test(
    "shift and factor come first; the sum is that of the results", arguments: [1, 15, 16, 37, 120])
  func shifted(count: Int) {
    // Seed 18.
    let values = Matrix.random(rows: 1, columns: count, seed: 18, scale: 3).values
    let found = row(values) { RowKernels.replaceByExponentials(&$0, shift: 1.5, factor: 0.5) }
    let exact = values.map { exp((Double($0) - 1.5) * 0.5) }
    #expect(mismatch(found.values, exact, relative: 1e-6) == nil)
    #expect(mismatch(found.result, exact.reduce(0, +), relative: 1e-6) == nil)
  }

  @Test("the maximum, wherever it is, and not a number where one is", arguments: [1, 16, 17, 40])
  func maximum(count: Int) {
    for place in 0..<count {
      var values = [Float](repeating: -3, count: count)
      values[place] = -1
      #expect(row(values) { RowKernels.maximum($0) }.result == -1)
      values[place] = .nan
      #expect(row(values) { RowKernels.maximum($0) }.result.isNaN)
    }
  }

  @Test("sums, products and combinations", arguments: [1, 16, 37])
  func sums(count: Int) {
    // Seeds 19 and 20.
    let a = Matrix.random(rows: 1, columns: count, seed: 19).values
    let b = Matrix.random(rows: 1, columns: count, seed: 20).values
    let bound = Double(count) * 1e-6
    #expect(
      mismatch(row(a) { RowKernels.sum($0) }.result, a.reduce(0, +), absolute: bound) == nil)
    #expect(
      mismatch(
        row(a) { RowKernels.dot($0, b.span) }.result, zip(a, b).reduce(0) { $0 + $1.0 * $1.1 },
        absolute: bound) == nil)
    #expect(
      mismatch(
        row(a) { RowKernels.combine(&$0, b.span, factor: 2, otherFactor: -3) }.values,
        zip(a, b).map { 2 * $0 - 3 * $1 }, absolute: 1e-6) == nil)
    #expect(
      mismatch(
        row(a) { RowKernels.scale(&$0, by: 2, adding: -3) }.values, a.map { 2 * $0 - 3 },
        absolute: 1e-6) == nil)
    #expect(
      row(a) { RowKernels.standardise(&$0, mean: b.span, scale: a.span) }.values
        == zip(a, b).map { ($0 - $1) * $0 })
  }
}
