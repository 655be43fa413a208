package import Foundation
package import SystemPackage

/// An open file: the calls of the kernel, gone on with where a signal or a short count stops them, and with
/// `errno` turned into a fault that names the path.
package final class OpenFile: Sendable {
  package enum Purpose: Sendable {
    /// To read from, a file or a pipe.
    case reading
    /// To write to; it is made when it is not there, and its bytes are kept.
    case writing
  }

  package let origin: Origin
  package let descriptor: Int32

  /// - Throws: `FileFault` when it cannot be opened.
  package init(_ path: FilePath, for purpose: Purpose) throws(FileFault) {
    let flags: Int32 =
      switch purpose {
      case .reading: O_RDONLY | O_CLOEXEC
      case .writing: O_RDWR | O_CREAT | O_CLOEXEC
      }
    var opened: Int32
    repeat {
      opened = unsafe path.withPlatformString { unsafe open($0, flags, 0o666) }
    } while opened < 0 && errno == EINTR
    guard opened >= 0 else {
      throw purpose == .reading ? .reading(path) : .writing(path)
    }
    (origin, descriptor) = (.file(path), opened)
  }

  /// A file that is open, which is closed with this value.
  ///
  /// - Parameters:
  ///   - descriptor: its number.
  ///   - origin: what faults call it.
  init(_ descriptor: Int32, named origin: Origin) {
    (self.origin, self.descriptor) = (origin, descriptor)
  }

  deinit { close(descriptor) }

  /// What is open.
  package func facts() throws(FileFault) -> stat {
    var facts = stat()
    guard unsafe fstat(descriptor, &facts) == 0 else { throw .reading(origin) }
    return facts
  }

  /// Reads the next bytes.
  ///
  /// - Returns: how many; 0 only at the end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileFault) -> Int {
    while true {
      let count = unsafe Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw .reading(origin) }
    }
  }

  /// Fills a buffer with the bytes from an offset on.
  ///
  /// - Returns: how many there were, fewer than asked for only at the end.
  package func read(
    at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileFault) -> Int {
    var done = 0
    while done < buffer.count {
      let count = unsafe pread(
        descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done,
        off_t(offset + done))
      if count < 0 {
        if errno == EINTR { continue }
        throw .reading(origin)
      }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Writes all bytes, from an offset on.
  package func write(_ bytes: Data, at offset: Int) throws(FileFault) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(
          descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done,
          off_t(offset + done))
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw .writing(origin)
      }
      // A regular file takes at least a byte or says why not.
      guard count > 0 else { throw .writing(origin, ENOSPC) }
      done += count
    }
  }

  /// Cuts the file off behind its first bytes.
  package func truncate(to byteCount: Int) throws(FileFault) {
    while ftruncate(descriptor, off_t(byteCount)) != 0 {
      if errno != EINTR { throw .writing(origin) }
    }
  }

  /// Sees to it that what was written is on the disk.
  package func synchronize() throws(FileFault) {
    while fsync(descriptor) != 0 {
      // Some file systems have nothing to do, and say so.
      if errno == EINVAL || errno == ENOTSUP { return }
      if errno != EINTR { throw .writing(origin) }
    }
  }
}
