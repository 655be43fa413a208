package import LinearAlgebra

/// A network while it is trained: its parameters with what the optimiser keeps of each, and the scratch of
/// one batch.
///
/// A step is a sequence of phases of tasks that threads share. A task has some columns of a layer's outputs
/// for all frames of the batch, or a part of a layer's weights; its bounds depend on the shapes alone, and no
/// sum is cut, so the number of threads does not change a bit of the result.
// @unchecked: a task writes its own tiles and reads those of earlier phases; the rest changes between steps.
package final class TrainableNetwork: @unchecked Sendable {
  /// One tensor with what the optimiser keeps of each value.
  package struct Parameter {
    /// What a parameter is for; weights alone are decayed and held to a norm.
    package enum Kind: Sendable { case weights, other }

    package let name: String
    package let kind: Kind
    package let values: SharedMatrix
    package let moments: [SharedMatrix]
    /// The last step's gradient; empty of weights whose gradient is not kept.
    package let gradient: SharedMatrix

    init(_ name: String, _ kind: Kind, _ values: SharedMatrix, moments: Int, _ use: GradientUse) {
      let (rows, columns) = (values.rows, values.columns)
      (self.name, self.kind, self.values) = (name, kind, values)
      self.moments = (0..<moments).map { _ in SharedMatrix(rows: rows, columns: columns) }
      let isKept = kind == .other || use == .kept
      gradient = SharedMatrix(rows: isKept ? rows : 0, columns: columns)
    }
  }

  /// What becomes of the weights' gradient.
  package enum GradientUse: Sendable {
    /// Each part is used at once, while it is in the cache, and forgotten.
    case immediate
    /// It is kept whole, to be scaled before it is used.
    case kept
  }

  /// A part of a parameter that is to be moved against its gradient.
  package struct Update: Sendable {
    package let kind: Parameter.Kind
    package let values: Tile
    package let moments: [Tile]
    package let gradient: Tile
  }

  /// One layer with its scratch.
  struct Layer {
    let offsets: [Int]
    let weights: Parameter
    let bias: Parameter
    let normalization: Normalization?
    let outputs: SharedMatrix
    /// The gradient of the loss with respect to the sums; of the last layer its outputs, which the loss
    /// replaces.
    let delta: SharedMatrix
    /// The columns that one task takes.
    let tiles: [Range<Int>]

    /// The weights of one frame of the layer below.
    var inputs: Int { weights.values.columns / offsets.count }
  }

  /// A layer's batch normalisation with its scratch.
  struct Normalization {
    let scale, shift: Parameter
    let mean, variance: SharedMatrix
    let normalised: SharedMatrix
    let batchMean, inverse: SharedMatrix
  }

  let layers: [Layer]
  /// Part of a weight's gradient, one for each thread.
  private(set) var scratch: [SharedMatrix] = []
  let updates: [WeightTask]
  /// The sum of the squares of each update task's gradient.
  let squares: SharedMatrix
  let workers: Workers
  private(set) var team: PhaseTeam
  let use: GradientUse

  /// The weights that one task has: some rows, and some columns of one offset.
  struct WeightTask {
    let layer: Int
    let offset: Int
    let rows: Range<Int>
    let columns: Range<Int>
    /// Whether it has the parameters that are one value an output as well.
    let hasVectors: Bool
  }

  /// - Parameters:
  ///   - network: its start.
  ///   - moments: how many values the optimiser keeps of each parameter, which start at zero.
  ///   - use: what becomes of the weights' gradient.
  ///   - workers: share each step.
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

  /// Takes as many threads as the workers may use now; called between two steps.
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

  package var classes: Int { layers[layers.count - 1].outputs.columns }

  /// All parameters, from the input up.
  package var parameters: [Parameter] {
    layers.flatMap { layer in
      [layer.weights, layer.bias]
        + (layer.normalization.map { [$0.scale, $0.shift] } ?? [])
    }
  }

  /// The moving statistics of normalisations, by name.
  package var statistics: [(name: String, values: SharedMatrix)] {
    layers.enumerated().flatMap { index, layer in
      layer.normalization.map {
        [("layers.\(index).mean", $0.mean), ("layers.\(index).variance", $0.variance)]
      } ?? []
    }
  }

  /// A copy as a value.
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

/// Parts of at most so many that are as even as can be in multiples of 16.
func evenParts(_ count: Int, _ most: Int) -> [Range<Int>] {
  let parts = max(1, (count + most - 1) / most)
  let size = ((count + parts - 1) / parts + 15) / 16 * 16
  return stride(from: 0, to: count, by: max(1, size)).map { $0..<min(count, $0 + size) }
}
