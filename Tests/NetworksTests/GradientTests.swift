import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// A network in double precision, written from the definition.
private struct NaiveNetwork {
  struct Layer {
    var weights: [[Double]]
    var bias: [Double]
    let offsets: [Int]
    /// γ and β of a batch normalisation.
    var scale: [Double]?
    var shift: [Double]
  }

  var layers: [Layer]

  init(_ network: AcousticNetwork) {
    layers = network.layers.map { layer in
      Layer(
        weights: layer.weights.doubles, bias: layer.bias.map(Double.init), offsets: layer.offsets,
        scale: layer.normalization?.scale.map(Double.init),
        shift: layer.normalization?.shift.map(Double.init) ?? [])
    }
  }

  /// The logits of runs of frames.
  ///
  /// - Parameter runs: run, time, feature: of each run all frames that the first layer sees.
  /// - Returns: run, time, class.
  func logits(_ runs: [[[Double]]]) -> [[[Double]]] {
    var values = runs
    for (index, layer) in layers.enumerated() {
      let (low, high) = (layer.offsets[0], layer.offsets[layer.offsets.count - 1])
      values = values.map { run in
        (0..<run.count - (high - low)).map { time in
          let seen = layer.offsets.flatMap { run[time + $0 - low] }
          return zip(layer.weights, layer.bias).map { weights, bias in
            zip(weights, seen).reduce(bias) { $0 + $1.0 * $1.1 }
          }
        }
      }
      if let scale = layer.scale { values = normalized(values, scale, layer.shift) }
      if index < layers.count - 1 {
        values = values.map { $0.map { $0.map { max(0, $0) } } }
      }
    }
    return values
  }

  private func normalized(
    _ values: [[[Double]]], _ scale: [Double], _ shift: [Double]
  ) -> [[[Double]]] {
    let rows = values.joined()
    let count = Double(rows.count)
    let means = scale.indices.map { unit in rows.reduce(0) { $0 + $1[unit] } / count }
    let deviations = scale.indices.map { unit in
      (rows.reduce(0) { $0 + ($1[unit] - means[unit]) * ($1[unit] - means[unit]) } / count + 1e-5)
        .squareRoot()
    }
    return values.map { run in
      run.map { row in
        scale.indices.map { unit in
          scale[unit] * (row[unit] - means[unit]) / deviations[unit] + shift[unit]
        }
      }
    }
  }
}

@Suite("Networks and their gradients")
struct GradientTests {
  /// The kinds of networks, by name.
  static let kinds: [String: HiddenShape] = [
    "feed-forward": HiddenShape(layers: 2, units: 7),
    "time-delay": HiddenShape(
      layers: 3, units: 6, timeOffsets: [[-1, 0, 1], [-2, 0, 1], [0, 3]]),
    "time-delay, normalised": HiddenShape(
      layers: 2, units: 6, timeOffsets: [[0, 1], [-1, 1]], batchNormalization: true),
    "feed-forward, normalised": HiddenShape(layers: 2, units: 7, batchNormalization: true),
  ]
  private let runs = 3
  private let times = 4

  /// Seeds 31 and 32; biases, scales and shifts are not those of the start.
  private func network(_ kind: String) throws -> AcousticNetwork {
    var network = AcousticNetwork(
      features: 5, context: -1...1, hidden: try #require(GradientTests.kinds[kind]), classes: 4,
      seed: 31)
    var generator = SeededGenerator(32)
    func values(_ count: Int, _ centre: Double) -> [Float] {
      (0..<count).map { _ in Float(centre + 0.2 * generator.normal()) }
    }
    for index in network.layers.indices {
      let count = network.layers[index].bias.count
      network.layers[index].bias = values(count, 0)
      guard network.layers[index].normalization != nil else { continue }
      network.layers[index].normalization?.scale = values(count, 1)
      network.layers[index].normalization?.shift = values(count, 0)
    }
    return network
  }

  /// Frames of each run with all that the network sees: run, time, feature.
  ///
  /// Seed 33.
  private func frames(_ network: AcousticNetwork) -> [[[Double]]] {
    let count = times + network.context.upperBound - network.context.lowerBound
    return (0..<runs).map { run in
      Matrix.random(rows: count, columns: 5, seed: 33 + UInt64(run)).doubles
    }
  }

