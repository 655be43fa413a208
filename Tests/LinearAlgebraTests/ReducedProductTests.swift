import LinearAlgebra
import TestSupport
import Testing

/// The kernels whose products are exact on this processor.
private let kernels = [ProductKernels.plain, .forBytes]

@Suite("Products in 8 bits and bfloat16")
struct ReducedProductTests {
  /// Rows, inputs and outputs: some that no vector fits, one that fits all, and some of a real layer.
  static let shapes = [
    (8, 1, 1), (8, 3, 5), (16, 37, 19), (64, 64, 64), (72, 130, 33), (136, 840, 120),
  ]

  /// Signed bytes with both ends of their range.
  private func weights(_ count: Int, seed: UInt64) -> [Int8] {
    var generator = SeededGenerator(seed)
    return Array([Int8.min, Int8.max].prefix(count))
      + (0..<max(0, count - 2)).map { _ in Int8(generator.integer(below: 256) - 128) }
  }

  /// Values that round to whole numbers from 0 to 255, and some beyond.
  private func input(rows: Int, columns: Int, seed: UInt64) -> Matrix {
    var generator = SeededGenerator(seed)
    return Matrix(
      rows: rows, columns: columns,
      values: (0..<rows * columns).map { _ in Float(generator.uniform() * 300 - 20) })
  }

  /// `x · inverse + zero`, rounded to the nearest byte, ties to even.
  private func naiveByte(_ x: Float, inverse: Float, zero: Int) -> Int {
    x.isNaN
      ? 0
      : Int(max(-Float(zero), min(Float(255 - zero), x * inverse)).rounded(.toNearestOrEven)) + zero
  }

  /// What products give for a tile in the middle of a matrix.
  private func outputs(
    _ input: Matrix, _ weights: ByteWeights, inverse: Float, zero: Int32,
    _ dequantization: ReducedRows.Dequantization, isRectified: Bool = false
  ) -> Matrix {
    let (rows, columns) = (input.rows, input.columns)
    let scratch = ReducedRows(inputBytes: rows * columns, sums: rows * weights.outputs)
    let shared = SharedMatrix(input)
    // In two pieces, as of two frames.
    let half = columns / 2
    scratch.quantize(
      shared.tile(columns: 0..<half), at: 0, of: columns, inverse: inverse, zero: zero)
    scratch.quantize(
      shared.tile(columns: half..<columns), at: half, of: columns, inverse: inverse, zero: zero)
    scratch.multiply(rows: rows, by: weights)
    let result = SharedMatrix(rows: rows, columns: weights.outputs + 3)
    let tile = result.tile(columns: 2..<weights.outputs + 2)
    if isRectified {
      scratch.dequantizeAndRectify(dequantization, into: tile)
    } else {
      scratch.dequantize(dequantization, into: tile)
    }
    let found = result.matrix
    for row in 0..<rows {
      #expect(found[row, 0] == 0 && found[row, 1] == 0 && found[row, weights.outputs + 2] == 0)
    }
    return Matrix(
      rows: rows, columns: weights.outputs,
      values: (0..<rows).flatMap { row in (0..<weights.outputs).map { found[row, 2 + $0] } })
  }

  @Test(
    "equal the definition to the bit, with every kernel", arguments: shapes, kernels
  )
  func bytes(_ shape: (Int, Int, Int), kernels: ProductKernels) {
    let (rows, inputs, count) = shape
    // Seeds 21 to 25.
    let weights = weights(inputs * count, seed: 21)
    let input = input(rows: rows, columns: inputs, seed: 22)
    let own = ByteWeights(weights, outputs: count, inputs: inputs, kernels: kernels)
    #expect(own.kernel.hasPrefix(kernels.rawValue))
    var generator = SeededGenerator(23)
    let zeroSums = (0..<count).map { _ in Int32(generator.integer(below: 2000) - 1000) }
    let scale = Matrix.random(rows: 1, columns: count, seed: 24).values
    let bias = Matrix.random(rows: 1, columns: count, seed: 25, scale: 1000).values
    let rule = ReducedRows.Dequantization(zeroSums: zeroSums, scale: scale, bias: bias)
    for (inverse, zero) in [(Float(1), 0), (0.37, 128)] {
      let plain = outputs(input, own, inverse: inverse, zero: Int32(zero), rule)
      let rectified = outputs(
        input, own, inverse: inverse, zero: Int32(zero), rule, isRectified: true)
      for row in 0..<rows {
        let bytes = (0..<inputs).map { naiveByte(input[row, $0], inverse: inverse, zero: zero) }
        for output in 0..<count {
          let sum = (0..<inputs).reduce(0) { $0 + bytes[$1] * Int(weights[output * inputs + $1]) }
          let product = Float(sum - Int(zeroSums[output])) * scale[output]
          let expected = product + bias[output]
          #expect(plain[row, output] == expected, "row \(row), output \(output)")
          #expect(rectified[row, output] == max(0, expected), "row \(row), output \(output)")
        }
      }
    }
  }

