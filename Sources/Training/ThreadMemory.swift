package import LinearAlgebra
package import Storage
import Synchronization

/// The address space that threads reserve when they first compute, and keep for later work.
///
/// Each reserves an OpenBLAS buffer, a heap and a stack. OpenBLAS waits forever if there is no room
/// for its buffer.
package enum ThreadMemory {
  /// The largest number of threads that have computed so far.
  private static let warm = Mutex(0)

  /// 128 MiB for OpenBLAS, 64 MiB of heap and 8 MiB of stack.
  private static let bytesAThread = 200 << 20

  /// The number of bytes that these threads have yet to reserve.
  package static func missing(for workers: Workers) -> Int {
    max(0, workers.count - warm.withLock { $0 }).multiplyingSaturated(bytesAThread)
  }

  /// Records that these threads have computed.
  package static func note(_ workers: Workers) { warm.withLock { $0 = max($0, workers.count) } }

  /// Throws when there is not enough memory for some work or its threads.
  ///
  /// - Parameters:
  ///   - need: the memory that the work needs besides its threads.
  ///   - work: its name.
  ///   - remedy: the options to change, other than the number of threads.
  ///   - workers: its threads.
  ///   - budget: the available memory.
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

  /// Throws when there is not enough memory for the logits of networks.
  ///
  /// - Parameters:
  ///   - frames: the frames that the networks classify.
  ///   - networks: how many networks' logits are in memory at a time.
  ///   - classes: the number of classes of each network.
  ///   - workers: the threads that share the work.
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