  /// The rows that the first layer takes, by time first.
  private func input(_ frames: [[[Double]]], _ network: AcousticNetwork) -> SharedMatrix {
    let offsets = network.layers[0].offsets
    let rows = times + network.contextAboveInput.upperBound - network.contextAboveInput.lowerBound
    let input = SharedMatrix(rows: rows * runs, columns: network.inputs)
    input.set(
      (0..<rows).flatMap { time in
        (0..<runs).flatMap { run in
          offsets.flatMap { frames[run][time + $0 - offsets[0]].map { Float($0) } }
        }
      })
    return input
  }

  private let labels: [Int32] = [0, 3, 1, 2, 2, 0, 1, 1, 3, 0, 2, 3]

  /// The mean hard loss of the batch, in double precision.
  private func loss(_ network: NaiveNetwork, _ frames: [[[Double]]]) -> Double {
    let logits = network.logits(frames)
    return (0..<times * runs).reduce(0) { sum, row in
      sum - log(Naive.softmax(logits[row % runs][row / runs])[Int(labels[row])])
    } / Double(times * runs)
  }

  /// A step that keeps the gradient and moves nothing.
  private func gradient(
    _ network: AcousticNetwork, dropout: Dropout = .none, workers: Workers = .one,
    loss: @Sendable (_ row: Int, _ logits: inout MutableSpan<Float>) -> Void
  ) -> (network: TrainableNetwork, squaredNorm: Double) {
    let trainable = TrainableNetwork(network, moments: 0, gradient: .kept, workers: workers)
    var step = TrainableNetwork.Step(input: input(frames(network), network), chunks: runs)
    step.dropout = dropout
    let norm = trainable.take(step, loss: loss, update: { _ in })
    return (trainable, norm)
  }