  @Test("the largest sums do not overflow", arguments: kernels)
  func largest(kernels: ProductKernels) {
    let inputs = ByteWeights.mostInputs
    let own = ByteWeights(
      Array(repeating: -128, count: inputs) + Array(repeating: 127, count: inputs), outputs: 2,
      inputs: inputs, kernels: kernels)
    let input = Matrix(rows: 8, columns: inputs, values: Array(repeating: 999, count: 8 * inputs))
    let rule = ReducedRows.Dequantization(zeroSums: [0, 0], scale: [1, 1], bias: [0, 0])
    let found = outputs(input, own, inverse: 1, zero: 0, rule)
    #expect(found[7, 0] == Float(-255 * 128 * inputs) && found[7, 1] == Float(255 * 127 * inputs))
  }

  @Test("ties round to even, values beyond the ends become the ends, NaN becomes 0")
  func rounding() {
    let values: [Float] = [
      0.5, 1.5, 2.5, -0.5, 254.5, 255.5, -1, 1e30, -.infinity, .infinity, .nan,
    ]
    let identity = (0..<values.count).flatMap { row in
      (0..<values.count).map { Int8(row == $0 ? 1 : 0) }
    }
    let own = ByteWeights(identity, outputs: values.count, inputs: values.count)
    let rule = ReducedRows.Dequantization(
      zeroSums: Array(repeating: 0, count: values.count),
      scale: Array(repeating: 1, count: values.count),
      bias: Array(repeating: 0, count: values.count))
    let rows = Matrix(
      rows: 8, columns: values.count, values: Array(repeatElement(values, count: 8).joined()))
    #expect(
      outputs(rows, own, inverse: 1, zero: 0, rule).rows([0]).values
        == [0, 2, 2, 0, 254, 255, 0, 255, 0, 255, 0])
    #expect(
      outputs(rows, own, inverse: 1, zero: 128, rule).rows([0]).values
        == [128, 130, 130, 128, 255, 255, 127, 255, 0, 255, 0])
  }

  @Test("many threads share weights")
  func threads() {
    let weights = weights(100 * 40, seed: 31)
    let own = ByteWeights(weights, outputs: 40, inputs: 100)
    let input = input(rows: 64, columns: 100, seed: 32)
    let rule = ReducedRows.Dequantization(
      zeroSums: Array(repeating: 0, count: 40), scale: Array(repeating: 1, count: 40),
      bias: Array(repeating: 0, count: 40))
    let alone = outputs(input, own, inverse: 1, zero: 0, rule)
    let found = Workers(count: 4).map(40) { _ in outputs(input, own, inverse: 1, zero: 0, rule) }
    #expect(found.allSatisfy { $0 == alone })
  }

  @Test("bfloat16 is the nearest number with 16 bits, ties to even")
  func bfloat16() {
    // 1 + 2⁻⁸ lies between 1 and 1 + 2⁻⁷, 1 + 3 · 2⁻⁸ between 1 + 2⁻⁷ and 1 + 2⁻⁶.
    let values: [Float] = [
      1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1p-8 + 0x1p-20, -1 - 0x1p-8, 0x1p-149, -0.0,
      .greatestFiniteMagnitude, .infinity, .nan, Float(bitPattern: 0x7F80_0001),
    ]
    let shared = SharedMatrix(Matrix(rows: 1, columns: values.count, values: values))
    shared.tile.roundToBFloat16()
    let found = shared.values
    #expect(found[..<8] == [1, 1 + 0x1p-6, 1 + 0x1p-7, -1, 0, 0, .infinity, .infinity])
    #expect(found[8].isNaN && found[9].isNaN && found[5].sign == .minus)
    let random = Matrix.random(rows: 7, columns: 37, seed: 33)
    let rounded = Matrix(rows: 7, columns: 37, bfloat16: random.bfloat16)
    #expect(mismatch(rounded.values, random.values, relative: 0x1p-8) == nil)
    #expect(rounded.values.allSatisfy { $0.bitPattern & 0xFFFF == 0 })
    #expect(rounded.bfloat16 == random.bfloat16)
  }

  @Test(
    "bfloat16 products by oneDNN equal the definition",
    .enabled(if: BFloat16Weights(Matrix(rows: 1, columns: 1)) != nil, "oneDNN needs AVX-512"),
    arguments: [(3, 5), (37, 19), (840, 120)])
  func bfloat16Products(_ inputs: Int, _ outputs: Int) throws {
    // Seeds 41 and 42.
    let input = Matrix.random(rows: 32, columns: inputs, seed: 41)
    let weights = Matrix.random(rows: outputs, columns: inputs, seed: 42)
    let own = try #require(BFloat16Weights(weights))
    #expect(own.kernel.hasPrefix("oneDNN"))
    let scratch = ReducedRows(inputBytes: 64 * inputs, sums: 32 * outputs)
    scratch.round(SharedMatrix(input).tile, at: 0, of: inputs)
    let result = SharedMatrix(rows: 32, columns: outputs)
    scratch.multiply(by: own, into: result.tile)
    func rounded(_ matrix: Matrix) -> [[Double]] {
      Matrix(rows: matrix.rows, columns: matrix.columns, bfloat16: matrix.bfloat16).doubles
    }
    let expected = Naive.product(rounded(input), Naive.transpose(rounded(weights)))
    // Products are exact; each sum of k products around 1 is rounded k times.
    let bound = Double(inputs + 1) * 1.2e-7 * 8
    #expect(
      mismatch(result.matrix.values.map(Double.init), Array(expected.joined()), absolute: bound)
        == nil)
  }
}
