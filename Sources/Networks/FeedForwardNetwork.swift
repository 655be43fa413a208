package import LinearAlgebra
import Storage

/// The size of a feed-forward network between its input and its classes.
package struct HiddenShape: Sendable, Equatable, Codable {
  package var layers = 4
  /// Rectified linear units a layer.
  package var units = 512

  package init() {}

  package init(layers: Int, units: Int) {
    (self.layers, self.units) = (layers, units)
  }

  package enum CodingKeys: String, CodingKey, CaseIterable { case layers, units }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    layers = try read(.layers, default: layers)
    units = try read(.units, default: units)
    try requireOption((0...1000).contains(layers), "layers", expected: "0 to 1000", found: layers)
    try requireOption((1...65536).contains(units), "units", expected: "1 to 65536", found: units)
  }
}

/// `y = x · weightsᵀ + bias`.
package struct AffineLayer: Sendable, Equatable {
  /// `outputs × inputs`.
  package var weights: Matrix
  /// One value an output.
  package var bias: [Float]

  package init(weights: Matrix, bias: [Float]) {
    precondition(
      bias.count == weights.rows, "AffineLayer: \(bias.count) biases for \(weights.rows) outputs")
    (self.weights, self.bias) = (weights, bias)
  }
}

/// Affine layers with a rectifier between each two; the last one gives the logits.
package struct FeedForwardNetwork: Sendable, Equatable {
  /// From the input up; at least one.
  package var layers: [AffineLayer]

  /// - Parameter layers: each takes as many inputs as the one before has outputs.
  package init(layers: [AffineLayer]) {
    precondition(
      !layers.isEmpty
        && zip(layers, layers.dropFirst()).allSatisfy { $0.weights.rows == $1.weights.columns },
      "FeedForwardNetwork: layers that do not fit each other")
    self.layers = layers
  }

  /// A network with weights from the normal distribution of variance 2 / inputs and biases of zero
  /// (He et al., "Delving deep into rectifiers", 2015, §2.2).
  ///
  /// - Parameters:
  ///   - inputs: the size of a frame with its context.
  ///   - hidden: the layers between.
  ///   - classes: the number of logits.
  ///   - seed: networks with other seeds have other weights.
  package init(inputs: Int, hidden: HiddenShape, classes: Int, seed: UInt64) {
    let sizes = [inputs] + Array(repeating: hidden.units, count: hidden.layers) + [classes]
    layers = zip(sizes, sizes.dropFirst()).enumerated().map { index, size in
      var generator = SeededGenerator(seed, RandomStream.weights.rawValue, UInt64(index))
      let deviation = (2 / Double(size.0)).squareRoot()
      let weights = (0..<size.0 * size.1).map { _ in Float(deviation * generator.normal()) }
      return AffineLayer(
        weights: Matrix(rows: size.1, columns: size.0, values: weights),
        bias: Array(repeating: 0, count: size.1))
    }
  }

  package var inputs: Int { layers[0].weights.columns }
  package var classes: Int { layers[layers.count - 1].weights.rows }

  /// The number of weights and biases.
  package var parameterCount: Int {
    layers.reduce(0) { $0 + $1.weights.values.count + $1.bias.count }
  }

  /// The logits of a batch.
  ///
  /// - Parameters:
  ///   - input: `frames × inputs`.
  ///   - workers: share the frames.
  /// - Returns: `frames × classes`.
  package func logits(of input: Matrix, workers: Workers = .one) -> Matrix {
    var activations = Activations(of: self, frames: input.rows)
    forward(input, into: &activations, workers: workers)
    return activations.logits
  }
}

/// What random numbers are for.
///
/// Beside the seed, it keys their generator, so that no two uses share
/// a sequence.
package enum RandomStream: UInt64, Sendable {
  case weights = 1
  case order = 2
  case dropout = 3
}
