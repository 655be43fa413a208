import Foundation

/// Standard input, read as its bytes arrive.
package enum StandardInput {
  /// The name in faults.
  package static let origin = Origin.named("standard input")

  /// Waits for the next bytes.
  ///
  /// - Parameter most: the greatest number of bytes to return, positive.
  /// - Returns: at least one byte, or none at the end.
  /// - Throws: `FileFault.interrupted` once a signal that `Interruption` listens for has arrived, and
  ///   a machine fault when reading fails.
  package static func read(most: Int) throws(FileFault) -> [UInt8] {
    try waitForBytes()
    do {
      return try unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
        var found: Int
        repeat {
          found = unsafe Foundation.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
        } while found < 0 && errno == EINTR
        guard found >= 0 else { throw FileFault.reading(origin) }
        count = found
      }
    } catch {
      throw error as? FileFault ?? .unreadable(path: origin, reason: "\(error)")
    }
  }

  /// Returns when bytes or the end are there to be read.
  ///
  /// Signals restart a read under way but end `poll`. One that arrives just before it is seen at
  /// the next time-out.
  private static func waitForBytes() throws(FileFault) {
    while true {
      try Interruption.check()
      var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      let found = unsafe poll(&waiting, 1, timeOut)
      if found > 0 { return }
      if found < 0, errno != EINTR { throw .reading(origin) }
    }
  }

  /// In milliseconds.
  private static let timeOut: Int32 = 200
}
