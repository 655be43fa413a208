import LinearAlgebra
package import Storage

/// The batches of one pass over a set, of which the next ones are made while one is used.
///
/// A thread of its own reads what they need and assigns their frames; who uses a batch fills it.
package final class BatchStream {
  private let prefetch: Prefetch<MadeBatch>
  /// The two batches that were given last.
  private var inUse: [MadeBatch] = []

  /// How many batches may be ready, where nothing else is asked for.
  package static let usualDepth = 8
  /// The batches of such a stream that are in memory at a time: ready, in use, and being made.
  static let mostBatches = usualDepth + 2 + 1

  private struct MadeBatch: Sendable {
    let batch: Batch
    let next: FrameSet.Position
  }

  /// - Parameters:
  ///   - plan: the pass.
  ///   - position: of the first batch.
  ///   - depth: how many batches may be ready.
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

  /// The next batch, not filled yet.
  ///
  /// - Returns: the batch, which is valid until the call after the next, with the position behind it; nil at
  ///   the end.
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
