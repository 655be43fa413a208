package import Foundation

/// A file that appears under its name only when it is whole.
///
/// Bytes go to `PATH.part` beside it; `commit()` flushes them to the disk and renames. A value that
/// is dropped without `commit()` removes its part; a killed process leaves a part that the next
/// writer of the same path overwrites.
package struct AtomicFile: ~Copyable {
  /// The final path.
  package let path: String
  /// The number of bytes written so far.
  package private(set) var byteCount = 0

  private let handle: FileHandle
  private var isCommitted = false
  private var partPath: String { path + ".part" }

  /// Opens the part file; the folder of `path` is made when it does not exist.
  package init(path: String) throws(FileFault) {
    self.path = path
    do {
      let url = URL(fileURLWithPath: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      let part = URL(fileURLWithPath: path + ".part")
      try Data().write(to: part)
      handle = try FileHandle(forWritingTo: part)
    } catch {
      throw FileFault.unwritable(path: path, reason: error.localizedDescription)
    }
  }

  deinit {
    try? handle.close()
    if !isCommitted { try? FileManager.default.removeItem(atPath: path + ".part") }
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
    guard unsafe rename(partPath, path) == 0 else {
      throw .unwritable(path: path, reason: unsafe String(cString: strerror(errno)))
    }
    isCommitted = true
    try synchronizeFolder(of: path)
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
