import Foundation
package import SystemPackage

/// What the program asks of the file system beyond the bytes of files.
///
/// Paths go to the kernel as they are written. A question that the system does not answer, as on a disk that
/// fails, is a fault: it is never taken for "no".
package enum FileSystem {
  package enum Kind: Sendable {
    case file, folder, other
  }

  /// What a path leads to.
  package struct Facts: Sendable {
    package let kind: Kind
    /// In bytes.
    package let size: Int
    /// Seconds and nanoseconds since 1970 of the last change.
    package let changed: (seconds: Int, nanoseconds: Int)
    /// Which file it is, whatever its name.
    package let identity: FileIdentity
  }

  /// Tells a file from all others.
  package struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let node: UInt64
  }

  /// What is at a path, links followed; nil when nothing is.
  ///
  /// - Throws: `FileFault` when the system does not say.
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

  /// Whether anything is at a path, links followed.
  package static func exists(_ path: FilePath) throws(FileFault) -> Bool {
    try facts(of: path) != nil
  }

  /// Whether a folder is at a path, links followed.
  package static func isFolder(_ path: FilePath) throws(FileFault) -> Bool {
    try facts(of: path)?.kind == .folder
  }

  /// The path of what a path leads to, from the root and without links.
  package static func realPath(of path: FilePath) throws(FileFault) -> FilePath {
    guard let real = unsafe path.withPlatformString({ unsafe realpath($0, nil) }) else {
      throw .reading(path)
    }
    defer { unsafe free(real) }
    return unsafe FilePath(platformString: real)
  }

  /// What a symbolic link holds; nil where none is.
  package static func target(ofLink path: FilePath) -> FilePath? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe path.withPlatformString { unsafe readlink($0, &bytes, Int(PATH_MAX)) }
    return count < 0 ? nil : FilePath(platformString: bytes)
  }

  /// The names in a folder in the order of their bytes, without `.` and `..`.
  ///
  /// - Throws: `FileFault` when there is no such folder or it cannot be read.
  package static func names(in folder: FilePath) throws(FileFault) -> [FilePath.Component] {
    guard let stream = unsafe folder.withPlatformString({ unsafe opendir($0) }) else {
      throw .reading(folder)
    }
    defer { unsafe _ = closedir(stream) }
    // As paths, which compare without being copied.
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

  /// Makes a folder and those above it, unless it is there.
  package static func makeFolder(_ path: FilePath) throws(FileFault) {
    if unsafe path.withPlatformString({ unsafe mkdir($0, 0o777) }) == 0 { return }
    let code = errno
    if code == EEXIST {
      guard try isFolder(path) else {
        throw .unwritable(
          path: path, reason: "a folder is to be made here, but a file has the name")
      }
      return
    }
    let above = path.folder
    guard code == ENOENT, above != path else {
      // A file system that is read-only says so before it says that the folder is there.
      if try isFolder(path) { return }
      throw .writing(path, code)
    }
    try makeFolder(above)
    guard unsafe path.withPlatformString({ unsafe mkdir($0, 0o777) }) == 0 || errno == EEXIST else {
      throw .writing(path)
    }
  }

  /// Removes a file, if there is one.
  package static func remove(_ path: FilePath) throws(FileFault) {
    if unsafe path.withPlatformString({ unsafe unlink($0) }) == 0 { return }
    let code = errno
    // A file system that is read-only says so whether or not there is such a file.
    if try facts(of: path) == nil { return }
    throw .writing(path, code)
  }

  /// Removes a folder, if there is one and nothing but locks of the program is in it.
  package static func removeEmptyFolder(_ path: FilePath) throws(FileFault) {
    guard try exists(path), try names(in: path).allSatisfy(FolderLock.isLockFile) else { return }
    try removeFolder(path)
  }

  /// Removes a folder of the program's own with all that is in it, if there is one; a link is removed, not followed.
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

  /// Gives a file another name, replacing what had it.
  package static func rename(_ path: FilePath, to target: FilePath) throws(FileFault) {
    let code = unsafe path.withPlatformString { path in
      unsafe target.withPlatformString { target in unsafe Foundation.rename(path, target) }
    }
    guard code == 0 else { throw .writing(target) }
  }

  /// Whether the process may write in a folder that exists.
  package static func isWritable(_ folder: FilePath) -> Bool {
    unsafe folder.withPlatformString { unsafe access($0, W_OK) } == 0
  }
}
