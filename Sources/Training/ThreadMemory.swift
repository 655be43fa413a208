package import LinearAlgebra
package import Storage
import Synchronization

/// The addresses that threads take when they first compute, and keep for later work.
///
/// Each takes a buffer of OpenBLAS, which waits for ever where there is no room for it, a heap and a stack.
package enum ThreadMemory {
  /// The most threads that have computed so far.
  private static let warm = Mutex(0)

  /// 128 MiB of OpenBLAS, 64 MiB of heap, 8 MiB of stack.
  private static let bytesAThread = 200 << 20

  /// The bytes that so many threads still have to take.
  package static func missing(for workers: Workers) -> Int {
    max(0, workers.count - warm.withLock { $0 }).multiplyingSaturated(bytesAThread)
  }

  /// Notes that work of so many threads has been done.
  package static func note(_ workers: Workers) { warm.withLock { $0 = max($0, workers.count) } }

  /// Throws `MemoryFault` for work whose values or threads there is no room for.
  ///
  /// - Parameters:
  ///   - need: what it takes besides its threads.
  ///   - work: its name.
  ///   - remedy: which options to change, other than the number of threads.
  ///   - workers: its threads.
  ///   - budget: what there is.
  /// - Throws: `MemoryFault`.
  package static func require(
    _ need: MemoryNeed, for work: String, remedy: String, workers: Workers,
    budget: MemoryBudget = .current()
  ) throws(MemoryFault) {
    try budget.require(need, for: work, remedy: remedy)
    let addresses = missing(for: workers)
    guard let limit = budget.limit(below: need.bytes, addresses: addresses) else { return }
    var all = need
    all.add("address space of the threads", addresses, size: 1)
    throw .tooLittle(
      work: work, bytes: all.bytes, parts: all.words, limit: limit,
      remedy: "use fewer threads (--threads), or raise the limit")
  }

  /// Throws `MemoryFault` for the logits of networks for which there is no room.
  ///
  /// - Parameters:
  ///   - frames: what they are of.
  ///   - networks: how many have theirs in memory at a time.
  ///   - classes: of each.
  ///   - workers: share the work.
  /// - Throws: `MemoryFault`.
  package static func require(
    forLogitsOf frames: ArchiveFrames, by networks: Int, classes: Int, workers: Workers
  ) throws(MemoryFault) {
    let longest = (0..<frames.count).reduce(0) { max($0, frames.frameCount(of: $1)) }
    var need = MemoryNeed()
    need.add("logits", networks.multiplyingSaturated(2), longest, classes)
    need.add("features", 2, longest, frames.columns)
    try require(
      need, for: "scores", remedy: "use shorter recordings, or raise the limit", workers: workers)
  }
}
