package import LinearAlgebra

extension TrainableNetwork {
  /// One batch and how to train on it.
  package struct Step {
    /// One row for each frame of the first layer's output, ordered by time, then by chunk; see
    /// `rowsSeen`.
    package let input: SharedMatrix
    /// The number of chunks of consecutive frames in the batch.
    package let chunks: Int
    /// The dropout of hidden units.
    package var dropout = Dropout.none
    /// The weight of the batch in the moving averages of mean and variance.
    ///
    /// It should be less for a batch that is smaller than the others.
    package var statisticsShare = BatchNormalization.share

    /// A batch without dropout, with the usual weight in the moving averages.
    package init(input: SharedMatrix, chunks: Int) {
      (self.input, self.chunks) = (input, chunks)
    }
  }

  /// Computes the logits of a batch, replaces them by the gradient of the loss, and moves each
  /// parameter.
  ///
  /// - Parameters:
  ///   - step: the batch.
  ///   - loss: replaces a row of logits by the gradient of the loss with respect to them. It is
  ///     called once per row, by several threads.
  ///   - update: moves a part of a parameter. It is called once per part, by several threads; not
  ///     at all when the weights' gradient is kept.
  ///   - beside: other work, such as filling the next batch, divided into tasks. Threads run these
  ///     when none of the step's tasks are left.
  /// - Returns: the squared norm of the gradient over all parameters.
  package func take(
    _ step: Step, loss: @Sendable (_ row: Int, _ logits: inout MutableSpan<Float>) -> Void,
    update: @Sendable (Update) -> Void,
    beside: (tasks: Int, run: @Sendable (_ task: Int) -> Void) = (0, { _ in })
  ) -> Double {
    followWorkers()
    let rows = setRowCounts(step)
    let forward = layers.indices.map { $0 }
    let backward = layers.indices.dropFirst().reversed().map { $0 }
    let lossTasks = (rows + rowsATask - 1) / rowsATask
    let sizes =
      forward.map { layers[$0].tiles.count } + [lossTasks]
      + backward.map { layers[$0 - 1].tiles.count } + [updates.count + beside.tasks]
    let (own, run) = (updates.count, beside.run)
    team.run(sizes) { phase, task, slot in
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

  /// Computes the hidden layers of a batch, and moves their averages of mean and variance; all else
  /// is unchanged.
  ///
  /// - Parameter step: the batch.
  package func measure(_ step: Step) {
    followWorkers()
    _ = setRowCounts(step)
    team.run(layers.dropLast().map(\.tiles.count)) { phase, task, _ in
      computeOutputs(of: phase, task, step)
    }
  }

  /// Moves all parameters by the gradient that the last step kept.
  ///
  /// - Parameters:
  ///   - factor: multiplies the gradient first.
  ///   - update: as for `take`.
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

  /// Scales down each row of weights whose norm exceeds a limit.
  ///
  /// See Srivastava et al. 2014, §5.1.
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

  /// Sizes the scratch matrices for a batch.
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
      moveStatistics(own, columns, rows: layer.outputs.rows, share: step.statisticsShare)
    } else {
      tile.addAndRectify(bias: bias)
    }
    if index < layers.count - 1 {
      step.dropout.apply(to: tile, layer: index, firstColumn: columns.lowerBound)
    }
  }

  /// Updates the moving averages of mean and unbiased variance with those of a batch.
  private func moveStatistics(
    _ own: Normalization, _ columns: Range<Int>, rows: Int, share: Float
  ) {
    // One row has no variance.
    guard rows > 1 else { return }
    let unbiased = Float(rows) / Float(rows - 1)
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

  /// Computes the gradient of some columns of the layer below a layer.
  private func computeDelta(below index: Int, _ task: Int, _ step: Step) {
    let (layer, below) = (layers[index], layers[index - 1])
    let columns = below.tiles[task]
    let tile = below.delta.tile(columns: columns)
    let seen = rowsSeen(by: index, step)
    // With a single offset, the product replaces the rows.
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

  /// Computes the gradient of a part of the weights, and updates them while it is in the cache.
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
    // A row of the first layer's input holds the frames of all its offsets.
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

/// The number of rows of logits that one task replaces by their gradient.
private let rowsATask = 32
