import LinearAlgebra
import Networks
import TestSupport
import Testing

/// A network whose layers have as many outputs, with random weights and biases.
func network(
  features: Int, offsets: [[Int]], outputs: [Int], seed: UInt64
) -> AcousticNetwork {
  var inputs = features
  return AcousticNetwork(
    layers: zip(offsets, outputs).enumerated().map { index, shape in
      let (offsets, outputs) = shape
      let columns = offsets.count * inputs
      inputs = outputs
      return AffineLayer(
        weights: .random(
          rows: outputs, columns: columns, seed: seed + UInt64(index),
          scale: (2 / Double(columns)).squareRoot()),
        bias: Matrix.random(rows: 1, columns: outputs, seed: seed + 50 + UInt64(index)).values,
        offsets: offsets)
    })
}

/// The logits of input that comes in pieces of so many rows.
private func logits(
  _ network: AcousticNetwork, _ input: Matrix, pieces: [Int], mostRows: Int = 240,
  workers: Workers = .one
) -> Matrix {
  var stream = NetworkStream(network, mostRows: mostRows, workers: workers)
  var logits = Matrix(rows: 0, columns: network.classes)
  var row = 0
  for count in pieces {
    stream.push(count, appendingTo: &logits) { [row] index, values in
      RowKernels.copy(input.row(row + index), into: &values)
    }
    row += count
  }
  return logits
}

/// Pieces of random sizes from 0 to `most` that make up `total`.
func pieces(of total: Int, most: Int, seed: UInt64) -> [Int] {
  var generator = SeededGenerator(seed)
  var left = total
  var pieces: [Int] = []
  while left > 0 {
    pieces.append(min(left, generator.integer(below: most + 1)))
    left -= pieces[pieces.count - 1]
  }
  return pieces
}

@Suite("Networks whose input comes in pieces")
struct NetworkStreamTests {
  /// Layers that are as narrow and as wide as kernels of `sgemm` tell apart: at the borders of their tiles of columns,
  /// below and above the smallest product.
  static let shapes: [(features: Int, offsets: [[Int]], outputs: [Int])] = [
    (23, [[0]], [3]),
    (40, [[0], [0]], [65, 17]),
    (840, [[0], [0]], [512, 120]),
    (13, [[-2, 0, 1], [-5, 4], [-1, 0, 1]], [171, 48, 10]),
    (40, [[-2, -1, 0, 1, 2], [-3, 0, 3], [-3, 0, 3], [0]], [96, 272, 64, 25]),
    (8, [[0], [-30, 0, 30], [2, 7]], [34, 33, 40]),
  ]

  @Test("logits do not depend on the pieces, to the bit", arguments: shapes)
  func pieces(features: Int, offsets: [[Int]], outputs: [Int]) {
    let seed: UInt64 = 401
    let network = network(features: features, offsets: offsets, outputs: outputs, seed: seed)
    let input = Matrix.random(rows: 300, columns: network.inputs, seed: seed + 100)
    let whole = logits(network, input, pieces: [300], mostRows: 1008)
    #expect(whole.rows == 300 - network.layers.dropFirst().reduce(0) { $0 + $1.span })
    #expect(
      mismatch(whole.values, network.logits(of: input).values, absolute: 2e-5) == nil,
      "seed \(seed)")
    let ones = Array(repeating: 1, count: 300)
    #expect(logits(network, input, pieces: ones) == whole, "row by row, seed \(seed)")
    #expect(logits(network, input, pieces: [100, 200], workers: Workers(count: 2)) == whole)
    for (number, most) in [2, 7, 30, 60, 240].enumerated() {
      let random = NetworksTests.pieces(of: 300, most: most, seed: seed + UInt64(number))
      #expect(
        logits(network, input, pieces: random, mostRows: most) == whole,
        "up to \(most) rows, seed \(seed + UInt64(number))")
    }
  }

  @Test("logits do not depend on the rows before and behind, to the bit")
  func others() {
    let seed: UInt64 = 411
    let network = network(
      features: 40, offsets: [[0], [-3, 0, 3], [0]], outputs: [96, 64, 30], seed: seed)
    let input = Matrix.random(rows: 200, columns: 40, seed: seed + 100)
    var stream = NetworkStream(network, mostRows: 240, workers: .one)
    var logits = [Matrix(rows: 0, columns: 30), Matrix(rows: 0, columns: 30)]
    // Of the second run only some rows are as in the first; the others are not even finite.
    for index in 0..<2 {
      stream.begin()
      stream.push(200, appendingTo: &logits[index]) { row, values in
        RowKernels.copy(input.row(row), into: &values)
        if index == 1, row < 40 || row >= 100 { values[0] = row < 40 ? .nan : .infinity }
      }
    }
    #expect(logits[0].isFinite)
    for row in 40..<94 {
      #expect((0..<30).allSatisfy { logits[0][row, $0] == logits[1][row, $0] }, "row \(row)")
    }
  }

  @Test("memory is taken once")
  func memory() {
    let network = network(
      features: 4, offsets: [[0], [-1, 0, 1]], outputs: [6, 3], seed: 421)
    var stream = NetworkStream(network, mostRows: 24, workers: .one)
    let stored = stream.storedValues
    for _ in 0..<2000 {
      var logits = Matrix(rows: 0, columns: 3)
      stream.push(24, appendingTo: &logits) { _, values in values[0] = 1 }
      #expect(logits.rows >= 22)
    }
    #expect(stream.storedValues == stored)
  }
}
