import Foundation
package import SystemPackage

/// File system calls other than reading and writing file contents.
///
/// Paths are passed to the kernel verbatim. A query that the system cannot answer, as on a failing disk, is a fault:
/// it never counts as "no".
package enum FileSystem {
  /// The type of a directory entry, links followed; `other` includes devices and pipes.
  package enum Kind: Sendable {
    case file, folder, other
  }

  /// The status of the file at a path, links followed.
  package struct Facts: Sendable {
    /// The type of the file.
    package let kind: Kind
    /// The size in bytes.
    package let size: Int
    /// The modification time, in seconds and nanoseconds since 1970.
    package let changed: (seconds: Int, nanoseconds: Int)
    /// Identifies the file, whatever its name.
    package let identity: FileIdentity
  }

  /// A device and inode number, which distinguish a file from all others.
  package struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let node: UInt64
  }

  /// The status of the file at a path, links followed; nil when there is none.
  ///
  /// - Throws: `FileFault` when the system cannot say.
  package static func facts(of path: FilePath) throws(FileFault) -> Facts? {
    var facts = stat()
    guard unsafe path.withPlatformString({ unsafe stat($0, &facts) }) == 0 else {
      let fault = FileFault.reading(path)
      if case .missing = fault { return nil }
      throw fault
    }
    let kind: Kind =
      switch facts.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
    return Facts(
      kind: kind, size: Int(facts.st_size),
      changed: (facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec),
      identity: FileIdentity(device: UInt64(facts.st_dev), node: UInt64(facts.st_ino)))
  }

  /// Whether anything exists at a path, links followed.
  package static func exists(_ path: FilePath) throws(FileFault) -> Bool {
    try facts(of: path) != nil
  }

  /// Whether a path names a folder, links followed.
  package static func isFolder(_ path: FilePath) throws(FileFault) -> Bool {
    try facts(of: path)?.kind == .folder
  }

  /// The absolute path with all links resolved.
  package static func realPath(of path: FilePath) throws(FileFault) -> FilePath {
    guard let real = unsafe path.withPlatformString({ unsafe realpath($0, nil) }) else {
      throw .reading(path)
    }
    defer { unsafe free(real) }
    return unsafe FilePath(platformString: real)
  }

  /// The target of a symbolic link; nil when the path is not one.
  package static func target(ofLink path: FilePath) -> FilePath? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe path.withPlatformString { unsafe readlink($0, &bytes, Int(PATH_MAX)) }
    return count < 0 ? nil : FilePath(platformString: bytes)
  }

  /// The names in a folder in byte order, without `.` and `..`.
  ///
  /// - Throws: `FileFault` when there is no such folder or it cannot be read.
  package static func names(in folder: FilePath) throws(FileFault) -> [FilePath.Component] {
    guard let stream = unsafe folder.withPlatformString({ unsafe opendir($0) }) else {
      throw .reading(folder)
    }
    defer { unsafe _ = closedir(stream) }
    // Paths compare without being copied.
    var names: [FilePath] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw .reading(folder) }
        return names.sorted(by: inByteOrder).compactMap(\.lastComponent)
          .filter { $0.kind == .regular }
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
        unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) { bytes in
          unsafe FilePath(platformString: bytes)
        }
      }
      names.append(name)
    }
  }

  /// Creates a folder and its parents, unless it exists.
  package static func makeFolder(_ path: FilePath) throws(FileFault) {
    if unsafe path.withPlatformString({ unsafe mkdir($0, 0o777) }) == 0 { return }
    let code = errno
    if code == EEXIST {
      guard try isFolder(path) else {
        throw .unwritable(
          path: path, reason: "a folder is needed here, but a file has this name")
      }
      return
    }
    let above = path.folder
    guard code == ENOENT, above != path else {
      // A read-only file system reports that first, even when the folder exists.
      if try isFolder(path) { return }
      throw .writing(path, code)
    }
    try makeFolder(above)
    guard unsafe path.withPlatformString({ unsafe mkdir($0, 0o777) }) == 0 || errno == EEXIST else {
      throw .writing(path)
    }
  }

  /// Removes a file, if it exists.
  package static func remove(_ path: FilePath) throws(FileFault) {
    if unsafe path.withPlatformString({ unsafe unlink($0) }) == 0 { return }
    let code = errno
    // A read-only file system reports that whether or not the file exists.
    if try facts(of: path) == nil { return }
    throw .writing(path, code)
  }

  /// Removes a folder, if it exists and holds nothing but this program's locks.
  package static func removeEmptyFolder(_ path: FilePath) throws(FileFault) {
    guard try exists(path), try names(in: path).allSatisfy(FolderLock.isLockFile) else { return }
    try removeFolder(path)
  }

  /// Removes one of the program's own folders with its contents, if it exists; links are removed, not followed.
  package static func removeFolder(_ path: FilePath) throws(FileFault) {
    var facts = stat()
    guard unsafe path.withPlatformString({ unsafe lstat($0, &facts) }) == 0 else {
      if errno == ENOENT { return }
      throw .writing(path)
    }
    guard facts.st_mode & S_IFMT == S_IFDIR else { return try remove(path) }
    for name in try names(in: path) { try removeFolder(path.appending(name)) }
    guard unsafe path.withPlatformString({ unsafe rmdir($0) }) == 0 || errno == ENOENT else {
      throw .writing(path)
    }
  }

  /// Renames a file, replacing any existing target.
  package static func rename(_ path: FilePath, to target: FilePath) throws(FileFault) {
    let code = unsafe path.withPlatformString { path in
      unsafe target.withPlatformString { target in unsafe Foundation.rename(path, target) }
    }
    guard code == 0 else { throw .writing(target) }
  }

  /// Whether the process may write to an existing folder.
  package static func isWritable(_ folder: FilePath) -> Bool {
    unsafe folder.withPlatformString { unsafe access($0, W_OK) } == 0
  }
}
