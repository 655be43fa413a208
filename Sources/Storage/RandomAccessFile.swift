import Foundation

/// A file of which parts are read where they are asked for.
///
/// Nothing of it is mapped, so that what was read does not count as the process's memory; any number of
/// threads may read at a time.
package final class RandomAccessFile: Sendable {
  package let path: String
  /// Its size in bytes when it was opened.
  package let size: Int
  private let descriptor: Int32

  /// - Throws: `FileFault` when it is missing, a folder, or cannot be read.
  package init(_ path: String) throws(FileFault) {
    self.path = path
    let opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else {
      let reason = errno
      throw reason == ENOENT
        ? .missing(path: path)
        : .unreadable(path: path, reason: unsafe String(cString: strerror(reason)))
    }
    var facts = stat()
    guard unsafe fstat(opened, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
      close(opened)
      throw .malformed(path: path, expected: "a file", found: "a folder or a device")
    }
    (descriptor, size) = (opened, Int(facts.st_size))
  }

  deinit { close(descriptor) }

  /// Fills a buffer with the bytes from an offset on.
  ///
  /// - Throws: `FileFault` when the file ends before, or cannot be read.
  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileFault) {
    var done = 0
    while done < buffer.count {
      let count = unsafe pread(
        descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done,
        off_t(offset + done))
      if count < 0 {
        if errno == EINTR { continue }
        throw .unreadable(path: path, reason: unsafe String(cString: strerror(errno)))
      }
      guard count > 0 else {
        throw .malformedBytes(
          path: path, offset: offset, expected: "\(buffer.count) bytes", found: "\(done)")
      }
      done += count
    }
  }

  /// The bytes from an offset on, fewer where the file ends.
  package func bytes(at offset: Int, count: Int) throws(FileFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(0, min(count, size - offset)))
    do {
      try unsafe bytes.withUnsafeMutableBytes { try unsafe read(at: offset, into: $0) }
    } catch {
      throw error as? FileFault ?? .unreadable(path: path, reason: "\(error)")
    }
    return bytes
  }
}
