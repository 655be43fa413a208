package import LinearAlgebra

/// A network while it is trained: its parameters with what the optimiser keeps of each, and the scratch of
/// one batch.
///
/// A step is a sequence of phases of tasks that threads share. A task has some columns of a layer's outputs
/// for all frames of the batch, or a part of a layer's weights; its bounds depend on the shapes alone, and no
/// sum is cut, so the number of threads does not change a bit of the result.
// @unchecked: a task writes tiles of its own, and reads what an earlier phase has written.
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
  private let scratch: [SharedMatrix]
  private let updates: [WeightTask]
  /// The sum of the squares of each update task's gradient.
  private let squares: SharedMatrix
  let workers: Workers
  private let use: GradientUse

  /// The weights that one task has: some rows, and some columns of one offset.
  private struct WeightTask {
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
    let largest = updates.map { $0.rows.count * $0.columns.count }.max() ?? 0
    scratch = (0..<workers.count).map { _ in SharedMatrix(rows: 1, columns: largest) }
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

  // MARK: - A step

  /// One batch and what is done with it.
  package struct Step {
    /// A row for each frame of the first layer's output, by time first; see `rowsSeen`.
    package let input: SharedMatrix
    /// How many runs of frames go side by side.
    package let chunks: Int
    package var dropout = Dropout.none

    package init(input: SharedMatrix, chunks: Int) {
      (self.input, self.chunks) = (input, chunks)
    }
  }

  /// Computes the logits of a batch, replaces them by the gradient of the loss, and moves each parameter.
  ///
  /// - Parameters:
  ///   - step: the batch.
  ///   - loss: replaces the logits of a row by the gradient of the loss with respect to them; called once a
  ///     row, by several threads.
  ///   - update: moves a part of a parameter; called once a part, by several threads, unless the gradient
  ///     is kept.
  ///   - beside: other work, as the filling of the next batch, in so many tasks, which threads take when they
  ///     have no more of the step.
  /// - Returns: the square of the gradient's norm over all parameters.
  package func take(
    _ step: Step, loss: @Sendable (_ row: Int, _ logits: inout MutableSpan<Float>) -> Void,
    update: @Sendable (Update) -> Void,
    beside: (tasks: Int, run: @Sendable (_ task: Int) -> Void) = (0, { _ in })
  ) -> Double {
    let rows = setRowCounts(step)
    let forward = layers.indices.map { $0 }
    let backward = layers.indices.dropFirst().reversed().map { $0 }
    let lossTasks = (rows + rowsATask - 1) / rowsATask
    let sizes =
      forward.map { layers[$0].tiles.count } + [lossTasks]
      + backward.map { layers[$0 - 1].tiles.count } + [updates.count + beside.tasks]
    let (own, run) = (updates.count, beside.run)
    workers.runPhases(sizes) { phase, task, slot in
      if phase < forward.count {
        computeOutputs(of: forward[phase], task, step)
      } else if phase == forward.count {
        let logits = layers[layers.count - 1].outputs
        for row in task * rowsATask..<min(rows, (task + 1) * rowsATask) {
          logits.withRow(row) { loss(row, &$0) }
        }
      } else if phase < sizes.count - 1 {
        computeDelta(below: backward[phase - forward.count - 1], task, step)
      } else if task < own {
        computeGradient(task, slot, step, update: update)
      } else {
        run(task - own)
      }
    }
    return squares.values.reduce(0.0) { $0 + Double($1) }
  }

  /// Moves all parameters by the gradient that the last step kept.
  ///
  /// - Parameters:
  ///   - factor: what the gradient is multiplied by first.
  ///   - update: as in `take`.
  package func applyKeptGradient(
    scaledBy factor: Float, update: @Sendable (Update) -> Void
  ) {
    workers.forEach(updates.count) { task in
      let own = updates[task]
      let parameter = layers[own.layer].weights
      let columns = columns(of: own)
      let gradient = parameter.gradient.tile(rows: own.rows, columns: columns)
      gradient.scale(by: factor)
      update(part(of: parameter, own.rows, columns, gradient))
      guard own.hasVectors else { return }
      forEachVector(of: own.layer) { vector in
        let gradient = vector.gradient.tile(columns: own.rows)
        gradient.scale(by: factor)
        update(part(of: vector, 0..<1, own.rows, gradient))
      }
    }
  }

  /// Scales down the rows of weights whose norm is above a limit.
  ///
  /// Srivastava et al. 2014, §5.1.
  package func limitNorms(to limit: Float) {
    let rows = layers.indices.flatMap { layer in
      evenParts(layers[layer].weights.values.rows, 64).map { (layer, $0) }
    }
    workers.forEach(rows.count) { task in
      let weights = layers[rows[task].0].weights.values
      for row in rows[task].1 {
        let tile = weights.tile(rows: row..<row + 1)
        let norm = Float(tile.sumOfSquares.squareRoot())
        if norm > limit { tile.scale(by: limit / norm) }
      }
    }
  }

  /// Sizes the scratch for a batch.
  ///
  /// - Returns: the number of rows of logits.
  private func setRowCounts(_ step: Step) -> Int {
    var rows = step.input.rows
    for (index, layer) in layers.enumerated() {
      if index > 0 { rows -= span(of: layer) * step.chunks }
      precondition(
        rows >= 0, "TrainableNetwork: \(step.input.rows) rows of input for \(step.chunks) chunks")
      layer.outputs.setRowCount(rows)
      layer.delta.setRowCount(rows)
      layer.normalization?.normalised.setRowCount(rows)
    }
    return rows
  }

  private func span(of layer: Layer) -> Int {
    (layer.offsets.last ?? 0) - (layer.offsets.first ?? 0)
  }

  /// For each offset of a layer, the rows that it sees of the layer below, or of the input.
  private func rowsSeen(by index: Int, _ step: Step) -> [Range<Int>] {
    let layer = layers[index]
    guard index > 0 else { return [0..<layer.outputs.rows] }
    return Networks.rowsSeen(at: layer.offsets, rows: layer.outputs.rows, chunks: step.chunks)
  }

  // MARK: - Tasks

  private func computeOutputs(of index: Int, _ task: Int, _ step: Step) {
    let layer = layers[index]
    let columns = layer.tiles[task]
    let tile = layer.outputs.tile(columns: columns)
    tile.setSums(
      of: index == 0 ? step.input : layers[index - 1].outputs, rows: rowsSeen(by: index, step),
      weights: layer.weights.values.tile(rows: columns))
    let bias = layer.bias.values.tile(columns: columns)
    if index == layers.count - 1 {
      tile.add(bias: bias)
    } else if let own = layer.normalization {
      tile.add(bias: bias)
      let (mean, inverse) = (
        own.batchMean.tile(columns: columns), own.inverse.tile(columns: columns)
      )
      tile.normalizeAndRectify(
        keeping: own.normalised.tile(columns: columns),
        scale: own.scale.values.tile(columns: columns),
        shift: own.shift.values.tile(columns: columns), epsilon: BatchNormalization.epsilon,
        mean: mean, inverse: inverse)
      moveStatistics(own, columns, rows: layer.outputs.rows)
    } else {
      tile.addAndRectify(bias: bias)
    }
    if index < layers.count - 1 {
      step.dropout.apply(to: tile, layer: index, firstColumn: columns.lowerBound)
    }
  }

  /// Takes a batch's mean and unbiased variance into those that the network is used with.
  private func moveStatistics(_ own: Normalization, _ columns: Range<Int>, rows: Int) {
    let unbiased = Float(rows) / Float(max(1, rows - 1))
    let share = BatchNormalization.share
    own.mean.withRow(0) { mean in
      own.variance.withRow(0) { variance in
        for column in columns {
          let inverse = own.inverse.row(0)[column]
          let biased = 1 / (inverse * inverse) - BatchNormalization.epsilon
          mean[column] += share * (own.batchMean.row(0)[column] - mean[column])
          variance[column] += share * (biased * unbiased - variance[column])
        }
      }
    }
  }

  /// The gradient of some columns of the layer below a layer.
  private func computeDelta(below index: Int, _ task: Int, _ step: Step) {
    let (layer, below) = (layers[index], layers[index - 1])
    let columns = below.tiles[task]
    let tile = below.delta.tile(columns: columns)
    let seen = rowsSeen(by: index, step)
    // Rows that one offset alone sees, for all, need no zeros to add to.
    if seen.count > 1 { tile.clear() }
    for (offset, rows) in seen.enumerated() {
      let start = offset * layer.inputs
      tile.rows(rows).setProduct(
        layer.delta.tile, .asIs,
        layer.weights.values.tile(
          columns: start + columns.lowerBound..<start + columns.upperBound), .asIs,
        seen.count > 1 ? .adding : .replacing)
    }
    tile.mask(byPositive: below.outputs.tile(columns: columns), scale: step.dropout.scale)
    guard let own = below.normalization else { return }
    tile.normalizeBack(
      own.normalised.tile(columns: columns), scale: own.scale.values.tile(columns: columns),
      inverse: own.inverse.tile(columns: columns),
      scaleGradient: own.scale.gradient.tile(columns: columns),
      shiftGradient: own.shift.gradient.tile(columns: columns))
  }

  private func columns(of task: WeightTask) -> Range<Int> {
    let start = task.offset * layers[task.layer].inputs
    return start + task.columns.lowerBound..<start + task.columns.upperBound
  }

  /// The gradient of a part of the weights, and their step while it is in the cache.
  private func computeGradient(
    _ task: Int, _ slot: Int, _ step: Step, update: @Sendable (Update) -> Void
  ) {
    let own = updates[task]
    let layer = layers[own.layer]
    let below = own.layer == 0 ? step.input : layers[own.layer - 1].outputs
    let columns = columns(of: own)
    let gradient =
      use == .kept
      ? layer.weights.gradient.tile(rows: own.rows, columns: columns)
      : scratch[slot].tile(asRows: own.rows.count, columns: own.columns.count)
    let delta = layer.delta.tile(columns: own.rows)
    // The first layer's input has the frames of all its offsets in a row.
    let seen =
      own.layer == 0
      ? below.tile(columns: columns)
      : below.tile(rows: rowsSeen(by: own.layer, step)[own.offset], columns: own.columns)
    gradient.setProduct(delta, .transposed, seen, .asIs)
    var sum = gradient.sumOfSquares
    if use == .immediate { update(part(of: layer.weights, own.rows, columns, gradient)) }
    if own.hasVectors {
      delta.writeColumnSums(to: layer.bias.gradient.tile(columns: own.rows))
      forEachVector(of: own.layer) { vector in
        let gradient = vector.gradient.tile(columns: own.rows)
        sum += gradient.sumOfSquares
        if use == .immediate { update(part(of: vector, 0..<1, own.rows, gradient)) }
      }
    }
    squares.tile(columns: task..<task + 1).withRow(0) { $0[0] = Float(sum) }
  }

  private func forEachVector(of index: Int, _ body: (Parameter) -> Void) {
    body(layers[index].bias)
    guard let own = layers[index].normalization else { return }
    body(own.scale)
    body(own.shift)
  }

  private func part(
    of parameter: Parameter, _ rows: Range<Int>, _ columns: Range<Int>, _ gradient: Tile
  ) -> Update {
    Update(
      kind: parameter.kind, values: parameter.values.tile(rows: rows, columns: columns),
      moments: parameter.moments.map { $0.tile(rows: rows, columns: columns) }, gradient: gradient)
  }
}

/// The rows of logits that one task replaces by their gradient.
private let rowsATask = 32

/// Parts of at most so many that are as even as can be in multiples of 16.
private func evenParts(_ count: Int, _ most: Int) -> [Range<Int>] {
  let parts = max(1, (count + most - 1) / most)
  let size = ((count + parts - 1) / parts + 15) / 16 * 16
  return stride(from: 0, to: count, by: max(1, size)).map { $0..<min(count, $0 + size) }
}
