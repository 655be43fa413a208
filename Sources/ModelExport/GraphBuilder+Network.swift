import Features
import LinearAlgebra
import Models
import Networks

extension GraphBuilder {
  /// The logits of one model.
  ///
  /// - Parameters:
  ///   - features: [batch × frames × features], as the model expects them before its normaliser.
  ///   - model: the model.
  ///   - prefix: what the names of its constants begin with.
  /// - Returns: [batch × frames × classes].
  mutating func logits(
    of features: Tensor, by model: AcousticModel, prefix: String
  ) -> Tensor {
    let normalizer = model.normalizer
    let mean = constant(prefix + "normalizer.mean", normalizer.mean)
    let scale = constant(prefix + "normalizer.scale", normalizer.deviation.map { 1 / $0 })
    let centred = apply("Sub", features, mean)
    // All that the layers see beyond the edges is repeated here, so none of them sees an edge.
    var values = extended(apply("Mul", centred, scale), by: model.network.context)
    for (index, layer) in model.network.layers.enumerated() {
      let name = prefix + "layers.\(index)"
      values = product(
        of: seen(values, columns: layer.inputs, at: layer.offsets), transposed(layer.weights),
        named: name + ".weight")
      values = apply("Add", values, constant(name + ".bias", layer.bias))
      if index + 1 < model.network.layers.count { values = apply("Relu", [values]) }
    }
    return values
  }

  /// The logarithm of the arithmetic mean of the members' distributions.
  ///
  /// With m the largest log posterior of a class by any member, it is m + ln mean exp(ln p − m),
  /// so that a class of tiny probability keeps its logarithm.
  ///
  /// - Parameters:
  ///   - logits: those of each member, [batch × frames × classes]; at least one.
  ///   - name: the name of the result.
  /// - Returns: [batch × frames × classes].
  mutating func logPosteriors(of logits: [Tensor], named name: String) -> Tensor {
    let classAxis = Attribute.integer("axis", -1)
    if logits.count == 1 { return apply("LogSoftmax", logits, [classAxis], named: name) }
    var members: [Tensor] = []
    for own in logits { members.append(apply("LogSoftmax", [own], [classAxis])) }
    let largest = apply("Max", members)
    var shares: [Tensor] = []
    for member in members {
      let difference = apply("Sub", member, largest)
      shares.append(apply("Exp", [difference]))
    }
    let mean = apply("Mean", shares)
    return apply("Add", [apply("Log", [mean]), largest], named: name)
  }

  /// The frames of an utterance and those beyond its edges, where its first or last frame is
  /// repeated.
  ///
  /// - Parameters:
  ///   - values: [batch × frames × columns].
  ///   - range: the first frame, relative to frame 0, and the last one, relative to the last frame.
  /// - Returns: [batch × frames + `range.count` − 1 × columns]; zeros if there are no frames.
  mutating func extended(_ values: Tensor, by range: ClosedRange<Int>) -> Tensor {
    guard range != 0...0 else { return values }
    let frames = size(of: values, axis: 1)
    let end = apply("Add", frames, integer(range.upperBound))
    let times = self.range(integer(range.lowerBound), end)
    let last = apply("Max", apply("Sub", frames, integer(1)), integer(0))
    let rows = apply("Min", apply("Max", times, integer(0)), last)
    // A row of zeros behind the last frame, so that an utterance without frames has a row to take.
    let padded = apply("Pad", values, integers([0, 0, 0, 0, 1, 0]))
    return apply("Gather", [padded, rows], [.integer("axis", 1)])
  }

  /// For each frame, the frames that a layer sees, one after the other.
  ///
  /// - Parameters:
  ///   - values: [batch × frames × columns].
  ///   - columns: the number of columns.
  ///   - offsets: the frames to take, ascending.
  /// - Returns: [batch × frames − (last offset − first offset) × `offsets.count` · columns].
  mutating func seen(_ values: Tensor, columns: Int, at offsets: [Int]) -> Tensor {
    guard offsets.count > 1, let first = offsets.first, let last = offsets.last else {
      return values
    }
    let frames = size(of: values, axis: 1)
    let times = range(integer(0), apply("Add", frames, integer(first - last)))
    let places = constant(
      "offsets." + offsets.map { "\($0 - first)" }.joined(separator: "_"),
      offsets.map { Int64($0 - first) })
    let rows = apply("Add", apply("Unsqueeze", times, integers([1])), places)
    let parts = apply("Gather", [values, rows], [.integer("axis", 1)])
    // 0 keeps a size.
    return apply("Reshape", parts, integers([0, 0, offsets.count * columns]))
  }

  /// The product of each frame with a matrix.
  ///
  /// - Parameters:
  ///   - values: [batch × frames × inputs].
  ///   - matrix: [inputs × outputs].
  ///   - name: the matrix's name.
  /// - Returns: [batch × frames × outputs].
  mutating func product(of values: Tensor, _ matrix: Matrix, named name: String) -> Tensor {
    apply("MatMul", values, constant(name, matrix))
  }
}

/// The rows of a matrix as columns.
private func transposed(_ matrix: Matrix) -> Matrix {
  var values = [Float](repeating: 0, count: matrix.values.count)
  for row in 0..<matrix.rows {
    let own = matrix.row(row)
    for column in own.indices { values[column * matrix.rows + row] = own[column] }
  }
  return Matrix(rows: matrix.columns, columns: matrix.rows, values: values)
}
