import LinearAlgebra

extension AcousticNetwork {
  /// All parameters of the network and the statistics of its normalisation, by name.
  package var tensors: [(name: String, values: [Float])] {
    layers.enumerated().flatMap { index, layer in
      var tensors = [
        ("layers.\(index).weight", layer.weights.values), ("layers.\(index).bias", layer.bias),
      ]
      if let own = layer.normalization {
        tensors += [
          ("layers.\(index).scale", own.scale), ("layers.\(index).shift", own.shift),
          ("layers.\(index).mean", own.mean), ("layers.\(index).variance", own.variance),
        ]
      }
      return tensors
    }
  }

  /// A network of the same shape with other values.
  ///
  /// - Parameter tensors: for each name in `tensors`, as many values as there.
  /// - Returns: the network.
  package func with(_ tensors: [String: [Float]]) -> AcousticNetwork {
    func values(_ name: String, _ index: Int) -> [Float] {
      guard let values = tensors["layers.\(index).\(name)"] else {
        preconditionFailure("with: no layers.\(index).\(name)")
      }
      return values
    }
    return AcousticNetwork(
      layers: layers.enumerated().map { index, layer in
        var normalization = layer.normalization
        if normalization != nil {
          normalization?.scale = values("scale", index)
          normalization?.shift = values("shift", index)
          normalization?.mean = values("mean", index)
          normalization?.variance = values("variance", index)
        }
        return AffineLayer(
          weights: Matrix(
            rows: layer.weights.rows, columns: layer.weights.columns,
            values: values("weight", index)),
          bias: values("bias", index), offsets: layer.offsets, normalization: normalization)
      })
  }
}
