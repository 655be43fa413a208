package import Foundation
package import SystemPackage

/// A file that appears under its name only when it is whole.
///
/// Bytes go to `PATH.part` beside it; `commit()` flushes them to the disk and renames. A value that
/// is dropped without `commit()` removes its part; a killed process leaves a part that the next
/// writer of the same path overwrites. Processes that write the same path at once take turns, and the
/// last one's bytes stay. A symbolic link is followed, and the part is beside what it leads to; a device, a
/// pipe or a folder is not written to.
package struct AtomicFile: ~Copyable {
  /// The final path.
  package let path: FilePath
  /// The number of bytes written so far.
  package private(set) var byteCount = 0

  /// The path without symbolic links.
  private let target: FilePath
  private let file: OpenFile
  private var isCommitted = false
  private var partPath: FilePath { target.withSuffix(".part") }

  /// Opens the part file; the folder of `path` is made when it does not exist.
  ///
  /// - Parameters:
  ///   - path: the final path.
  ///   - patience: how long to wait for another writer of the path.
  /// - Throws: `FileFault` when the part cannot be written, or the other writer took longer.
  package init(path: FilePath, patience: Duration = .seconds(30)) throws(FileFault) {
    let target = try AtomicFile.target(of: path)
    try FileSystem.makeFolder(path.folder)
    file = try AtomicFile.openPart(of: target, patience: patience)
    (self.path, self.target) = (path, target)
  }

  deinit {
    // Before others may have it: by then it could be theirs.
    if !isCommitted { unsafe _ = partPath.withPlatformString { unsafe unlink($0) } }
  }

  /// Where a file lies that may be replaced.
  private static func target(of path: FilePath) throws(FileFault) -> FilePath {
    guard let facts = try FileSystem.facts(of: path) else { return path }
    guard facts.kind == .file else {
      throw .unwritable(path: path, reason: "it is not a regular file")
    }
    return try FileSystem.realPath(of: path)
  }

  /// Opens the part file, empty and locked.
  private static func openPart(of path: FilePath, patience: Duration) throws(FileFault) -> OpenFile
  {
    let partPath = path.withSuffix(".part")
    let deadline = ContinuousClock.now + patience
    while true {
      let part = try OpenFile(partPath, for: .writing)
      // Some file systems have no locks.
      let isOwn = flock(part.descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
      if isOwn, isNamed(part.descriptor, partPath) {
        do throws(FileFault) { try part.truncate(to: 0) } catch {
          unsafe _ = partPath.withPlatformString { unsafe unlink($0) }
          throw error
        }
        return part
      }
      guard ContinuousClock.now < deadline else {
        throw .unwritable(path: path, reason: "another process is writing to it")
      }
      // Of the other writer; or it has just given the part its final name.
      usleep(10_000)
    }
  }

  /// Whether a file that was opened still has its name.
  private static func isNamed(_ descriptor: Int32, _ path: FilePath) -> Bool {
    var (opened, named) = (stat(), stat())
    return unsafe fstat(descriptor, &opened) == 0
      && path.withPlatformString({ unsafe stat($0, &named) }) == 0
      && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
  }

  /// Appends `bytes`.
  package mutating func write(_ bytes: Data) throws(FileFault) {
    try file.write(bytes, at: byteCount)
    byteCount += bytes.count
  }

  /// Appends `text` as UTF-8.
  package mutating func write(_ text: String) throws(FileFault) {
    try write(Data(text.utf8))
  }

  /// Flushes the bytes to the disk and gives the file its name, replacing what had it before.
  package consuming func commit() throws(FileFault) {
    try file.synchronize()
    try FileSystem.rename(partPath, to: target)
    isCommitted = true
    try synchronizeFolder(of: target)
  }

  /// Writes a whole file at once; one that has these bytes is left alone.
  package static func write(_ bytes: Data, to path: FilePath) throws(FileFault) {
    if let facts = try FileSystem.facts(of: path), facts.kind == .file, facts.size == bytes.count,
      try TextFile.bytes(of: path) == bytes
    {
      return
    }
    var file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes a whole text file at once.
  package static func write(_ text: String, to path: FilePath) throws(FileFault) {
    try write(Data(text.utf8), to: path)
  }
}

/// Sees to it that a file's name is on the disk, as after it was given.
func synchronizeFolder(of path: FilePath) throws(FileFault) {
  try OpenFile(path.folder, for: .reading).synchronize()
}
