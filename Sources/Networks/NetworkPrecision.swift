import LinearAlgebra

/// The numbers that a network multiplies.
///
/// Biases, rectifiers and logits are always in float32.
package enum NetworkPrecision: Sendable, Equatable {
  /// Weights and inputs in 32 bits.
  case float32
  /// Weights and inputs of all layers rounded to bfloat16, with sums in float32.
  case bfloat16
  /// Weights and inputs of all layers in 8 bits, with sums in 32-bit integers; the steps of each layer.
  case int8([ByteSteps])

  /// The name in a model's metadata.
  package enum Name: String, Sendable, CaseIterable {
    case float32, bfloat16, int8
  }

  /// Its name.
  package var name: Name {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .int8: .int8
    }
  }
}

/// What one step of a layer's 8-bit numbers is worth.
///
/// A weight is a multiple of its output's step, from −128 to 127. The input of the first layer is a multiple of its
/// step from −128 to 127, and that of the others, which is never negative, from 0 to 255.
package struct ByteSteps: Sendable, Equatable {
  /// The steps of the weights, one per output.
  package let weights: [Float]
  /// The step of the input.
  package let input: Float

  /// Steps that `areUsable`.
  package init(weights: [Float], input: Float) {
    (self.weights, self.input) = (weights, input)
  }

  /// Whether all steps are positive, and neither they nor their products overflow.
  package var areUsable: Bool {
    input.isNormal && input > 0 && (1 / input).isFinite
      && weights.allSatisfy {
        $0.isNormal && $0 > 0 && (128 * $0).isFinite && ($0 * input).isFinite
      }
  }
}

extension AffineLayer {
  /// Steps that just reach the largest weight of each output.
  package func steps(input: Float) -> ByteSteps {
    ByteSteps(
      weights: (0..<weights.rows).map { index in
        let row = weights.row(index)
        let largest = row.indices.reduce(Float(0)) { max($0, row[$1].magnitude) }
        return largest > 0 ? max(largest / 127, .leastNormalMagnitude) : 1
      }, input: input)
  }

  /// The weights as numbers of steps, [outputs × (offsets · inputs)]; those out of range get the nearest in range.
  package func bytes(_ steps: ByteSteps) -> [Int8] {
    precondition(
      steps.weights.count == weights.rows, "bytes: \(steps.weights.count) steps for \(weights.rows)"
    )
    var bytes: [Int8] = []
    bytes.reserveCapacity(weights.rows * weights.columns)
    for (index, step) in steps.weights.enumerated() {
      let row = weights.row(index)
      for column in row.indices {
        bytes.append(Int8(max(-128, min(127, (row[column] / step).rounded(.toNearestOrEven)))))
      }
    }
    return bytes
  }

  /// The same layer with weights that are whole numbers of steps.
  ///
  /// - Parameters:
  ///   - bytes: the weights, as `bytes` returns them.
  ///   - steps: the value of each output's step.
  /// - Returns: the layer.
  package func with(_ bytes: [Int8], _ steps: ByteSteps) -> AffineLayer {
    var layer = self
    for (index, step) in steps.weights.enumerated() {
      let start = index * weights.columns
      layer.weights.withRow(index) { row in
        for column in row.indices { row[column] = Float(bytes[start + column]) * step }
      }
    }
    return layer
  }
}

extension AcousticNetwork {
  /// The same network with weights that a precision represents exactly; idempotent.
  ///
  /// - Parameter precision: has steps for each layer if it is int8.
  /// - Returns: the network.
  package func rounded(to precision: NetworkPrecision) -> AcousticNetwork {
    switch precision {
    case .float32: return self
    case .bfloat16:
      return AcousticNetwork(
        layers: layers.map { layer in
          var rounded = layer
          let weights = layer.weights
          rounded.weights = Matrix(
            rows: weights.rows, columns: weights.columns, bfloat16: weights.bfloat16)
          return rounded
        })
    case .int8(let steps):
      precondition(steps.count == layers.count, "rounded: steps of \(steps.count) layers")
      return AcousticNetwork(
        layers: zip(layers, steps).map { layer, steps in layer.with(layer.bytes(steps), steps) })
    }
  }

  /// Whether products in 8 bits cannot overflow 32 bits in any layer.
  package var fitsBytes: Bool { layers.allSatisfy { $0.weights.columns <= ByteWeights.mostInputs } }
}
