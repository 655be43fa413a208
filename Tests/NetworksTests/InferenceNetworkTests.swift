import LinearAlgebra
import Networks
import TestSupport
import Testing

/// The logits of input that comes in pieces of so many rows.
private func logits(
  _ network: InferenceNetwork, _ input: Matrix, pieces: [Int], mostRows: Int = 240,
  workers: Workers = .one
) -> Matrix {
  var stream = NetworkStream(network, mostRows: mostRows, workers: workers)
  var logits = Matrix(rows: 0, columns: network.network.classes)
  var row = 0
  for count in pieces {
    stream.push(count, appendingTo: &logits) { [row] index, values in
      RowKernels.copy(input.row(row + index), into: &values)
    }
    row += count
  }
  return logits
}

/// The kernels whose products of bytes are exact on this processor.
let kernels = [ProductKernels.plain, .forBytes]

/// Steps for random networks with inputs around 1.
private func steps(of network: AcousticNetwork) -> [ByteSteps] {
  network.layers.enumerated().map { index, layer in
    layer.steps(input: index == 0 ? 3 / 127 : 5 / 255)
  }
}

/// The logits of an int8 network by their definition, with signed steps and integers that cannot overflow.
private func naive(_ network: AcousticNetwork, _ steps: [ByteSteps], _ input: Matrix) -> [[Float]] {
  var below = (0..<input.rows).map { row in (0..<input.columns).map { input[row, $0] } }
  for (index, (layer, steps)) in zip(network.layers, steps).enumerated() {
    let (offsets, inputs) = (
      index == 0 ? [0] : layer.offsets, index == 0 ? input.columns : layer.inputs
    )
    let range: ClosedRange<Float> = index == 0 ? -128...127 : 0...255
    let numbers = below.map { row in
      row.map { value in
        Int(
          max(
            range.lowerBound,
            min(range.upperBound, (value * (1 / steps.input)).rounded(.toNearestOrEven))))
      }
    }
    let span = (offsets.last ?? 0) - (offsets.first ?? 0)
    below = (0..<max(0, below.count - span)).map { time in
      (0..<layer.weights.rows).map { output in
        var sum = 0
        for (place, offset) in offsets.enumerated() {
          let row = numbers[time + offset - (offsets.first ?? 0)]
          for column in 0..<inputs {
            let weight = layer.weights[output, place * inputs + column] / steps.weights[output]
            sum += row[column] * Int(weight.rounded())
          }
        }
        let product = Float(sum) * (steps.weights[output] * steps.input)
        let value = product + layer.bias[output]
        return index == network.layers.count - 1 ? value : max(0, value)
      }
    }
  }
  return below
}

@Suite("Networks in reduced precision")
struct InferenceNetworkTests {
  static let shapes: [(features: Int, offsets: [[Int]], outputs: [Int])] = [
    (23, [[0]], [3]),
    (84, [[0], [0]], [51, 12]),
    (13, [[-2, 0, 1], [-5, 4], [-1, 0, 1]], [37, 48, 10]),
    (8, [[0], [-30, 0, 30], [2, 7]], [34, 33, 40]),
  ]

  @Test("int8 logits equal their definition to the bit, with every kernel", arguments: shapes)
  func definition(features: Int, offsets: [[Int]], outputs: [Int]) {
    let network = network(features: features, offsets: offsets, outputs: outputs, seed: 501)
    let steps = steps(of: network)
    let input = Matrix.random(rows: 83, columns: network.inputs, seed: 502)
    let expected = naive(network, steps, input)
    for kernels in NetworksTests.kernels {
      let own = InferenceNetwork(network, precision: .int8(steps), kernels: kernels)
      #expect(own.kernel.hasPrefix(kernels.rawValue))
      #expect(logits(own, input, pieces: [83]).values == Array(expected.joined()), "\(kernels)")
    }
  }

