package import Foundation

/// A file that appears under its name only when it is whole, and whose part can be gone on with by
/// another process when the one that wrote it was killed.
///
/// Bytes go to `PATH.part`, which stays until `commit()` or until another start replaces it.
package struct ResumableFile: ~Copyable {
  /// The final path.
  package let path: String
  /// The number of bytes written so far.
  package private(set) var byteCount: Int
  private let handle: FileHandle

  /// Where the part of a file stands.
  package static func partPath(of path: String) -> String { path + ".part" }

  /// The number of bytes of a part; 0 when there is none.
  package static func partSize(of path: String) -> Int {
    let facts = try? FileManager.default.attributesOfItem(atPath: partPath(of: path))
    return facts?[.size] as? Int ?? 0
  }

  /// Makes a finished file a part again, unless there is one, so that it can be gone on with.
  package static func reopen(_ path: String) throws(FileFault) {
    guard partSize(of: path) == 0, FileManager.default.fileExists(atPath: path) else { return }
    guard unsafe rename(path, partPath(of: path)) == 0 else {
      throw .unwritable(path: path, reason: unsafe String(cString: strerror(errno)))
    }
  }

  /// Opens the part and goes on behind its first bytes; what follows them is cut off.
  ///
  /// - Parameters:
  ///   - path: the final path, whose folder is made when it does not exist.
  ///   - byteCount: how much of the part to keep; it has at least so many bytes.
  /// - Throws: `FileFault` when the part cannot be written.
  package init(path: String, keeping byteCount: Int) throws(FileFault) {
    let opened: FileHandle
    let part = ResumableFile.partPath(of: path)
    do {
      let url = URL(fileURLWithPath: part)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      if !FileManager.default.fileExists(atPath: part) { try Data().write(to: url) }
      opened = try FileHandle(forUpdating: url)
      try opened.truncate(atOffset: UInt64(byteCount))
      try opened.seekToEnd()
    } catch {
      throw FileFault.unwritable(path: path, reason: error.localizedDescription)
    }
    (self.path, self.byteCount, handle) = (path, byteCount, opened)
  }

  /// Appends `bytes`.
  package mutating func write(_ bytes: Data) throws(FileFault) {
    try perform { try handle.write(contentsOf: bytes) }
    byteCount += bytes.count
  }

  /// Replaces bytes that were written.
  package mutating func replace(at offset: Int, with bytes: Data) throws(FileFault) {
    precondition(
      offset + bytes.count <= byteCount, "replace: \(bytes.count) at \(offset) of \(byteCount)")
    try perform {
      try handle.seek(toOffset: UInt64(offset))
      try handle.write(contentsOf: bytes)
      try handle.seekToEnd()
    }
  }

  /// Cuts off what was written behind the first bytes.
  package mutating func truncate(to byteCount: Int) throws(FileFault) {
    try perform {
      try handle.truncate(atOffset: UInt64(byteCount))
      try handle.seekToEnd()
    }
    self.byteCount = byteCount
  }

  /// Sees to it that what was written is on the disk.
  package mutating func synchronize() throws(FileFault) {
    try perform { try handle.synchronize() }
  }

  /// Flushes the bytes to the disk and gives the file its name, replacing what had it before.
  package consuming func commit() throws(FileFault) {
    try perform { try handle.synchronize() }
    guard unsafe rename(ResumableFile.partPath(of: path), path) == 0 else {
      throw .unwritable(path: path, reason: unsafe String(cString: strerror(errno)))
    }
    try synchronizeFolder(of: path)
  }

  private func perform(_ body: () throws -> Void) throws(FileFault) {
    do { try body() } catch {
      throw .unwritable(path: path, reason: error.localizedDescription)
    }
  }
}
