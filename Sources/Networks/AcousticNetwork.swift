package import LinearAlgebra

/// Batch normalisation of a layer's sums: `scale · (x − mean) / √(variance + ε) + shift`.
package struct BatchNormalization: Sendable, Equatable {
  /// ε, as in PyTorch.
  package static let epsilon: Float = 1e-5
  /// The weight of a batch in the moving averages of mean and variance, as in PyTorch.
  package static let share: Float = 0.1

  /// γ and β, one value per output.
  package var scale, shift: [Float]
  /// The statistics used after training, one value per output.
  ///
  /// They are moving averages of the batches' means and unbiased variances.
  package var mean, variance: [Float]

  /// The initial values of a training: scale and variance 1, shift and mean 0.
  package init(outputs: Int) {
    scale = Array(repeating: 1, count: outputs)
    shift = Array(repeating: 0, count: outputs)
    (mean, variance) = (shift, scale)
  }
}

/// An affine layer, `y = Σ_o x(t + o) · weights_oᵀ + bias` over the frames `t + o` that it sees.
package struct AffineLayer: Sendable, Equatable {
  /// [outputs × (offsets.count · inputs)]; the columns of the first offset come first.
  package var weights: Matrix
  /// One value per output.
  package var bias: [Float]
  /// The frames of the layer below, relative to its own frame, in ascending order; at least one.
  package let offsets: [Int]
  /// The normalisation between the sums and the rectifier; nil for none.
  package var normalization: BatchNormalization?

  /// A layer whose parts have the shapes that its properties describe.
  package init(
    weights: Matrix, bias: [Float], offsets: [Int] = [0], normalization: BatchNormalization? = nil
  ) {
    precondition(
      bias.count == weights.rows && !offsets.isEmpty && weights.columns % offsets.count == 0
        && normalization?.scale.count ?? bias.count == bias.count,
      "AffineLayer: \(bias.count) biases for \(weights.rows) outputs, \(weights.columns) columns for "
        + "\(offsets.count) frames")
    (self.weights, self.bias, self.offsets) = (weights, bias, offsets)
    self.normalization = normalization
  }

  /// The number of values in a frame of the layer below.
  package var inputs: Int { weights.columns / offsets.count }

  /// The distance between the first and the last frame that the layer sees.
  package var span: Int { (offsets.last ?? 0) - (offsets.first ?? 0) }

  /// The equivalent layer without normalisation: it is folded into the weights and the bias.
  package var folded: AffineLayer {
    guard let normalization else { return self }
    var weights = weights
    var bias = bias
    for row in 0..<weights.rows {
      let factor =
        normalization.scale[row]
        / (normalization.variance[row] + BatchNormalization.epsilon).squareRoot()
      weights.withRow(row) { values in
        for column in values.indices { values[column] *= factor }
      }
      bias[row] = (bias[row] - normalization.mean[row]) * factor + normalization.shift[row]
    }
    return AffineLayer(weights: weights, bias: bias, offsets: offsets)
  }
}

