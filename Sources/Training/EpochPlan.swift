package import Storage

/// The batches of one pass over a set.
package struct EpochPlan: Sendable {
  let set: FrameSet
  let resident: FrameBlock?
  let order: FrameSet.Order
  private let sampling: ClassSampling?
  let segments: [Segment]
  let blocks: [Range<Int>]
  let layout: BatchLayout
  private let batchSize: Int

  init(
    set: FrameSet, resident: FrameBlock?, order: FrameSet.Order, sampling: ClassSampling?,
    segments: [Segment], blocks: [Range<Int>], layout: BatchLayout, batchSize: Int
  ) {
    (self.set, self.resident, self.order, self.sampling) = (set, resident, order, sampling)
    (self.segments, self.blocks, self.layout) = (segments, blocks, layout)
    self.batchSize = batchSize
  }

  /// Runs of frames in a batch.
  var itemsABatch: Int { max(1, batchSize / layout.chunk) }

  /// The runs of frames of a segment, in their order.
  func runs(of segment: Segment) -> [Range<Int>] {
    stride(from: segment.frames.lowerBound, to: segment.frames.upperBound, by: layout.chunk).map {
      $0..<min(segment.frames.upperBound, $0 + layout.chunk)
    }
  }

  /// What the frames of a run are learnt as in this pass; `FrameClass.none` for not at all.
  ///
  /// - Parameters:
  ///   - run: of the utterance.
  ///   - utterance: its index in the set.
  ///   - labels: the classes of these frames.
  /// - Returns: one a frame.
  func labels(
    _ run: Range<Int>, of utterance: Int, from labels: ArraySlice<Int32>
  ) -> ArraySlice<Int32> {
    guard let sampling else { return labels }
    var epoch = 0
    if case .shuffled(_, let number) = order { epoch = number }
    return sampling.labels(labels, epoch: epoch, utterance: utterance, run: run.lowerBound)[...]
  }

  /// The runs of frames of a segment that there is something to learn from.
  ///
  /// - Parameters:
  ///   - segment: of the set.
  ///   - labels: the classes of its frames.
  /// - Returns: in their order.
  func learntRuns(of segment: Segment, labels: ArraySlice<Int32>) -> [Range<Int>] {
    guard sampling != nil else { return runs(of: segment) }
    let shift = labels.startIndex - segment.frames.lowerBound
    return runs(of: segment).filter { run in
      self.labels(
        run, of: segment.utterance,
        from: labels[run.lowerBound + shift..<run.upperBound + shift]
      ).contains { $0 != FrameClass.none }
    }
  }

  /// The number of batches.
  ///
  /// - Throws: `FileFault` when classes must be read for it and cannot be.
  package func countBatches() throws(FileFault) -> Int {
    var batches = 0
    for block in blocks {
      var items = 0
      for (number, segment) in segments[block].enumerated() {
        if sampling == nil {
          items += runs(of: segment).count
        } else if let resident {
          items += learntRuns(of: segment, labels: resident.labels(of: number)).count
        } else {
          let labels = try set.source.labels(segment.frames, of: segment.utterance)
          items += learntRuns(of: segment, labels: labels[...]).count
        }
      }
      batches += (items + itemsABatch - 1) / itemsABatch
    }
    return batches
  }
}
