import Foundation

/// Takes what threads make side by side and hands it on in order, one thing at a time.
///
/// The thread that works on the next thing in order never waits. Another one waits when what is made
/// and not yet handed on is over a limit, or when it has so much that it must hand it on piece by piece.
// @unchecked: each `var` is read and written with `condition` locked alone, and a Mutex cannot wait.
package final class OrderedOutput<Value: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let limit: Int
  private let consume: @Sendable (_ index: Int, _ value: Value) -> Void
  private var waiting: [Int: (value: Value, size: Int)] = [:]
  private var waitingSize = 0
  /// The index that is handed on next, or that is being handed on.
  private var next: Int
  private var isHandingOn = false

  /// - Parameters:
  ///   - first: the index of the first thing.
  ///   - limit: how much may wait, in the unit of the sizes that `submit` gets.
  ///   - consume: takes each thing, in order; never called by two threads at a time.
  package init(
    from first: Int = 0, limit: Int,
    consume: @escaping @Sendable (_ index: Int, _ value: Value) -> Void
  ) {
    (next, self.limit, self.consume) = (first, limit, consume)
  }

  /// Hands on a thing when all before it are handed on; waits only when too much waits.
  package func submit(_ index: Int, _ value: Value, size: Int) {
    condition.lock()
    defer { condition.unlock() }
    waiting[index] = (value, size)
    waitingSize += size
    handOn()
    while waitingSize > limit, waiting[index] != nil { condition.wait() }
  }

  /// Waits until all things before `index` are handed on; the caller may then hand on pieces of its own
  /// until it calls `submit`.
  package func waitForTurn(_ index: Int) {
    condition.lock()
    defer { condition.unlock() }
    while next != index { condition.wait() }
  }

  /// Hands on what is in order, unless another thread does; called with the lock held.
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
