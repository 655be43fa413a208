package import LinearAlgebra

/// Batch normalisation of a layer's sums, `scale · (x − mean) / √(variance + ε) + shift`.
package struct BatchNormalization: Sendable, Equatable {
  /// ε, that of PyTorch.
  package static let epsilon: Float = 1e-5
  /// How much of a batch's mean and variance goes into those that the network is used with, as in PyTorch.
  package static let share: Float = 0.1

  /// γ and β, one value an output each.
  package var scale, shift: [Float]
  /// What the network is used with: moving averages of the batches' means and unbiased variances.
  package var mean, variance: [Float]

  /// The start of a training.
  package init(outputs: Int) {
    scale = Array(repeating: 1, count: outputs)
    shift = Array(repeating: 0, count: outputs)
    (mean, variance) = (shift, scale)
  }
}

/// `y = Σ_o x(t + o) · weights_oᵀ + bias` over the frames that the layer sees.
package struct AffineLayer: Sendable, Equatable {
  /// `outputs × (offsets.count · inputs)`, the columns of the first offset first.
  package var weights: Matrix
  /// One value an output.
  package var bias: [Float]
  /// The frames of the layer below, from its own, in rising order; at least one.
  package let offsets: [Int]
  /// Between the sums and the rectifier; nil for none.
  package var normalization: BatchNormalization?

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

  /// The values of one frame of the layer below.
  package var inputs: Int { weights.columns / offsets.count }

  /// How many frames of the layer below an output needs, from the first to the last.
  package var span: Int { (offsets.last ?? 0) - (offsets.first ?? 0) }

  /// The layer with its normalisation multiplied into its weights and bias.
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

/// A frame classifier: affine layers with a rectifier between each two; the last one gives the logits.
///
/// Each layer sees some frames of the one below. A feed-forward network with a context window is one whose
/// first layer sees several frames and whose others see one; in a time-delay network others see several too.
package struct AcousticNetwork: Sendable, Equatable {
  /// From the input up; at least one.
  package var layers: [AffineLayer]

  /// - Parameter layers: each takes as many inputs a frame as the one before has outputs.
  package init(layers: [AffineLayer]) {
    precondition(
      !layers.isEmpty
        && zip(layers, layers.dropFirst()).allSatisfy { $0.weights.rows == $1.inputs },
      "AcousticNetwork: layers that do not fit each other")
    self.layers = layers
  }

  /// A network with weights from the normal distribution of variance 2 / columns and biases of zero
  /// (He et al., "Delving deep into rectifiers", 2015, §2.2).
  ///
  /// - Parameters:
  ///   - features: the values of a frame.
  ///   - context: the frames that a feed-forward network's first layer sees, from its own.
  ///   - hidden: the layers between.
  ///   - classes: the number of logits.
  ///   - seed: networks with other seeds have other weights.
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

  /// The values of a frame.
  package var features: Int { layers[0].inputs }
  /// The values of a row of input: all frames that the first layer sees, from the first to the last.
  package var inputs: Int { layers[0].weights.columns }
  package var classes: Int { layers[layers.count - 1].weights.rows }

  /// The frames of the input that decide on a frame's logits, from the frame itself.
  package var context: ClosedRange<Int> {
    layers.reduce(0) {
      $0 + ($1.offsets.first ?? 0)
    }...layers.reduce(0) {
      $0 + ($1.offsets.last ?? 0)
    }
  }

  /// The frames of the first layer's output that decide on a frame's logits, from the frame itself.
  package var contextAboveInput: ClosedRange<Int> {
    let above = layers.dropFirst()
    return above.reduce(0) {
      $0 + ($1.offsets.first ?? 0)
    }...above.reduce(0) {
      $0 + ($1.offsets.last ?? 0)
    }
  }

  /// The number of weights, biases, and scales and shifts of normalisations.
  package var parameterCount: Int {
    layers.reduce(0) {
      $0 + $1.weights.values.count + $1.bias.count * ($1.normalization == nil ? 1 : 3)
    }
  }

  /// The multiplications with a weight that one frame takes; layers' results of neighbouring frames are used again.
  package var multiplyAdds: Int { layers.reduce(0) { $0 + $1.weights.values.count } }

  /// The network as it is used: normalisations multiplied into weights and biases.
  package var folded: AcousticNetwork { AcousticNetwork(layers: layers.map(\.folded)) }

  /// The logits of runs of frames that follow each other.
  ///
  /// - Parameters:
  ///   - input: a row for each frame of the first layer's output, from the first that `contextAboveInput`
  ///     needs to the last; so as many as the logits, and the span of that context more for each run. Rows are
  ///     ordered by time first; see `rowsSeen`.
  ///   - chunks: how many runs go side by side.
  ///   - workers: share the columns of each layer.
  /// - Returns: a row for each frame, `classes` columns.
  package func logits(
    of input: SharedMatrix, chunks: Int = 1, workers: Workers = .one
  ) -> SharedMatrix {
    var below = input
    for (index, layer) in folded.layers.enumerated() {
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

  /// The same of one run of frames.
  package func logits(of input: Matrix, workers: Workers = .one) -> Matrix {
    logits(of: SharedMatrix(input), workers: workers).matrix
  }
}

extension AffineLayer {
  /// Computes some rows of outputs.
  ///
  /// - Parameters:
  ///   - outputs: rows × outputs, overwritten.
  ///   - below: the layer below.
  ///   - rows: of that layer, for each offset; as many as rows of outputs.
  ///   - isLast: whether the sums are logits, which are not rectified.
  ///   - workers: share the columns.
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

  /// Gives `body` the weights and the bias to read.
  fileprivate func withTiles(_ body: (_ weights: Tile, _ bias: Tile) -> Void) {
    weights.withTile { weights in
      Matrix(rows: 1, columns: bias.count, values: bias).withTile { bias in body(weights, bias) }
    }
  }
}

extension Tile {
  /// Replaces this tile by the sum over the offsets of the rows seen times their weights, transposed.
  ///
  /// - Parameters:
  ///   - below: the layer below.
  ///   - rows: of that layer, for each offset.
  ///   - weights: a row for each column of this tile.
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

/// Where a layer finds what it sees.
///
/// Rows are ordered by time first: those of one time of all runs stand together, so that what a layer sees at
/// an offset is a run of rows.
///
/// - Parameters:
///   - offsets: those of the layer.
///   - rows: of the layer.
///   - chunks: how many runs of frames go side by side.
/// - Returns: for each offset, the rows of the layer below that the rows of the layer see.
func rowsSeen(at offsets: [Int], rows: Int, chunks: Int) -> [Range<Int>] {
  offsets.map { offset in
    let start = (offset - (offsets.first ?? 0)) * chunks
    return start..<start + rows
  }
}

/// The columns that one task takes of a matrix of so many, by their number alone.
///
/// Some 256, or 512 of a wide layer, keep `sgemm` at 97 % of its speed on a whole layer, and let threads share
/// it.
func columnTiles(_ columns: Int) -> [Range<Int>] {
  let parts = columns < 64 ? 1 : columns < 1024 ? max(2, columns / 256) : columns / 512
  // Multiples of 16, the vector's width.
  let size = ((columns + parts - 1) / parts + 15) / 16 * 16
  return stride(from: 0, to: columns, by: size).map { $0..<min(columns, $0 + size) }
}

/// What random numbers are for.
///
/// Beside the seed, it keys their generator, so that no two uses share
/// a sequence.
package enum RandomStream: UInt64, Sendable {
  case weights = 1
  case order = 2
  case dropout = 3
  case sampling = 4
}