/// A frame classifier: affine layers with a rectifier after each but the last, which gives the
/// logits.
///
/// Each layer sees some frames of the one below. In a feed-forward network with a context window,
/// the first layer sees several frames and the others one. In a time-delay network, upper layers
/// see several too.
package struct AcousticNetwork: Sendable, Equatable {
  /// The layers from the input up; at least one.
  package var layers: [AffineLayer]

  /// - Parameter layers: each takes as many inputs per frame as the one before has outputs.
  package init(layers: [AffineLayer]) {
    precondition(
      !layers.isEmpty
        && zip(layers, layers.dropFirst()).allSatisfy { $0.weights.rows == $1.inputs },
      "AcousticNetwork: layers that do not fit each other")
    self.layers = layers
  }

  /// A network with random weights and zero biases.
  ///
  /// Weights are normally distributed with variance 2 / columns (He et al., "Delving deep into
  /// rectifiers", 2015, §2.2).
  ///
  /// - Parameters:
  ///   - features: the number of values in a frame.
  ///   - context: the frames that a feed-forward network's first layer sees, relative to its own.
  ///   - hidden: the hidden layers.
  ///   - classes: the number of logits.
  ///   - seed: the seed of the weights.
  package init(
    features: Int, context: ClosedRange<Int>, hidden: HiddenShape, classes: Int, seed: UInt64
  ) {
    var inputs = features
    let offsets = hidden.offsets(context: context)
    layers = offsets.enumerated().map { index, offsets in
      let isLast = index == hidden.layers
      let outputs = isLast ? classes : hidden.units
      let columns = offsets.count * inputs
      var generator = SeededGenerator(seed, RandomStream.weights.rawValue, UInt64(index))
      let deviation = (2 / Double(columns)).squareRoot()
      let weights = (0..<columns * outputs).map { _ in Float(deviation * generator.normal()) }
      inputs = outputs
      return AffineLayer(
        weights: Matrix(rows: outputs, columns: columns, values: weights),
        bias: Array(repeating: 0, count: outputs), offsets: offsets,
        normalization: hidden.batchNormalization && !isLast
          ? BatchNormalization(outputs: outputs) : nil)
    }
  }

  /// The number of values in a frame of the input.
  package var features: Int { layers[0].inputs }
  /// The number of values in a row of input, which holds all frames that the first layer sees.
  package var inputs: Int { layers[0].weights.columns }
  /// The number of logits.
  package var classes: Int { layers[layers.count - 1].weights.rows }

  /// The frames of the input that a frame's logits depend on, relative to the frame.
  package var context: ClosedRange<Int> {
    layers.reduce(0) {
      $0 + ($1.offsets.first ?? 0)
    }...layers.reduce(0) {
      $0 + ($1.offsets.last ?? 0)
    }
  }

  /// The frames of the first layer's output that a frame's logits depend on, relative to the frame.
  package var contextAboveInput: ClosedRange<Int> {
    let above = layers.dropFirst()
    return above.reduce(0) {
      $0 + ($1.offsets.first ?? 0)
    }...above.reduce(0) {
      $0 + ($1.offsets.last ?? 0)
    }
  }

  /// The number of weights and biases, and of scales and shifts of normalisation.
  package var parameterCount: Int {
    layers.reduce(0) {
      $0 + $1.weights.values.count + $1.bias.count * ($1.normalization == nil ? 1 : 3)
    }
  }

  /// The number of multiply-adds per frame.
  ///
  /// A layer's outputs are computed once and shared by the neighbouring frames that see them.
  package var multiplyAdds: Int { layers.reduce(0) { $0 + $1.weights.values.count } }

  /// The equivalent network without normalisation: it is folded into the weights and the biases.
  package var folded: AcousticNetwork { AcousticNetwork(layers: layers.map(\.folded)) }

  /// Computes the logits of chunks of consecutive frames, all of the same length.
  ///
  /// - Parameters:
  ///   - input: one row for each frame of the first layer's output. Each chunk has as many rows as
  ///     logits, plus the distance between the bounds of `contextAboveInput`. Rows are ordered by
  ///     time, then by chunk; see `rowsSeen`.
  ///   - chunks: the number of chunks.
  ///   - workers: the threads that share the columns of each layer.
  ///   - observe: receives the input of each layer.
  /// - Returns: [frames × `classes`], in the same order.
  package func logits(
    of input: SharedMatrix, chunks: Int = 1, workers: Workers = .one,
    observe: (_ layer: Int, _ input: SharedMatrix) -> Void = { _, _ in }
  ) -> SharedMatrix {
    var below = input
    for (index, layer) in folded.layers.enumerated() {
      observe(index, below)
      let rows = index == 0 ? input.rows : below.rows - layer.span * chunks
      precondition(rows >= 0, "logits: \(input.rows) rows of input for \(chunks) runs of frames")
      let outputs = SharedMatrix(rows: rows, columns: layer.weights.rows)
      let seen = index == 0 ? [0..<rows] : rowsSeen(at: layer.offsets, rows: rows, chunks: chunks)
      layer.compute(
        outputs.tile, of: below, rows: seen, isLast: index == layers.count - 1, workers: workers)
      below = outputs
    }
    return below
  }

  /// Computes the logits of one chunk of consecutive frames.
  package func logits(of input: Matrix, workers: Workers = .one) -> Matrix {
    logits(of: SharedMatrix(input), workers: workers).matrix
  }
}

