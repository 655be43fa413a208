package import Foundation
package import SystemPackage

/// A file that appears under its name only when it is whole, and whose part can be gone on with by
/// another process when the one that wrote it was killed.
///
/// Bytes go to `PATH.part`, which stays until `commit()` or until another start replaces it.
package struct ResumableFile: ~Copyable {
  /// The final path.
  package let path: FilePath
  /// The number of bytes written so far.
  package private(set) var byteCount: Int
  private let file: OpenFile

  /// Where the part of a file stands.
  package static func partPath(of path: FilePath) -> FilePath { path.withSuffix(".part") }

  /// The number of bytes of a part; 0 when there is none.
  package static func partSize(of path: FilePath) throws(FileFault) -> Int {
    try FileSystem.facts(of: partPath(of: path))?.size ?? 0
  }

  /// Makes a finished file a part again, unless there is one, so that it can be gone on with.
  package static func reopen(_ path: FilePath) throws(FileFault) {
    guard try partSize(of: path) == 0, try FileSystem.exists(path) else { return }
    try FileSystem.rename(path, to: partPath(of: path))
  }

  /// Opens the part and goes on behind its first bytes; what follows them is cut off.
  ///
  /// - Parameters:
  ///   - path: the final path, whose folder is made when it does not exist.
  ///   - byteCount: how much of the part to keep; it has at least so many bytes.
  /// - Throws: `FileFault` when the part cannot be written.
  package init(path: FilePath, keeping byteCount: Int) throws(FileFault) {
    try FileSystem.makeFolder(path.folder)
    let file = try OpenFile(ResumableFile.partPath(of: path), for: .writing)
    try file.truncate(to: byteCount)
    (self.path, self.byteCount, self.file) = (path, byteCount, file)
  }

  /// Appends `bytes`.
  package mutating func write(_ bytes: Data) throws(FileFault) {
    try file.write(bytes, at: byteCount)
    byteCount += bytes.count
  }

  /// Replaces bytes that were written.
  package mutating func replace(at offset: Int, with bytes: Data) throws(FileFault) {
    precondition(
      offset + bytes.count <= byteCount, "replace: \(bytes.count) at \(offset) of \(byteCount)")
    try file.write(bytes, at: offset)
  }

  /// Cuts off what was written behind the first bytes.
  package mutating func truncate(to byteCount: Int) throws(FileFault) {
    try file.truncate(to: byteCount)
    self.byteCount = byteCount
  }

  /// Sees to it that what was written is on the disk.
  package mutating func synchronize() throws(FileFault) { try file.synchronize() }

  /// Flushes the bytes to the disk and gives the file its name, replacing what had it before.
  package consuming func commit() throws(FileFault) {
    try file.synchronize()
    try FileSystem.rename(ResumableFile.partPath(of: path), to: path)
    try synchronizeFolder(of: path)
  }
}
