package import LinearAlgebra

/// A network in training: its parameters, the optimiser's state, and the scratch memory of one
/// batch.
///
/// A step is a sequence of phases, each divided into tasks that threads share. A task computes some
/// columns of a layer's outputs for all frames of the batch, or a part of a layer's weights. Its
/// bounds depend only on the shapes, and no sum is split, so the number of threads does not change
/// a bit of the result.
// @unchecked: a task writes its own tiles and reads those of earlier phases; the rest changes only
// between steps.
package final class TrainableNetwork: @unchecked Sendable {
  /// One tensor of parameters with the optimiser's state.
  package struct Parameter {
    /// The kind of a parameter; weight decay and norm limits apply only to weights.
    package enum Kind: Sendable { case weights, other }

    /// The name, such as `layers.0.weight`, unique within the network.
    package let name: String
    /// Whether these are weights.
    package let kind: Kind
    /// The parameters; vectors have one row.
    package let values: SharedMatrix
    /// The optimiser's state, each of the shape of `values`; starts at zero.
    package let moments: [SharedMatrix]
    /// The gradient of the last step; no rows for weights whose gradient is not kept.
    package let gradient: SharedMatrix

    init(_ name: String, _ kind: Kind, _ values: SharedMatrix, moments: Int, _ use: GradientUse) {
      let (rows, columns) = (values.rows, values.columns)
      (self.name, self.kind, self.values) = (name, kind, values)
      self.moments = (0..<moments).map { _ in SharedMatrix(rows: rows, columns: columns) }
      let isKept = kind == .other || use == .kept
      gradient = SharedMatrix(rows: isKept ? rows : 0, columns: columns)
    }
  }

  /// How the gradient of the weights is used.
  package enum GradientUse: Sendable {
    /// Each part is used while it is in the cache, then overwritten.
    case immediate
    /// All of it is kept, to be scaled before it is used.
    case kept
  }

  /// A part of a parameter to be moved against its gradient.
  package struct Update: Sendable {
    /// Whether these are weights.
    package let kind: Parameter.Kind
    /// The parameters to move.
    package let values: Tile
    /// The optimiser's state for them.
    package let moments: [Tile]
    /// Their gradient.
    package let gradient: Tile
  }

  /// A layer with its scratch memory.
  struct Layer {
    let offsets: [Int]
    let weights: Parameter
    let bias: Parameter
    let normalization: Normalization?
    let outputs: SharedMatrix
    /// The gradient of the loss with respect to the sums.
    ///
    /// For the last layer this is `outputs`, where the loss replaces the logits.
    let delta: SharedMatrix
    /// The columns of each task.
    let tiles: [Range<Int>]

    /// The number of values in a frame of the layer below.
    var inputs: Int { weights.values.columns / offsets.count }
  }

  /// A layer's batch normalisation with its scratch memory.
  struct Normalization {
    let scale, shift: Parameter
    let mean, variance: SharedMatrix
    let normalised: SharedMatrix
    let batchMean, inverse: SharedMatrix
  }

  let layers: [Layer]
  /// Memory for a part of the weights' gradient, one per thread.
  private(set) var scratch: [SharedMatrix] = []
  let updates: [WeightTask]
  /// The sum of squares of the gradient of each task in `updates`.
  let squares: SharedMatrix
  let workers: Workers
  private(set) var team: PhaseTeam
  let use: GradientUse

  /// The weights of one task: some rows, and some columns of one offset.
  struct WeightTask {
    let layer: Int
    let offset: Int
    let rows: Range<Int>
    let columns: Range<Int>
    /// Whether the task also updates the bias, scale and shift of its rows.
    let hasVectors: Bool
  }

  /// - Parameters:
  ///   - network: the initial network.
  ///   - moments: the number of values that the optimiser keeps per parameter.
  ///   - use: how the gradient of the weights is used.
  ///   - workers: the threads that share each step.
  package init(
    _ network: AcousticNetwork, moments: Int, gradient use: GradientUse = .immediate,
    workers: Workers
  ) {
    (self.workers, self.use) = (workers, use)
    team = PhaseTeam(count: workers.current)
    var updates: [WeightTask] = []
    layers = network.layers.enumerated().map { index, layer in
      let outputs = layer.weights.rows
      func vector(_ name: String, _ values: [Float]) -> Parameter {
        Parameter("layers.\(index).\(name)", .other, SharedMatrix(values), moments: moments, use)
      }
      func scratch() -> SharedMatrix { SharedMatrix(rows: 0, columns: outputs) }
      for offset in layer.offsets.indices {
        for columns in evenParts(layer.inputs, 512) {
          for rows in evenParts(outputs, 256) {
            updates.append(
              WeightTask(
                layer: index, offset: offset, rows: rows, columns: columns,
                hasVectors: offset == 0 && columns.lowerBound == 0))
          }
        }
      }
      let values = scratch()
      return Layer(
        offsets: layer.offsets,
        weights: Parameter(
          "layers.\(index).weight", .weights, SharedMatrix(layer.weights), moments: moments,
          use),
        bias: vector("bias", layer.bias),
        normalization: layer.normalization.map { own in
          Normalization(
            scale: vector("scale", own.scale), shift: vector("shift", own.shift),
            mean: SharedMatrix(own.mean), variance: SharedMatrix(own.variance),
            normalised: scratch(), batchMean: SharedMatrix(own.mean),
            inverse: SharedMatrix(own.mean))
        },
        outputs: values, delta: index == network.layers.count - 1 ? values : scratch(),
        tiles: columnTiles(outputs))
    }
    self.updates = updates
    squares = SharedMatrix(rows: 1, columns: updates.count)
    makeScratch()
  }

  /// Adjusts the number of threads to what the workers may use now; called between steps.
  func followWorkers() {
    let count = workers.current
    guard count != team.count else { return }
    team = PhaseTeam(count: count)
    makeScratch()
  }

  private func makeScratch() {
    let largest = updates.map { $0.rows.count * $0.columns.count }.max() ?? 0
    scratch = (0..<team.count).map { _ in SharedMatrix(rows: 1, columns: largest) }
  }

  /// The number of logits.
  package var classes: Int { layers[layers.count - 1].outputs.columns }

  /// All parameters, from the input up.
  package var parameters: [Parameter] {
    layers.flatMap { layer in
      [layer.weights, layer.bias]
        + (layer.normalization.map { [$0.scale, $0.shift] } ?? [])
    }
  }

  /// The moving averages of batch normalisation, by name.
  package var statistics: [(name: String, values: SharedMatrix)] {
    layers.enumerated().flatMap { index, layer in
      layer.normalization.map {
        [("layers.\(index).mean", $0.mean), ("layers.\(index).variance", $0.variance)]
      } ?? []
    }
  }

  /// A copy of the network as a value.
  package var network: AcousticNetwork {
    AcousticNetwork(
      layers: layers.map { layer in
        var normalization: BatchNormalization?
        if let own = layer.normalization {
          var copy = BatchNormalization(outputs: own.mean.columns)
          (copy.scale, copy.shift) = (own.scale.values.values, own.shift.values.values)
          (copy.mean, copy.variance) = (own.mean.values, own.variance.values)
          normalization = copy
        }
        return AffineLayer(
          weights: layer.weights.values.matrix, bias: layer.bias.values.values,
          offsets: layer.offsets, normalization: normalization)
      })
  }
}

/// Divides 0..<`count` into parts of at most `most`, as equal as multiples of 16 allow.
func evenParts(_ count: Int, _ most: Int) -> [Range<Int>] {
  let parts = max(1, (count + most - 1) / most)
  let size = ((count + parts - 1) / parts + 15) / 16 * 16
  return stride(from: 0, to: count, by: max(1, size)).map { $0..<min(count, $0 + size) }
}
