import Foundation

/// Produces values on a background thread, a few ahead of the one in use.
// @unchecked: each `var` is only accessed with `condition` locked, and a Mutex cannot wait.
package final class Prefetch<Value: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let depth: Int
  private var ready: [Result<Value, any Error>] = []
  private var used: [Value] = []
  private var isDone = false
  private var isCancelled = false
  /// Makes each value on request when the system cannot start a thread.
  private var makeAtOnce: ((_ used: Value?) throws -> Value?)?

  /// Starts producing at once.
  ///
  /// - Parameters:
  ///   - depth: how many values may be ready and unused.
  ///   - make: makes the next value, recycling a used one if there is one; nil ends the sequence. Only one thread calls
  ///     it.
  package init(depth: Int, _ make: sending @escaping (_ used: Value?) throws -> Value?) {
    self.depth = depth
    nonisolated(unsafe) let make = make
    weak let weakSelf = self
    let isStarted = startThread(stack: 1 << 20) {
      while let self = weakSelf, let own = self.takeUsed() {
        let made = Result { try unsafe make(own.value) }
        guard self.hand(on: made) else { return }
      }
    }
    if !isStarted { makeAtOnce = unsafe make }
  }

  /// Takes the next value.
  ///
  /// - Parameter value: a value no longer in use, to recycle.
  /// - Returns: the next value, or nil at the end.
  /// - Throws: whatever `make` threw.
  package func next(recycling value: Value? = nil) throws -> Value? {
    condition.lock()
    defer { condition.unlock() }
    if let value { used.append(value) }
    if let makeAtOnce {
      guard !isDone, let made = try makeAtOnce(used.popLast()) else {
        isDone = true
        return nil
      }
      return made
    }
    while ready.isEmpty, !isDone { condition.wait() }
    guard !ready.isEmpty else { return nil }
    let result = ready.removeFirst()
    if ready.count == depth / 2 { condition.broadcast() }
    return try result.get()
  }

  /// Stops producing values.
  package func cancel() {
    condition.lock()
    isCancelled = true
    condition.broadcast()
    condition.unlock()
  }

  /// Waits until there is room for another value; nil once cancelled.
  private func takeUsed() -> (value: Value?, Void)? {
    condition.lock()
    defer { condition.unlock() }
    if ready.count >= depth {
      // Wake for several values at a time, since each wake-up takes a core from the consumer.
      while ready.count > depth / 2, !isCancelled { condition.wait() }
    }
    return isCancelled ? nil : (used.popLast(), ())
  }

  /// - Returns: whether there is more to make.
  private func hand(on result: Result<Value?, any Error>) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    switch result {
    case .success(let value?): ready.append(.success(value))
    case .success(nil): isDone = true
    case .failure(let error):
      ready.append(.failure(error))
      isDone = true
    }
    condition.broadcast()
    return !isDone
  }
}