  @Test(
    "logits do not depend on the pieces or the threads, to the bit", arguments: shapes,
    kernels)
  func pieces(shape: (features: Int, offsets: [[Int]], outputs: [Int]), kernels: ProductKernels) {
    let seed: UInt64 = 511
    let network = network(
      features: shape.features, offsets: shape.offsets, outputs: shape.outputs, seed: seed)
    let input = Matrix.random(rows: 300, columns: network.inputs, seed: seed + 100)
    for precision in [NetworkPrecision.bfloat16, .int8(steps(of: network))] {
      let own = InferenceNetwork(network, precision: precision, kernels: kernels)
      let whole = logits(own, input, pieces: [300], mostRows: 1008)
      #expect(whole.rows == 300 - network.layers.dropFirst().reduce(0) { $0 + $1.span })
      let ones = Array(repeating: 1, count: 300)
      #expect(logits(own, input, pieces: ones) == whole, "\(precision.name) row by row")
      #expect(logits(own, input, pieces: [100, 200], workers: Workers(count: 3)) == whole)
      for (number, most) in [2, 7, 30, 60, 240].enumerated() {
        let random = NetworksTests.pieces(of: 300, most: most, seed: seed + UInt64(number))
        #expect(
          logits(own, input, pieces: random, mostRows: most) == whole,
          "\(precision.name), up to \(most) rows, seed \(seed + UInt64(number))")
      }
    }
  }

  @Test("bfloat16 logits equal those of rounded weights and inputs", arguments: shapes)
  func bfloat16(features: Int, offsets: [[Int]], outputs: [Int]) {
    let network = network(features: features, offsets: offsets, outputs: outputs, seed: 521)
    let input = Matrix.random(rows: 90, columns: network.inputs, seed: 522)
    let exact = network.logits(of: input)
    var found: [Matrix] = []
    let hasUnit = BFloat16Weights(Matrix(rows: 1, columns: 1)) != nil
    for kernels in [ProductKernels.plain, .oneDNN] {
      let own = InferenceNetwork(network, precision: .bfloat16, kernels: kernels)
      #expect(own.kernel.hasPrefix(kernels == .oneDNN && hasUnit ? "oneDNN" : "OpenBLAS"))
      let logits = logits(own, input, pieces: [90])
      // Three layers at most, each with errors of 2⁻⁹ of numbers around 1.
      #expect(mismatch(logits.values, exact.values, absolute: 0.06) == nil, "\(kernels)")
      #expect(logits != exact)
      found.append(logits)
    }
    // The order of sums differs, after which a value may round to the neighbouring bfloat16 number.
    #expect(mismatch(found[0].values, found[1].values, absolute: 0.02) == nil)
  }

  @Test("batch normalisation is folded before weights are rounded")
  func normalization() {
    var network = network(features: 9, offsets: [[0], [-1, 1]], outputs: [20, 5], seed: 531)
    var own = BatchNormalization(outputs: 20)
    for index in 0..<20 {
      own.scale[index] = 0.5 + Float(index) / 10
      own.variance[index] = 1 + Float(index)
      own.mean[index] = Float(index) / 7
    }
    network.layers[0].normalization = own
    let steps = steps(of: network.folded)
    #expect(
      InferenceNetwork(network, precision: .int8(steps))
        == InferenceNetwork(network.folded, precision: .int8(steps)))
  }

  @Test("rounded weights stay as they are when they are rounded again")
  func rounding() {
    var network = network(features: 30, offsets: [[0], [0]], outputs: [40, 7], seed: 541)
    network.layers[0].weights.withRow(3) { for column in $0.indices { $0[column] = 0 } }
    let steps = steps(of: network)
    for precision in [NetworkPrecision.bfloat16, .int8(steps)] {
      let once = network.rounded(to: precision)
      #expect(once != network && once.rounded(to: precision) == once)
    }
    let bytes = network.layers[0].bytes(steps[0])
    #expect(bytes.contains(127) || bytes.contains(-127))
    #expect(network.layers[0].with(bytes, steps[0]).bytes(steps[0]) == bytes)
    #expect(bytes[90..<120].allSatisfy { $0 == 0 })
  }

  @Test("the step that loses least is found", arguments: [127, 255])
  func leastLoss(count: Int) {
    // Seed 551: half of the values are around 1, and one is far out.
    var values = Matrix.random(rows: 1, columns: 100_000, seed: 551).values.map { max(0, $0) }
    values[5000] = 20
    var histogram = MagnitudeHistogram()
    histogram.add(values.span)
    func loss(_ step: Float) -> Double {
      values.reduce(0) { sum, value in
        let rounded = min(Float(count), (value / step).rounded()) * step
        return sum + Double((value - rounded) * (value - rounded))
      }
    }
    let found = loss(histogram.step(steps: count))
    let best = (1...100).reduce(Double.infinity) {
      min($0, loss(Float($1) / 100 * 25 / Float(count)))
    }
    #expect(found <= 1.03 * best, "lost \(found), the best step of 100 loses \(best)")
    #expect(found < 0.97 * loss(20 / Float(count)))
    #expect(MagnitudeHistogram().step(steps: count) == 1)
    var odd = MagnitudeHistogram()
    odd.add([0, .nan, -.infinity, -4].span)
    #expect(mismatch(odd.step(steps: count), 4 / Float(count), relative: 0.01) == nil)
  }
}
