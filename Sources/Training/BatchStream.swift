import LinearAlgebra
package import Storage

/// The batches of one pass over a set, prepared ahead of their use.
///
/// A separate thread reads the frames and assigns them to batches. The caller fills each batch.
package final class BatchStream {
  private let prefetch: Prefetch<MadeBatch>
  /// The last two batches returned.
  private var inUse: [MadeBatch] = []

  /// The default number of batches that may be ready.
  package static let usualDepth = 8
  /// The number of a default stream's batches in memory at a time: ready, in use, and being made.
  static let mostBatches = usualDepth + 2 + 1

  private struct MadeBatch: Sendable {
    let batch: Batch
    let next: FrameSet.Position
  }

  /// - Parameters:
  ///   - plan: the plan of the pass.
  ///   - position: the position of the first batch.
  ///   - depth: the number of batches that may be ready.
  package init(
    _ plan: EpochPlan, from position: FrameSet.Position = .init(), depth: Int = usualDepth
  ) {
    var producer: BatchProducer?
    prefetch = Prefetch(depth: depth) { used in
      var own = try producer ?? BatchProducer(plan, from: position)
      let made = try own.next(reusing: used?.batch)
      producer = own
      return made.map { MadeBatch(batch: $0.batch, next: $0.next) }
    }
  }

  deinit { prefetch.cancel() }

  /// Returns the next batch, assigned but not filled.
  ///
  /// - Returns: the batch, valid until the call after the next, and the position after it; nil at
  ///   the end of the pass.
  /// - Throws: `FileFault` when its frames cannot be read.
  package func next() throws(FileFault) -> (batch: Batch, next: FrameSet.Position)? {
    do {
      let used = inUse.count == 2 ? inUse.removeFirst() : nil
      used?.batch.release()
      guard let made = try prefetch.next(recycling: used) else { return nil }
      inUse.append(made)
      return (made.batch, made.next)
    } catch {
      throw error as? FileFault ?? .unreadable(path: .named("frames"), reason: "\(error)")
    }
  }
}