  @Test("logits are those of the definition", arguments: kinds.keys.sorted())
  func forward(kind: String) throws {
    let network = try network(kind)
    let expected = NaiveNetwork(network).logits(frames(network))
    let rows = SharedMatrix(rows: times * runs, columns: 4)
    _ = gradient(network) { row, logits in
      rows.withRow(row) { own in for index in 0..<4 { own[index] = logits[index] } }
    }
    for row in 0..<times * runs {
      #expect(
        mismatch(
          rows.matrix.doubles[row], expected[row % runs][row / runs], absolute: 2e-5) == nil)
    }
    // As it is used: with the moving statistics, which here are made the batch's.
    guard network.layers[0].normalization == nil else { return }
    let used = network.logits(of: input(frames(network), network), chunks: runs)
    #expect(mismatch(used.values, rows.values, absolute: 1e-6) == nil)
  }

  @Test("every parameter of every layer: the slope of the loss", arguments: kinds.keys.sorted())
  func backward(kind: String) throws {
    let network = try network(kind)
    let frames = frames(network)
    let (labels, count) = (labels, times * runs)
    let found = gradient(network) { row, logits in
      _ = CrossEntropy.hard(&logits, label: labels[row], scale: 1 / Float(count))
    }
    let parameters = Dictionary(
      uniqueKeysWithValues: found.network.parameters.map { ($0.name, $0.gradient.matrix) })
    let naive = NaiveNetwork(network)
    func slope(_ path: WritableKeyPath<NaiveNetwork, Double>) -> Double {
      TestSupport.slope(at: naive[keyPath: path], step: 1e-5) { value in
        var changed = naive
        changed[keyPath: path] = value
        return loss(changed, frames)
      }
    }
    var squares = 0.0
    for (index, layer) in network.layers.enumerated() {
      let weights = try #require(parameters["layers.\(index).weight"])
      let bias = try #require(parameters["layers.\(index).bias"])
      for row in 0..<layer.weights.rows {
        for column in 0..<layer.weights.columns {
          let expected = slope(\.layers[index].weights[row][column])
          squares += expected * expected
          #expect(mismatch(weights[row, column], expected, absolute: 2e-5) == nil)
        }
        let expected = slope(\.layers[index].bias[row])
        squares += expected * expected
        #expect(mismatch(bias[0, row], expected, absolute: 2e-5) == nil)
        guard naive.layers[index].scale != nil else { continue }
        let scale = slope(\.layers[index].scale![row])
        let shift = slope(\.layers[index].shift[row])
        squares += scale * scale + shift * shift
        let own = try #require(parameters["layers.\(index).scale"])
        #expect(mismatch(own[0, row], scale, absolute: 2e-5) == nil)
        let other = try #require(parameters["layers.\(index).shift"])
        #expect(mismatch(other[0, row], shift, absolute: 2e-5) == nil)
      }
    }
    #expect(mismatch(found.squaredNorm, squares, relative: 1e-3) == nil)
  }

  @Test("with dropout, the slope of the loss with the same units dropped, on one thread and on two")
  func dropout() throws {
    let network = AcousticNetwork(
      features: 5, context: -1...1, hidden: HiddenShape(layers: 2, units: 20), classes: 4, seed: 34)
    let (labels, count) = (labels, times * runs)
    let dropout = Dropout(rate: 0.5, seed: 35, epoch: 1, batch: 2)
    func step(
      _ network: AcousticNetwork, _ workers: Workers = .one
    ) -> (network: TrainableNetwork, loss: Double) {
      let logits = SharedMatrix(rows: count, columns: 4)
      let found = gradient(network, dropout: dropout, workers: workers) { row, own in
        logits.withRow(row) { kept in for index in 0..<4 { kept[index] = own[index] } }
        _ = CrossEntropy.hard(&own, label: labels[row], scale: 1 / Float(count))
      }
      let loss = (0..<count).reduce(0.0) { sum, row in
        sum - log(Naive.softmax(logits.matrix.doubles[row])[Int(labels[row])])
      }
      return (found.network, loss / Double(count))
    }
    let found = step(network).network
    for (one, two) in zip(found.parameters, step(network, Workers(count: 2)).network.parameters) {
      #expect(one.gradient.values == two.gradient.values, "\(one.name)")
    }
    // Single precision knows a loss near 1.4 to 1e-7: the slope to 1e-4.
    for layer in network.layers.indices {
      let gradient = found.parameters[2 * layer].gradient.matrix
      for (row, column) in [(0, 0), (1, 7), (3, 14), (2, 3)] {
        let expected = slope(at: Double(network.layers[layer].weights[row, column]), step: 1e-3) {
          var changed = network
          changed.layers[layer].weights[row, column] = Float($0)
          return step(changed).loss
        }
        #expect(mismatch(gradient[row, column], expected, absolute: 1e-3) == nil)
      }
    }
  }

  @Test(
    "a step is the same to the bit on one thread and on two, and whether the gradient is kept",
    arguments: kinds.keys.sorted())
  func sameBits(kind: String) throws {
    let network = try network(kind)
    let (labels, count) = (labels, times * runs)
    func moved(_ use: TrainableNetwork.GradientUse, _ workers: Workers) -> AcousticNetwork {
      let trainable = TrainableNetwork(network, moments: 1, gradient: use, workers: workers)
      let step = TrainableNetwork.Step(input: input(frames(network), network), chunks: runs)
      let update: @Sendable (TrainableNetwork.Update) -> Void = { part in
        part.values.takeMomentumStep(
          velocity: part.moments[0], gradient: part.gradient, rate: 0.1, momentum: 0.9, decay: 0,
          isNesterov: false)
      }
      for _ in 0..<3 {
        _ = trainable.take(
          step,
          loss: { row, logits in
            _ = CrossEntropy.hard(&logits, label: labels[row], scale: 1 / Float(count))
          }, update: update)
        if use == .kept { trainable.applyKeptGradient(scaledBy: 1, update: update) }
      }
      return trainable.network
    }
    let first = moved(.immediate, .one)
    #expect(first != network)
    #expect(first == moved(.immediate, Workers(count: 2)))
    #expect(first == moved(.kept, .one))
    #expect(first == moved(.kept, Workers(count: 2)))
  }

  @Test("a network with its normalisations folded gives the logits of one with them")
  func folded() throws {
    let network = try network("feed-forward, normalised")
    // Statistics of their own, seed 36.
    var own = network
    for index in own.layers.indices where own.layers[index].normalization != nil {
      let count = own.layers[index].bias.count
      own.layers[index].normalization?.mean =
        Matrix.random(rows: 1, columns: count, seed: 36).values
      own.layers[index].normalization?.variance =
        Matrix.random(rows: 1, columns: count, seed: 37).values.map { 0.5 + $0 * $0 }
    }
    let input = Matrix.random(rows: 6, columns: network.inputs, seed: 38)
    var values = input.doubles
    for (index, layer) in own.layers.enumerated() {
      values = values.map { row in
        (0..<layer.bias.count).map { unit in
          var sum = Double(layer.bias[unit])
          for column in row.indices { sum += Double(layer.weights[unit, column]) * row[column] }
          if let own = layer.normalization {
            sum =
              Double(own.scale[unit]) * (sum - Double(own.mean[unit]))
              / (Double(own.variance[unit]) + 1e-5).squareRoot() + Double(own.shift[unit])
          }
          return index < network.layers.count - 1 ? max(0, sum) : sum
        }
      }
    }
    #expect(mismatch(own.logits(of: input).values, Array(values.joined()), absolute: 2e-5) == nil)
    #expect(own.folded.layers.allSatisfy { $0.normalization == nil })
    #expect(mismatch(own.folded.logits(of: input).values, own.logits(of: input).values) == nil)
  }

  @Test("moving statistics go a tenth of the way to each batch's, the variance unbiased")
  func movingStatistics() throws {
    let network = try network("feed-forward, normalised")
    let found = gradient(network) { _, logits in RowKernels.scale(&logits, by: 0) }
    let layer = network.layers[0]
    let rows = input(frames(network), network).matrix.doubles
    let sums = rows.map { row in
      zip(layer.weights.doubles[2], row).reduce(Double(layer.bias[2])) { $0 + $1.0 * $1.1 }
    }
    let mean = sums.reduce(0, +) / 12
    let variance = sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 11
    let statistics = Dictionary(
      uniqueKeysWithValues: found.network.statistics.map { ($0.name, $0.values.values) })
    #expect(mismatch(statistics["layers.0.mean"]?[2] ?? 0, 0.1 * mean, absolute: 1e-6) == nil)
    #expect(
      mismatch(
        statistics["layers.0.variance"]?[2] ?? 0, 0.9 + 0.1 * variance, absolute: 1e-5) == nil)
  }

  @Test("moving statistics stay as they are after a batch of one row")
  func oneRow() throws {
    let network = try network("feed-forward, normalised")
    let trainable = TrainableNetwork(network, moments: 0, gradient: .kept, workers: .one)
    let input = SharedMatrix(Matrix.random(rows: 1, columns: network.inputs, seed: 39))
    _ = trainable.take(
      TrainableNetwork.Step(input: input, chunks: 1),
      loss: { _, logits in RowKernels.scale(&logits, by: 0) }, update: { _ in })
    #expect(trainable.network == network)
  }

  @Test("rows of weights above the largest norm are scaled down to it, others are left")
  func maxNorm() throws {
    let network = try network("feed-forward")
    let trainable = TrainableNetwork(network, moments: 0, workers: Workers(count: 2))
    trainable.limitNorms(to: 1.2)
    for (before, after) in zip(network.layers, trainable.network.layers) {
      for row in 0..<before.weights.rows {
        let norm = before.weights.doubles[row].reduce(0) { $0 + $1 * $1 }.squareRoot()
        let found = after.weights.doubles[row].reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(mismatch(found, min(norm, 1.2), absolute: 1e-5) == nil)
        if norm <= 1.2 { #expect(after.weights.doubles[row] == before.weights.doubles[row]) }
      }
    }
  }

  @Test("initial weights have the variance of the layer's columns, and depend on the seed")
  func initialization() {
    func network(_ seed: UInt64) -> AcousticNetwork {
      AcousticNetwork(
        features: 40, context: -5...5, hidden: HiddenShape(layers: 1, units: 200), classes: 10,
        seed: seed)
    }
    let weights = network(1).layers[0].weights.values.map(Double.init)
    let variance = weights.reduce(0) { $0 + $1 * $1 } / Double(weights.count)
    // Five standard deviations of the variance of 88,000 normal numbers.
    #expect(mismatch(variance, 2.0 / 440, relative: 5 * (2.0 / 88000).squareRoot()) == nil)
    #expect(network(1) == network(1))
    #expect(network(1) != network(2))
    #expect(network(1).layers.allSatisfy { $0.bias.allSatisfy { $0 == 0 } })
  }

  @Test("context and shapes follow from the layers' offsets")
  func shapes() throws {
    let network = try network("time-delay")
    #expect(network.context == -3...5)
    #expect(network.contextAboveInput == -2...4)
    #expect(network.inputs == 15 && network.features == 5 && network.classes == 4)
    #expect(network.parameterCount == (15 + 1) * 6 + (18 + 1) * 6 + (12 + 1) * 6 + 7 * 4)
  }
}
