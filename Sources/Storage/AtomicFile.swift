package import Foundation
package import SystemPackage

/// A file that appears under its name only once it is complete.
///
/// Bytes go to `PATH.part` in the same folder; `commit()` flushes them to disk and renames the part. Dropping the
/// value without `commit()` removes the part. A killed process leaves a part behind, which the next writer of the same
/// path overwrites. Processes that write the same path at the same time take turns, and the last one wins. A symbolic
/// link is followed, and the part lies next to the link's target. A device, a pipe or a folder is never written to.
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

  /// Opens the part file, creating the folder of `path` if it does not exist.
  ///
  /// - Parameters:
  ///   - path: the final path.
  ///   - patience: how long to wait for another writer of the path.
  /// - Throws: `FileFault` when the part cannot be written, or the other writer does not finish in time.
  package init(path: FilePath, patience: Duration = .seconds(30)) throws(FileFault) {
    let target = try AtomicFile.target(of: path)
    try FileSystem.makeFolder(path.folder)
    file = try AtomicFile.openPart(of: target, patience: patience)
    (self.path, self.target) = (path, target)
  }

  deinit {
    // Before the lock is released: afterwards the part could be another writer's.
    if !isCommitted { unsafe _ = partPath.withPlatformString { unsafe unlink($0) } }
  }

  /// The path of the file to replace, links resolved.
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
      // On a file system without locks, carry on without one.
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
      // The part is the other writer's, or was just renamed to its final name.
      usleep(10_000)
    }
  }

  /// Whether an open file still goes by its name.
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

  /// Flushes the bytes to disk and gives the file its name, replacing any existing file.
  package consuming func commit() throws(FileFault) {
    try file.synchronize()
    try FileSystem.rename(partPath, to: target)
    isCommitted = true
    try synchronizeFolder(of: target)
  }

  /// Writes a whole file at once, unless it already has exactly these bytes.
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

/// Flushes the folder entry of a file to disk, as after a rename.
func synchronizeFolder(of path: FilePath) throws(FileFault) {
  try OpenFile(path.folder, for: .reading).synchronize()
}
