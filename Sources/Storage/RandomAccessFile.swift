import Foundation
package import SystemPackage

/// A file of which parts are read where they are asked for.
///
/// Nothing of it is mapped, so that what was read does not count as the process's memory; any number of
/// threads may read at a time.
package final class RandomAccessFile: Sendable {
  package let path: FilePath
  /// Its size in bytes when it was opened.
  package let size: Int
  private let file: OpenFile

  /// - Throws: `FileFault` when it is missing, a folder, or cannot be read.
  package init(_ path: FilePath) throws(FileFault) {
    self.path = path
    file = try OpenFile(path, for: .reading)
    let facts = try file.facts()
    guard facts.st_mode & S_IFMT == S_IFREG else {
      throw .malformed(path: path, expected: "a file", found: "a folder or a device")
    }
    size = Int(facts.st_size)
  }

  /// Fills a buffer with the bytes from an offset on.
  ///
  /// - Throws: `FileFault` when the file ends before, or cannot be read.
  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileFault) {
    let count = unsafe try file.read(at: offset, into: buffer)
    guard count == buffer.count else {
      throw .malformedBytes(
        path: path, offset: offset, expected: "\(buffer.count) bytes", found: "\(count)")
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
