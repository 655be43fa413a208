package import Foundation
package import SystemPackage

/// A file that appears under its name only once it is complete, and that another process can resume writing.
///
/// Bytes go to `PATH.part`, which remains until `commit()` or until a fresh start replaces it.
package struct ResumableFile: ~Copyable {
  /// The final path.
  package let path: FilePath
  /// The number of bytes written so far.
  package private(set) var byteCount: Int
  private let file: OpenFile

  /// The path of a file's part.
  package static func partPath(of path: FilePath) -> FilePath { path.withSuffix(".part") }

  /// The size of a file's part in bytes; 0 when there is none.
  package static func partSize(of path: FilePath) throws(FileFault) -> Int {
    try FileSystem.facts(of: partPath(of: path))?.size ?? 0
  }

  /// Turns a finished file back into a part, unless there already is one, so that it can be extended.
  package static func reopen(_ path: FilePath) throws(FileFault) {
    guard try partSize(of: path) == 0, try FileSystem.exists(path) else { return }
    try FileSystem.rename(path, to: partPath(of: path))
  }

  /// Opens the part and resumes after its first bytes; the rest is cut off.
  ///
  /// - Parameters:
  ///   - path: the final path, whose folder is created if it does not exist.
  ///   - byteCount: how much of the part to keep, at most its size.
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

  /// Replaces bytes already written.
  package mutating func replace(at offset: Int, with bytes: Data) throws(FileFault) {
    precondition(
      offset + bytes.count <= byteCount, "replace: \(bytes.count) at \(offset) of \(byteCount)")
    try file.write(bytes, at: offset)
  }

  /// Truncates the part to its first bytes.
  package mutating func truncate(to byteCount: Int) throws(FileFault) {
    try file.truncate(to: byteCount)
    self.byteCount = byteCount
  }

  /// Flushes what was written to disk.
  package mutating func synchronize() throws(FileFault) { try file.synchronize() }

  /// Flushes the bytes to disk and gives the file its name, replacing any existing file.
  package consuming func commit() throws(FileFault) {
    try file.synchronize()
    try FileSystem.rename(ResumableFile.partPath(of: path), to: path)
    try synchronizeFolder(of: path)
  }
}
