package import Foundation

/// A file that appears under its name only when it is whole.
///
/// Bytes go to `PATH.part` beside it; `commit()` flushes them to the disk and renames. A value that
/// is dropped without `commit()` removes its part; a killed process leaves a part that the next
/// writer of the same path overwrites. Processes that write the same path at once take turns, and the
/// last one's bytes stay. A symbolic link is followed, and the part is beside what it leads to; a device, a
/// pipe or a folder is not written to.
package struct AtomicFile: ~Copyable {
  /// The final path.
  package let path: String
  /// The number of bytes written so far.
  package private(set) var byteCount = 0

  /// The path without symbolic links.
  private let target: String
  private let handle: FileHandle
  private var isCommitted = false
  private var partPath: String { target + ".part" }

  /// Opens the part file; the folder of `path` is made when it does not exist.
  ///
  /// - Parameters:
  ///   - path: the final path.
  ///   - patience: how long to wait for another writer of the path.
  /// - Throws: `FileFault` when the part cannot be written, or the other writer took longer.
  package init(path: String, patience: Duration = .seconds(30)) throws(FileFault) {
    let target = try AtomicFile.target(of: path)
    do {
      try FileManager.default.createDirectory(
        at: URL(fileURLWithPath: path).deletingLastPathComponent(),
        withIntermediateDirectories: true)
    } catch {
      throw FileFault.unwritable(path: path, reason: error.localizedDescription)
    }
    handle = try AtomicFile.openPart(of: target, patience: patience)
    (self.path, self.target) = (path, target)
  }

  deinit {
    // Before others may have it: by then it could be theirs.
    if !isCommitted { try? FileManager.default.removeItem(atPath: partPath) }
    try? handle.close()
  }

  /// Where a file lies that may be replaced.
  private static func target(of path: String) throws(FileFault) -> String {
    var facts = stat()
    guard unsafe stat(path, &facts) == 0 else { return path }
    guard facts.st_mode & S_IFMT == S_IFREG else {
      throw .unwritable(path: path, reason: "it is not a regular file")
    }
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  /// Opens the part file, empty and locked.
  private static func openPart(of path: String, patience: Duration) throws(FileFault) -> FileHandle
  {
    let deadline = ContinuousClock.now + patience
    while true {
      let part = unsafe open(path + ".part", O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
      // Some file systems have no locks.
      let isOwn = part >= 0 && (flock(part, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
      if isOwn, isNamed(part, path + ".part"), ftruncate(part, 0) == 0 {
        return FileHandle(fileDescriptor: part, closeOnDealloc: true)
      }
      let reason = unsafe String(cString: strerror(errno))
      guard part >= 0 else { throw .unwritable(path: path, reason: reason) }
      close(part)
      guard ContinuousClock.now < deadline else {
        throw .unwritable(path: path, reason: isOwn ? reason : "another process is writing to it")
      }
      // Of the other writer; or it has just given the part its final name.
      usleep(10_000)
    }
  }

  /// Whether a file that was opened still has its name.
  private static func isNamed(_ descriptor: Int32, _ path: String) -> Bool {
    var (opened, named) = (stat(), stat())
    return unsafe fstat(descriptor, &opened) == 0 && stat(path, &named) == 0
      && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
  }

  /// Appends `bytes`.
  package mutating func write(_ bytes: Data) throws(FileFault) {
    do {
      try handle.write(contentsOf: bytes)
      byteCount += bytes.count
    } catch {
      throw .unwritable(path: path, reason: error.localizedDescription)
    }
  }

  /// Appends `text` as UTF-8.
  package mutating func write(_ text: String) throws(FileFault) {
    try write(Data(text.utf8))
  }

  /// Flushes the bytes to the disk and gives the file its name, replacing what had it before.
  package consuming func commit() throws(FileFault) {
    do {
      try handle.synchronize()
    } catch {
      throw .unwritable(path: path, reason: error.localizedDescription)
    }
    guard unsafe rename(partPath, target) == 0 else {
      throw .unwritable(path: path, reason: unsafe String(cString: strerror(errno)))
    }
    isCommitted = true
    try synchronizeFolder(of: target)
  }

  /// Writes a whole file at once.
  package static func write(_ bytes: Data, to path: String) throws(FileFault) {
    var file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes a whole text file at once.
  package static func write(_ text: String, to path: String) throws(FileFault) {
    try write(Data(text.utf8), to: path)
  }
}

/// Sees to it that a file's name is on the disk, as after it was given.
func synchronizeFolder(of path: String) throws(FileFault) {
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
  let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else {
    throw .unwritable(path: path, reason: unsafe String(cString: strerror(errno)))
  }
  defer { close(descriptor) }
  // Some file systems have nothing to do for a folder, and say so.
  guard fsync(descriptor) == 0 || errno == EINVAL else {
    throw .unwritable(path: path, reason: unsafe String(cString: strerror(errno)))
  }
}
