package import Networks
package import Storage

/// The memory that the training of one network takes, from the shapes alone.
package struct TrainingMemory: Sendable, Equatable {
  /// The values of the network.
  package let parameters: Int
  /// What is taken for the network by itself; frames that networks share are `FrameMemory`.
  package let need: MemoryNeed

  /// - Parameters:
  ///   - features: the values of a frame.
  ///   - context: what a feed-forward network's first layer sees.
  ///   - hidden: the layers between.
  ///   - classes: the number of logits.
  ///   - softColumns: the values of a frame's soft targets.
  ///   - options: how it is trained.
  ///   - frames: of the larger of both sets.
  ///   - pools: the bytes of pools that the network has for itself.
  package init(
    features: Int, context: ClosedRange<Int>, hidden: HiddenShape, classes: Int, softColumns: Int,
    options: TrainingOptions, frames: Int, pools: [Int] = []
  ) {
    let offsets = hidden.offsets(context: context)
    var (inputs, parameters, largest, above) = (features, 0, 0, 0)
    for (index, seen) in offsets.enumerated() {
      let outputs = index == hidden.layers ? classes : hidden.units
      let weights = seen.count.multiplyingSaturated(inputs).multiplyingSaturated(outputs)
      let vectors = (hidden.batchNormalization && index < hidden.layers ? 5 : 1)
        .multiplyingSaturated(outputs)
      parameters = parameters.addingSaturated(weights).addingSaturated(vectors)
      largest = max(largest, weights)
      if index > 0 { above += (seen.last ?? 0) - (seen.first ?? 0) }
      inputs = outputs
    }
    self.parameters = parameters
    // A batch of evaluation has 1024 frames.
    let wanted = min(max(options.batchSize, 1024), max(1, frames) + options.chunk)
    let chunk = above == 0 ? 1 : options.chunk
    let rows = max(1, wanted / chunk).multiplyingSaturated(chunk + above)
    let moments = options.optimizer.moments
    var need = MemoryNeed()
    // The network that is trained, the one it started from, the best one, and the copy that is scored or saved.
    need.add("networks", 4, parameters)
    // As it is used, and as it is in a checkpoint that is being written.
    need.add("optimiser", 2 * moments, parameters)
    need.add("gradients", options.clipNorm == nil ? 0 : 1, parameters)
    need.add("checkpoint", 1, largest)
    let width = (hidden.batchNormalization ? 3 : 2) * hidden.layers
    need.add(
      "activations", rows,
      width.multiplyingSaturated(hidden.units).addingSaturated(classes)
        .addingSaturated(hidden.units).addingSaturated(classes))
    need.add(
      "batches", BatchStream.mostBatches, rows,
      (offsets[0].count).multiplyingSaturated(features).addingSaturated(softColumns))
    for pool in pools { need.add("pool", pool, size: 1) }
    self.need = need
  }
}

/// The memory that the frames of a set take.
package struct FrameMemory: Sendable, Equatable {
  /// Whether networks share them; else each has a pool of its own.
  package let isShared: Bool
  package let bytes: Int

  /// - Parameters:
  ///   - frames: of the set.
  ///   - columns: the features of a frame.
  ///   - softColumns: the values of its soft targets.
  ///   - pool: the frames that may be in memory.
  package init(frames: Int, columns: Int, softColumns: Int, pool: Int) {
    isShared = frames <= pool
    var need = MemoryNeed()
    need.add("frames", min(frames, pool), columns + 1 + softColumns)
    bytes = need.bytes
  }
}
