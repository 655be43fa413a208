import LinearAlgebra
import Networks
import Storage

/// Assigns the batches of a plan one after the other while it reads the next block.
struct BatchProducer {
  private let plan: EpochPlan
  private var position: FrameSet.Position
  private var block: FrameBlock
  private var items: [(segment: Int, frames: Range<Int>)]
  /// The next block, and the number of its segments read so far; nil when there is none.
  private var ahead: (block: FrameBlock, read: Int)?

  /// - Parameters:
  ///   - plan: the plan of the pass.
  ///   - position: the position of the first batch.
  /// - Throws: `FileFault` when the first block cannot be read.
  init(_ plan: EpochPlan, from position: FrameSet.Position) throws(FileFault) {
    (self.plan, self.position) = (plan, position)
    if let resident = plan.resident {
      block = resident
    } else {
      block = BatchProducer.emptyBlock(position.block, of: plan)
      for segment in plan.segments[plan.blocks[position.block]] { try block.append(segment) }
    }
    items = BatchProducer.items(of: position.block, in: plan, block)
    ahead = BatchProducer.next(after: position.block, of: plan)
  }

  private static func emptyBlock(_ index: Int, of plan: EpochPlan) -> FrameBlock {
    FrameBlock(
      for: plan.segments[plan.blocks[index]], of: plan.set.source,
      normalizer: plan.set.normalizer, margin: plan.layout.margin)
  }

  private static func next(after index: Int, of plan: EpochPlan) -> (FrameBlock, Int)? {
    index + 1 < plan.blocks.count ? (emptyBlock(index + 1, of: plan), 0) : nil
  }

  /// The runs of a block that is in memory, in the order in which batches take them.
  private static func items(
    of index: Int, in plan: EpochPlan, _ block: FrameBlock
  ) -> [(segment: Int, frames: Range<Int>)] {
    let items = plan.segments[plan.blocks[index]].enumerated().flatMap { number, segment in
      plan.learntRuns(of: segment, labels: block.labels(of: number))
        .map { (segment: number, frames: $0) }
    }
    guard case .shuffled(let seed, let epoch) = plan.order else { return items }
    var generator = SeededGenerator(
      seed, RandomStream.order.rawValue, UInt64(epoch), UInt64(index))
    return generator.permutation(of: items.count).map { items[Int($0)] }
  }

  /// Assigns the next batch.
  ///
  /// - Parameter used: a batch that is no longer needed, whose memory is reused.
  /// - Returns: the batch and the position after it; nil at the end of the pass.
  /// - Throws: `FileFault` when the next block cannot be read.
  mutating func next(
    reusing used: Batch?
  ) throws(FileFault) -> (batch: Batch, next: FrameSet.Position)? {
    // A block of a sampled set may have no frame to learn from.
    while position.batch * plan.itemsABatch >= items.count {
      guard try moveOn() else { return nil }
    }
    try readAhead()
    let batch =
      used
      ?? Batch(
        inputs: plan.layout.offsets.count * plan.set.source.columns,
        softColumns: plan.set.source.softColumns)
    let start = position.batch * plan.itemsABatch
    batch.assign(
      Array(items[start..<min(items.count, start + plan.itemsABatch)]), from: block,
      plan: plan)
    position.batch += 1
    return (batch, position)
  }

  /// Moves to the next block.
  ///
  /// - Returns: whether there is one.
  private mutating func moveOn() throws(FileFault) -> Bool {
    guard var next = ahead else { return false }
    position.block += 1
    position.batch = 0
    let segments = plan.segments[plan.blocks[position.block]]
    while next.read < segments.count {
      try next.block.append(segments[segments.startIndex + next.read])
      next.read += 1
    }
    block = next.block
    items = BatchProducer.items(of: position.block, in: plan, block)
    ahead = BatchProducer.next(after: position.block, of: plan)
    return true
  }

  /// Reads part of the next block, in proportion to the batches of this one.
  private mutating func readAhead() throws(FileFault) {
    guard var next = ahead else { return }
    let segments = plan.segments[plan.blocks[position.block + 1]]
    let batches = (items.count + plan.itemsABatch - 1) / plan.itemsABatch
    let wanted = min(segments.count, segments.count * (position.batch + 1) / batches + 1)
    while next.read < wanted {
      try next.block.append(segments[segments.startIndex + next.read])
      next.read += 1
    }
    ahead = next
  }
}
