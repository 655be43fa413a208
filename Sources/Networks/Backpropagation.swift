package import LinearAlgebra

/// What a network computes for one batch: scratch that is made once and used for every batch.
package struct Activations: Sendable {
  /// The output of each layer, after the rectifier and dropout where the layer has them.
  fileprivate(set) var outputs: [Matrix]
  /// The gradient of the loss with respect to each layer's affine output but the last, whose
  /// gradient replaces the logits.
  fileprivate var deltas: [Matrix]

  /// Scratch for a network.
  ///
  /// - Parameters:
  ///   - network: whose outputs it will hold.
  ///   - frames: the number of frames in a batch.
  package init(of network: FeedForwardNetwork, frames: Int) {
    outputs = network.layers.map { Matrix(rows: frames, columns: $0.weights.rows) }
    deltas = outputs.dropLast()
  }

  /// The logits, `frames × classes`, which the loss replaces by its gradient.
  package var logits: Matrix {
    get { outputs[outputs.count - 1] }
    _modify { yield &outputs[outputs.count - 1] }
  }

  fileprivate mutating func setFrameCount(_ count: Int) {
    for index in outputs.indices { outputs[index].setRowCount(count) }
    for index in deltas.indices { deltas[index].setRowCount(count) }
  }
}

/// Sets hidden units to zero at random while training and scales the others up to make up for it
/// (Srivastava et al., 2014).
package struct Dropout: Sendable {
  /// The probability that a unit is dropped, in [0, 1), to the nearest 1/65536.
  let rate: Double
  private let seed: UInt64
  private let epoch: UInt64
  private let batch: UInt64

  package init(rate: Double, seed: UInt64, epoch: Int, batch: Int) {
    precondition((0..<1).contains(rate), "Dropout: \(rate) is not in [0, 1)")
    (self.rate, self.seed) = (rate, seed)
    (self.epoch, self.batch) = (UInt64(epoch), UInt64(batch))
  }

  /// No unit is dropped.
  package static let none = Dropout(rate: 0, seed: 0, epoch: 0, batch: 0)

  /// What the kept units are multiplied by.
  var scale: Float { Float(1 / (1 - rate)) }

  /// Drops and scales the values of one layer.
  func apply(to outputs: inout Matrix, layer: Int, workers: Workers) {
    guard rate > 0 else { return }
    outputs.dropAtRandom(
      threshold: UInt64((rate * 65536).rounded()), scale: scale,
      key: [seed, RandomStream.dropout.rawValue, epoch, batch, UInt64(layer)], workers: workers)
  }
}

extension FeedForwardNetwork {
  /// Computes the outputs of all layers for a batch.
  ///
  /// - Parameters:
  ///   - input: `frames × inputs`; the frames may be any number, also another than the last time.
  ///   - activations: overwritten.
  ///   - dropout: applied to each hidden layer's output.
  ///   - workers: share the frames.
  package func forward(
    _ input: Matrix, into activations: inout Activations, dropout: Dropout = .none,
    workers: Workers = .one
  ) {
    activations.setFrameCount(input.rows)
    for (index, layer) in layers.enumerated() {
      let below = index == 0 ? input : activations.outputs[index - 1]
      activations.outputs[index].setProduct(
        .asIs(below), .transposed(layer.weights), workers: workers)
      if index == layers.count - 1 {
        activations.outputs[index].addToRows(layer.bias, workers: workers)
      } else {
        activations.outputs[index].addToRowsAndRectify(layer.bias, workers: workers)
        dropout.apply(to: &activations.outputs[index], layer: index, workers: workers)
      }
    }
  }

  /// Computes the gradient of the loss with respect to all weights and biases.
  ///
  /// - Parameters:
  ///   - input: that of the forward pass.
  ///   - activations: those of the forward pass, whose logits have been replaced by the gradient of
  ///     the loss with respect to them.
  ///   - gradient: of this network's shape, overwritten.
  ///   - dropout: that of the forward pass.
  ///   - workers: share the rows of each product.
  package func backward(
    _ input: Matrix, activations: inout Activations, gradient: inout FeedForwardNetwork,
    dropout: Dropout = .none, workers: Workers = .one
  ) {
    for index in layers.indices.reversed() {
      let isLast = index == layers.count - 1
      let delta = isLast ? activations.logits : activations.deltas[index]
      let below = index == 0 ? input : activations.outputs[index - 1]
      gradient.layers[index].weights.setProduct(
        .transposed(delta), .asIs(below), workers: workers)
      gradient.layers[index].bias = delta.columnSums()
      guard index > 0 else { continue }
      activations.deltas[index - 1].setProduct(
        .asIs(delta), .asIs(layers[index].weights), workers: workers)
      activations.deltas[index - 1].maskByPositive(
        below, scale: dropout.scale, workers: workers)
    }
  }

  /// A network of the same shape whose weights and biases are zero, to hold a gradient or a velocity.
  package var zeros: FeedForwardNetwork {
    FeedForwardNetwork(
      layers: layers.map {
        AffineLayer(
          weights: Matrix(rows: $0.weights.rows, columns: $0.weights.columns),
          bias: Array(repeating: 0, count: $0.bias.count))
      })
  }
}
