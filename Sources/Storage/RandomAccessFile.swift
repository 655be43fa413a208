import Foundation
package import SystemPackage

/// A file that is read at arbitrary offsets.
///
/// It is not memory-mapped, so bytes already read do not count as the process's memory. Any number of threads may read
/// at the same time.
package final class RandomAccessFile: Sendable {
  /// The path it was opened by, for faults.
  package let path: FilePath
  /// Its size in bytes when it was opened.
  package let size: Int
  private let file: OpenFile

  /// - Throws: `FileFault` when the file is missing, is a folder or device, or cannot be read.
  package init(_ path: FilePath) throws(FileFault) {
    self.path = path
    file = try OpenFile(path, for: .reading)
    let facts = try file.facts()
    guard facts.st_mode & S_IFMT == S_IFREG else {
      throw .malformed(path: path, expected: "a file", found: "a folder or a device")
    }
    size = Int(facts.st_size)
  }

  /// Fills a buffer with the bytes starting at an offset.
  ///
  /// - Throws: `FileFault` when the file ends too early or cannot be read.
  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileFault) {
    let count = unsafe try file.read(at: offset, into: buffer)
    guard count == buffer.count else {
      throw .malformedBytes(
        path: path, offset: offset, expected: "\(buffer.count) bytes", found: "\(count)")
    }
  }

  /// The bytes starting at an offset, fewer at the end of the file.
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
