package import Storage

/// The batches of one pass over a set.
package struct EpochPlan: Sendable {
  let set: FrameSet
  let resident: FrameBlock?
  let order: FrameSet.Order
  private let sampling: ClassSampling?
  /// The seed of this pass's sampling.
  private let samplingKey: UInt64
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
    var epoch = 0
    if case .shuffled(_, let number) = order { epoch = number }
    samplingKey = sampling?.key(ofEpoch: epoch) ?? 0
  }

  /// The number of runs in a batch.
  var itemsABatch: Int { max(1, batchSize / layout.chunk) }

  /// The runs of a segment, in time order.
  func runs(of segment: Segment) -> [Range<Int>] {
    stride(from: segment.frames.lowerBound, to: segment.frames.upperBound, by: layout.chunk).map {
      $0..<min(segment.frames.upperBound, $0 + layout.chunk)
    }
  }

  /// Which frames of a run are learnt from; nil for all of them.
  func draw(_ run: Range<Int>, of utterance: Int) -> ClassSampling.Draw? {
    sampling?.draw(samplingKey, utterance: utterance, run: run.lowerBound)
  }

  /// The class id that a frame is learnt as; `FrameClass.none` when it is not learnt from.
  func learnt(_ label: Int32, _ draw: ClassSampling.Draw?) -> Int32 {
    guard let sampling, let draw else { return label }
    return sampling.learnt(label, draw)
  }

  /// The runs of a segment that contain a frame to learn from.
  ///
  /// - Parameters:
  ///   - segment: a segment of the set.
  ///   - labels: the class ids of its frames.
  /// - Returns: the runs in time order.
  func learntRuns(of segment: Segment, labels: ArraySlice<Int32>) -> [Range<Int>] {
    guard sampling != nil else { return runs(of: segment) }
    let shift = labels.startIndex - segment.frames.lowerBound
    return runs(of: segment).filter { run in
      let draw = draw(run, of: segment.utterance)
      return labels[run.lowerBound + shift..<run.upperBound + shift]
        .contains { learnt($0, draw) != FrameClass.none }
    }
  }

  /// Counts the batches of the pass.
  ///
  /// - Throws: `FileFault` when labels must be read for the count and cannot be.
  package func countBatches() throws(FileFault) -> Int {
    var batches = 0
    for block in blocks {
      var items = 0
      for (number, segment) in segments[block].enumerated() {
        if sampling == nil {
          items += (segment.frames.count + layout.chunk - 1) / layout.chunk
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
