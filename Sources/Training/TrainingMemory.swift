package import Networks
package import Storage

/// The memory needed to train one network, computed from the shapes alone.
package struct TrainingMemory: Sendable, Equatable {
  /// The number of parameters of the network.
  package let parameters: Int
  /// The memory needed for this network alone, in named parts; `FrameMemory` has the frames that
  /// networks share.
  package let need: MemoryNeed

  /// - Parameters:
  ///   - features: the number of features in a frame.
  ///   - context: the context of a feed-forward network's first layer, in frames.
  ///   - hidden: the hidden layers.
  ///   - classes: the number of classes.
  ///   - softColumns: the number of values in a frame's soft target.
  ///   - options: how the network is trained.
  ///   - frames: the number of frames in the larger of the two sets.
  ///   - pools: the sizes in bytes of pools that the network does not share.
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
    // Evaluation uses batches of 1024 frames.
    let wanted = min(max(options.batchSize, 1024), max(1, frames) + options.chunk)
    let chunk = above == 0 ? 1 : options.chunk
    let rows = max(1, wanted / chunk).multiplyingSaturated(chunk + above)
    let moments = options.optimizer.moments
    var need = MemoryNeed()
    // The network in training, the initial one, the best one, and the copy that is scored or saved.
    need.add("networks", 4, parameters)
    // In use, and in a checkpoint that is being written.
    need.add("optimiser", 2 * moments, parameters)
    // In use, in a checkpoint that is being written, and where its statistics are measured.
    let isMeasured = options.averaging != nil && hidden.batchNormalization
    need.add("average", options.averaging == nil ? 0 : isMeasured ? 3 : 2, parameters)
    need.add("gradients", options.clipNorm == nil ? 0 : 1, parameters)
    need.add("checkpoint", 1, largest)
    let width = (hidden.batchNormalization ? 3 : 2) * hidden.layers
    need.add(
      "activations", isMeasured ? 2 : 1, rows,
      width.multiplyingSaturated(hidden.units).addingSaturated(classes)
        .addingSaturated(hidden.units).addingSaturated(classes))
    need.add(
      "batches", BatchStream.mostBatches, rows,
      (offsets[0].count).multiplyingSaturated(features).addingSaturated(softColumns))
    for pool in pools { need.add("pool", pool, size: 1) }
    self.need = need
  }
}

/// The memory needed for the frames of a set.
package struct FrameMemory: Sendable, Equatable {
  /// Whether networks share the frames; otherwise each has its own pool.
  package let isShared: Bool
  /// The size of the set in memory, or of one pool, in bytes.
  package let bytes: Int

  /// - Parameters:
  ///   - frames: the number of frames in the set.
  ///   - columns: the number of features in a frame.
  ///   - softColumns: the number of values in a frame's soft target.
  ///   - pool: the number of frames that may be in memory.
  package init(frames: Int, columns: Int, softColumns: Int, pool: Int) {
    isShared = frames <= pool
    var need = MemoryNeed()
    need.add("frames", min(frames, pool), columns + 1 + softColumns)
    bytes = need.bytes
  }
}
