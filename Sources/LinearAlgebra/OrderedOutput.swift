import Foundation

/// Collects results that threads produce in parallel and hands them on in order, one at a time.
///
/// The thread that works on the next result in order never waits. Another thread waits when the results not yet handed
/// on exceed a limit, or when its own result is so large that it must be handed on piece by piece.
// @unchecked: each `var` is only accessed with `condition` locked, and a Mutex cannot wait.
package final class OrderedOutput<Value: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let limit: Int
  private let consume: @Sendable (_ index: Int, _ value: Value) -> Void
  private var waiting: [Int: (value: Value, size: Int)] = [:]
  private var waitingSize = 0
  /// The index to hand on next, or being handed on now.
  private var next: Int
  private var isHandingOn = false

  /// - Parameters:
  ///   - first: the index of the first result.
  ///   - limit: how much may wait, in the unit of the sizes passed to `submit`.
  ///   - consume: receives each result in order; never called by two threads at once.
  package init(
    from first: Int = 0, limit: Int,
    consume: @escaping @Sendable (_ index: Int, _ value: Value) -> Void
  ) {
    (next, self.limit, self.consume) = (first, limit, consume)
  }

  /// Hands on a result once all earlier ones are handed on; blocks only when too much is waiting.
  package func submit(_ index: Int, _ value: Value, size: Int) {
    condition.lock()
    defer { condition.unlock() }
    waiting[index] = (value, size)
    waitingSize += size
    handOn()
    while waitingSize > limit, waiting[index] != nil { condition.wait() }
  }

  /// Waits until all results before `index` are handed on; the caller may then hand on pieces itself until it calls
  /// `submit`.
  package func waitForTurn(_ index: Int) {
    condition.lock()
    defer { condition.unlock() }
    while next != index { condition.wait() }
  }

  /// Hands on the results that are next in order, unless another thread is doing so; called with the lock held.
  private func handOn() {
    guard !isHandingOn else { return }
    isHandingOn = true
    while let (value, size) = waiting[next] {
      condition.unlock()
      consume(next, value)
      condition.lock()
      waiting[next] = nil
      waitingSize -= size
      next += 1
      condition.broadcast()
    }
    isHandingOn = false
  }
}
