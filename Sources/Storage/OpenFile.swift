package import Foundation
package import SystemPackage

/// An open file, with system calls that resume after a signal or a short count.
///
/// Each `errno` becomes a fault that names the path.
package final class OpenFile: Sendable {
  /// The access mode that a file is opened with.
  package enum Purpose: Sendable {
    /// Read only, from a file or a pipe.
    case reading
    /// Read and write; the file is created if it does not exist, and its contents are kept.
    case writing
  }

  /// The file's name in faults.
  package let origin: Origin
  /// The file descriptor, closed when this value is released.
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

  /// Takes ownership of an open descriptor.
  ///
  /// - Parameters:
  ///   - descriptor: closed with this value.
  ///   - origin: the file's name in faults.
  init(_ descriptor: Int32, named origin: Origin) {
    (self.origin, self.descriptor) = (origin, descriptor)
  }

  deinit { close(descriptor) }

  /// The status of the open file, as `fstat` reports it.
  package func facts() throws(FileFault) -> stat {
    var facts = stat()
    guard unsafe fstat(descriptor, &facts) == 0 else { throw .reading(origin) }
    return facts
  }

  /// Reads the next bytes.
  ///
  /// - Returns: the number of bytes read; 0 only at the end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileFault) -> Int {
    while true {
      let count = unsafe Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw .reading(origin) }
    }
  }

  /// Fills a buffer with the bytes starting at an offset.
  ///
  /// - Returns: the number of bytes read, fewer than asked for only at the end.
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

  /// Writes all bytes, starting at an offset.
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
      // A regular file accepts at least one byte or reports why not.
      guard count > 0 else { throw .writing(origin, ENOSPC) }
      done += count
    }
  }

  /// Truncates the file to its first bytes.
  package func truncate(to byteCount: Int) throws(FileFault) {
    while ftruncate(descriptor, off_t(byteCount)) != 0 {
      if errno != EINTR { throw .writing(origin) }
    }
  }

  /// Flushes what was written to disk.
  package func synchronize() throws(FileFault) {
    while fsync(descriptor) != 0 {
      // Some file systems have nothing to flush, and report that as an error.
      if errno == EINVAL || errno == ENOTSUP { return }
      if errno != EINTR { throw .writing(origin) }
    }
  }
}
