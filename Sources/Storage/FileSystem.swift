import Foundation

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
  package static func facts(of path: String) throws(FileFault) -> Facts? {
    var facts = stat()
    guard unsafe stat(path, &facts) == 0 else {
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
  package static func exists(_ path: String) throws(FileFault) -> Bool {
    try facts(of: path) != nil
  }

  /// Whether a folder is at a path, links followed.
  package static func isFolder(_ path: String) throws(FileFault) -> Bool {
    try facts(of: path)?.kind == .folder
  }

  /// The path of what a path leads to, from the root and without links.
  package static func realPath(of path: String) throws(FileFault) -> String {
    guard let real = unsafe realpath(path, nil) else { throw .reading(path) }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  /// The names in a folder in the order of their bytes, without `.` and `..`.
  ///
  /// - Throws: `FileFault` when there is no such folder or it cannot be read, or for a name that is not UTF-8.
  package static func names(in folder: String) throws(FileFault) -> [String] {
    guard let stream = unsafe opendir(folder) else { throw .reading(folder) }
    defer { unsafe _ = closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw .reading(folder) }
        return names.sorted(by: inByteOrder)
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
        unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) { bytes in
          unsafe String(validatingCString: bytes)
        }
      }
      guard let name else {
        throw .malformed(path: folder, expected: "names in UTF-8", found: "a name of other bytes")
      }
      if name != ".", name != ".." { names.append(name) }
    }
  }

  /// Makes a folder and those above it, unless it is there.
  package static func makeFolder(_ path: String) throws(FileFault) {
    if unsafe mkdir(path, 0o777) == 0 { return }
    let code = errno
    if code == EEXIST {
      guard try isFolder(path) else {
        throw .unwritable(
          path: path, reason: "a folder is to be made here, but a file has the name")
      }
      return
    }
    let above = folder(of: path)
    guard code == ENOENT, above != path else {
      // A file system that is read-only says so before it says that the folder is there.
      if try isFolder(path) { return }
      throw .writing(path, code)
    }
    try makeFolder(above)
    guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else { throw .writing(path) }
  }

  /// Removes a file, if there is one.
  package static func remove(_ path: String) throws(FileFault) {
    if unsafe unlink(path) == 0 { return }
    let code = errno
    // A file system that is read-only says so whether or not there is such a file.
    if try facts(of: path) == nil { return }
    throw .writing(path, code)
  }

  /// Removes a folder, if there is one and nothing but locks of the program is in it.
  package static func removeEmptyFolder(_ path: String) throws(FileFault) {
    guard try exists(path), try names(in: path).allSatisfy(FolderLock.isLockFile) else { return }
    try removeFolder(path)
  }

  /// Removes a folder of the program's own with all that is in it, if there is one; a link is removed, not followed.
  package static func removeFolder(_ path: String) throws(FileFault) {
    var facts = stat()
    guard unsafe lstat(path, &facts) == 0 else {
      if errno == ENOENT { return }
      throw .writing(path)
    }
    guard facts.st_mode & S_IFMT == S_IFDIR else { return try remove(path) }
    for name in try names(in: path) { try removeFolder(path + "/" + name) }
    guard unsafe rmdir(path) == 0 || errno == ENOENT else { throw .writing(path) }
  }

  /// Gives a file another name, replacing what had it.
  package static func rename(_ path: String, to target: String) throws(FileFault) {
    guard unsafe Foundation.rename(path, target) == 0 else { throw .writing(target) }
  }

  /// Whether the process may write in a folder that exists.
  package static func isWritable(_ folder: String) -> Bool { unsafe access(folder, W_OK) == 0 }

  // MARK: - Paths by their bytes, since Swift takes a slash and an accent behind it for one character

  /// The folder that a path's last name is in, by its letters.
  package static func folder(of path: String) -> String {
    let plain = withoutSlashes(path.utf8[...])
    guard let slash = plain.lastIndex(of: slash) else {
      return path.utf8.first == self.slash ? "/" : "."
    }
    let above = withoutSlashes(plain[..<slash])
    return above.isEmpty ? "/" : String(Substring(above))
  }

  /// The last name of a path.
  package static func lastName(of path: String) -> String {
    names(ofPath: path).last.map(String.init) ?? path
  }

  /// The names of a path, from the first folder on.
  package static func names(ofPath path: String) -> [Substring] {
    path.utf8.split(separator: slash).map { Substring($0) }
  }

  /// A path without the extension of its last name.
  package static func withoutExtension(_ path: String) -> String {
    let suffix = parted(lastName(of: path)).suffix
    return suffix.isEmpty ? path : String(Substring(path.utf8.dropLast(suffix.utf8.count + 1)))
  }

  /// A name without its extension, and that; a name that starts with its only full stop has none.
  package static func parted(_ name: some StringProtocol) -> (stem: Substring, suffix: Substring) {
    let name = Substring(name)
    guard let stop = name.utf8.lastIndex(of: UInt8(ascii: ".")), stop > name.startIndex,
      case let suffix = name.utf8[name.utf8.index(after: stop)...], !suffix.isEmpty
    else { return (name, "") }
    return (Substring(name.utf8[..<stop]), Substring(suffix))
  }

  private static let slash = UInt8(ascii: "/")

  /// A path without the slashes at its end.
  private static func withoutSlashes(_ path: Substring.UTF8View) -> Substring.UTF8View {
    var rest = path
    while rest.last == slash { rest.removeLast() }
    return rest
  }
}
