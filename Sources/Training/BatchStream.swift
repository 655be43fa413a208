import LinearAlgebra
package import Storage

/// The batches of one pass over a set, of which the next ones are made while one is used.
package final class BatchStream {
  private let prefetch: Prefetch<MadeBatch>
  private var inUse: MadeBatch?

  private struct MadeBatch: Sendable {
    let batch: Batch
    let next: FrameSet.Position
  }

  /// - Parameters:
  ///   - plan: the pass.
  ///   - position: of the first batch.
  ///   - depth: how many batches may be ready.
  package init(_ plan: EpochPlan, from position: FrameSet.Position = .init(), depth: Int = 2) {
    var producer: BatchProducer?
    prefetch = Prefetch(depth: depth) { used in
      var own = try producer ?? BatchProducer(plan, from: position)
      let made = try own.next(reusing: used?.batch)
      producer = own
      return made.map { MadeBatch(batch: $0.batch, next: $0.next) }
    }
  }

  deinit { prefetch.cancel() }

  /// The next batch, which is valid until the next call, with the position behind it; nil at the end.
  ///
  /// - Throws: `FileFault` when its frames cannot be read.
  package func next() throws(FileFault) -> (batch: Batch, next: FrameSet.Position)? {
    do {
      inUse = try prefetch.next(recycling: inUse)
    } catch {
      throw error as? FileFault ?? .unreadable(path: "frames", reason: "\(error)")
    }
    return inUse.map { ($0.batch, $0.next) }
  }
}
