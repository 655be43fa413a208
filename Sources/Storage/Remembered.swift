import Synchronization

/// A value that is made at its first use.
package final class Remembered<Value: Sendable>: Sendable {
  private let state = Mutex<Value?>(nil)

  /// A value that is not made yet.
  package init() {}

  /// The value, made unless it exists.
  ///
  /// - Parameter make: makes the value at the first call, and at later ones after it threw.
  /// - Returns: the value that the first successful call made.
  /// - Throws: what `make` throws.
  package func value(_ make: () throws -> Value) throws -> Value {
    try state.withLock { state in
      if let state { return state }
      let made = try make()
      state = made
      return made
    }
  }
}
