import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// A forward pass in double precision, written from the definition.
private func naiveLogits(_ network: FeedForwardNetwork, _ input: [[Double]]) -> [[Double]] {
  var values = input
  for (index, layer) in network.layers.enumerated() {
    values = Naive.product(values, Naive.transpose(layer.weights.doubles)).map { row in
      zip(row, layer.bias).map { sum, bias in
        let value = sum + Double(bias)
        return index == network.layers.count - 1 ? value : max(0, value)
      }
    }
  }
  return values
}

@Suite("Networks and their gradients")
struct GradientTests {
  // Seeds 31 to 33; biases are not zero, so that some units are off and some on.
  private let network: FeedForwardNetwork = {
    var network = FeedForwardNetwork(
      inputs: 5, hidden: HiddenShape(layers: 2, units: 7), classes: 4, seed: 31)
    for index in network.layers.indices {
      let count = network.layers[index].bias.count
      network.layers[index].bias =
        Matrix.random(rows: 1, columns: count, seed: 32 + UInt64(index), scale: 0.1).values
    }
    return network
  }()
  private let input = Matrix.random(rows: 6, columns: 5, seed: 33)
  private let labels: [Int32] = [0, 3, 1, 2, 2, 0]

  @Test("logits are those of the definition")
  func forward() {
    let found = network.logits(of: input).values
    let expected = naiveLogits(network, input.doubles).joined().map { $0 }
    #expect(mismatch(found, expected, absolute: 1e-5) == nil)
  }

  /// The mean hard loss of the batch, in double precision.
  private func loss(_ network: FeedForwardNetwork) -> Double {
    zip(naiveLogits(network, input.doubles), labels).reduce(0) { sum, frame in
      sum - log(Naive.softmax(frame.0)[Int(frame.1)])
    } / Double(labels.count)
  }

  @Test("every weight and bias of every layer: the slope of the loss")
  func backward() {
    var activations = Activations(of: network, frames: input.rows)
    var gradient = network.zeros
    network.forward(input, into: &activations)
    let labels = labels
    activations.logits.forEachRow { index, row in
      _ = CrossEntropy.hard(&row, label: labels[index], scale: 1 / Float(labels.count))
    }
    network.backward(input, activations: &activations, gradient: &gradient)
    for layer in network.layers.indices {
      let weights = network.layers[layer].weights
      for row in 0..<weights.rows {
        for column in 0..<weights.columns {
          let expected = slope(at: Double(weights[row, column]), step: 1e-3) { value in
            var changed = network
            changed.layers[layer].weights[row, column] = Float(value)
            return loss(changed)
          }
          #expect(
            mismatch(gradient.layers[layer].weights[row, column], expected, absolute: 2e-4) == nil)
        }
        let expected = slope(at: Double(network.layers[layer].bias[row]), step: 1e-3) { value in
          var changed = network
          changed.layers[layer].bias[row] = Float(value)
          return loss(changed)
        }
        #expect(mismatch(gradient.layers[layer].bias[row], expected, absolute: 2e-4) == nil)
      }
    }
  }

  @Test("with dropout the gradient is that of the network whose units were dropped")
  func dropout() {
    // Large biases keep every unit on the straight side of its rectifier, so that slopes are exact.
    var network = network
    for index in network.layers.indices.dropLast() {
      network.layers[index].bias = network.layers[index].bias.map { _ in 20 }
    }
    let dropout = Dropout(rate: 0.5, seed: 34, epoch: 1, batch: 0)
    var activations = Activations(of: network, frames: input.rows)
    var gradient = network.zeros
    let labels = labels
    func batchLoss(_ network: FeedForwardNetwork) -> Double {
      network.forward(input, into: &activations, dropout: dropout)
      return zip(activations.logits.doubles, labels).reduce(0) { sum, frame in
        sum - log(Naive.softmax(frame.0)[Int(frame.1)])
      } / Double(labels.count)
    }
    _ = batchLoss(network)
    activations.logits.forEachRow { index, row in
      _ = CrossEntropy.hard(&row, label: labels[index], scale: 1 / Float(labels.count))
    }
    network.backward(input, activations: &activations, gradient: &gradient, dropout: dropout)
    let found = gradient.layers[0].weights
    for row in 0..<found.rows {
      for column in 0..<found.columns {
        // Single precision: a step that is wide against its rounding.
        let expected = slope(at: Double(network.layers[0].weights[row, column]), step: 0.005) {
          var changed = network
          changed.layers[0].weights[row, column] = Float($0)
          return batchLoss(changed)
        }
        #expect(mismatch(found[row, column], expected, absolute: 2e-3) == nil)
      }
    }
  }

  @Test("a batch may be smaller than the one before, and threads do not change a bit")
  func batchSizes() {
    let large = Matrix.random(rows: 300, columns: 5, seed: 35)
    var activations = Activations(of: network, frames: 300)
    network.forward(large, into: &activations, workers: Workers(count: 2))
    let all = activations.logits
    network.forward(large, into: &activations, workers: .one)
    #expect(activations.logits == all)
    var small = large
    small.setRowCount(3)
    network.forward(small, into: &activations)
    var expected = all
    expected.setRowCount(3)
    #expect(mismatch(activations.logits.values, expected.values, absolute: 1e-6) == nil)
  }

  @Test("initial weights have variance 2 / inputs, biases are zero, and the seed decides")
  func initialisation() {
    func made(_ seed: UInt64) -> FeedForwardNetwork {
      FeedForwardNetwork(
        inputs: 400, hidden: HiddenShape(layers: 1, units: 200), classes: 10, seed: seed)
    }
    let weights = made(1).layers[0].weights.values.map(Double.init)
    let variance = weights.reduce(0) { $0 + $1 * $1 } / Double(weights.count)
    // Five standard deviations of the variance of 80,000 draws.
    #expect(mismatch(variance, 2.0 / 400, relative: 5 * (2.0 / 80_000).squareRoot()) == nil)
    #expect(made(1).layers.allSatisfy { $0.bias.allSatisfy { $0 == 0 } })
    #expect(made(1) == made(1))
    #expect(made(1) != made(2))
    #expect(made(1).parameterCount == 400 * 200 + 200 + 200 * 10 + 10)
  }
}
