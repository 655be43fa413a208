/// The batches of one pass over a set.
package struct EpochPlan: Sendable {
  let set: FrameSet
  let resident: FrameBlock?
  let order: FrameSet.Order
  let segments: [Segment]
  let blocks: [Range<Int>]
  let layout: BatchLayout
  private let batchSize: Int

  init(
    set: FrameSet, resident: FrameBlock?, order: FrameSet.Order, segments: [Segment],
    blocks: [Range<Int>], layout: BatchLayout, batchSize: Int
  ) {
    (self.set, self.resident, self.order) = (set, resident, order)
    (self.segments, self.blocks, self.layout) = (segments, blocks, layout)
    self.batchSize = batchSize
  }

  /// Runs of frames in a batch.
  var itemsABatch: Int { max(1, batchSize / layout.chunk) }

  func itemCount(of segment: Segment) -> Int {
    (segment.frames.count + layout.chunk - 1) / layout.chunk
  }

  /// The number of batches of a block.
  func batches(of block: Int) -> Int {
    let items = segments[blocks[block]].reduce(0) { $0 + itemCount(of: $1) }
    return (items + itemsABatch - 1) / itemsABatch
  }

  /// The number of batches.
  package var batchCount: Int { blocks.indices.reduce(0) { $0 + batches(of: $1) } }
}