extension AffineLayer {
  /// Computes some rows of outputs.
  ///
  /// - Parameters:
  ///   - outputs: [rows × outputs], overwritten.
  ///   - below: the outputs of the layer below.
  ///   - rows: for each offset, the rows of `below` to take; as many as rows of `outputs`.
  ///   - isLast: whether the outputs are logits, which are not rectified.
  ///   - workers: the threads that share the columns.
  func compute(
    _ outputs: Tile, of below: SharedMatrix, rows: [Range<Int>], isLast: Bool, workers: Workers
  ) {
    let tiles = columnTiles(weights.rows)
    withTiles { weights, bias in
      workers.forEach(tiles.count) { number in
        let columns = tiles[number]
        let tile = outputs.columns(columns)
        tile.setSums(of: below, rows: rows, weights: weights.rows(columns))
        let bias = bias.columns(columns)
        if isLast { tile.add(bias: bias) } else { tile.addAndRectify(bias: bias) }
      }
    }
  }

  /// Passes the weights and the bias to `body` for reading.
  fileprivate func withTiles(_ body: (_ weights: Tile, _ bias: Tile) -> Void) {
    weights.withTile { weights in
      Matrix(rows: 1, columns: bias.count, values: bias).withTile { bias in body(weights, bias) }
    }
  }
}

extension Tile {
  /// Overwrites this tile with the sum, over the offsets, of the rows seen times the transposed
  /// weights.
  ///
  /// - Parameters:
  ///   - below: the outputs of the layer below.
  ///   - rows: for each offset, the rows of `below` to take.
  ///   - weights: one row for each column of this tile.
  func setSums(of below: SharedMatrix, rows: [Range<Int>], weights: Tile) {
    let inputs = weights.columns / rows.count
    for (index, seen) in rows.enumerated() {
      setProduct(
        below.tile(rows: seen), .asIs,
        weights.columns(index * inputs..<(index + 1) * inputs), .transposed,
        index == 0 ? .replacing : .adding)
    }
  }
}

/// The rows of the layer below that a layer sees at each of its offsets.
///
/// Rows are ordered by time, then by chunk. The rows of one time are adjacent, so a layer sees a
/// contiguous range of rows at each offset.
///
/// - Parameters:
///   - offsets: the layer's offsets.
///   - rows: the layer's number of rows.
///   - chunks: the number of chunks.
/// - Returns: one range of rows per offset.
func rowsSeen(at offsets: [Int], rows: Int, chunks: Int) -> [Range<Int>] {
  offsets.map { offset in
    let start = (offset - (offsets.first ?? 0)) * chunks
    return start..<start + rows
  }
}

/// Divides a layer's columns into parts for threads to share.
///
/// The parts depend only on the number of columns. With about 256 columns, or 512 of a wide layer,
/// `sgemm` runs at 97 % of its speed on a whole layer.
func columnTiles(_ columns: Int) -> [Range<Int>] {
  let parts = columns < 64 ? 1 : columns < 1024 ? max(2, columns / 256) : columns / 512
  // Multiples of 16, the width of a vector.
  let size = ((columns + parts - 1) / parts + 15) / 16 * 16
  return stride(from: 0, to: columns, by: size).map { $0..<min(columns, $0 + size) }
}

/// What random numbers are used for.
///
/// This keys the generator together with the seed, so that no two uses share a sequence.
package enum RandomStream: UInt64, Sendable {
  /// The initial weights.
  case weights = 1
  /// The order of the training data in an epoch.
  case order = 2
  /// The units that dropout sets to zero.
  case dropout = 3
  /// The frames that a specialist's class sampling draws in an epoch.
  case sampling = 4
}
