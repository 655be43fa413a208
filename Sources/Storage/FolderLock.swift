import Foundation
import Synchronization
package import SystemPackage

/// Keeps other runs of the program out of a folder for the lifetime of the value or its process.
///
/// The lock is a kernel lock (`flock`) on the folder itself. A hidden file in the folder names the holder. Where the
/// file system has no locks (Lustre without `flock`, some NFS), that file is the lock, created exclusively.
package struct FolderLock: ~Copyable {
  /// Which other runs a lock excludes.
  package enum Use: Sendable {
    /// Excludes all others.
    case alone
    /// Excludes those that want the folder alone.
    case together
  }

  /// A note for the user about the lock, given to the process's first holder only; nil when there is nothing unusual.
  package let remark: String?
  private let folder: OpenFile
  private let ownerPath: FilePath

  /// Creates the folder if it does not exist, and locks it.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - use: whether other runs may share it.
  /// - Throws: `FileFault` when it cannot be created, or another run, which the fault names, has locked it.
  package init(_ path: FilePath, _ use: Use = .alone) throws(FileFault) {
    try FileSystem.makeFolder(path)
    let opened = try OpenFile(path, for: .reading)
    let owner = LockOwner.current
    let own = path.appending(use == .alone ? LockOwner.name : owner.sharedName)
    let told = try FolderLock.lock(opened, at: path, use, owner, ownerPath: own)
    (folder, ownerPath, remark) = (opened, own, told)
  }

  /// Whether another run holds a folder exclusively; the folder is neither created nor locked.
  package static func isHeld(_ path: FilePath) throws(FileFault) -> Bool {
    guard try FileSystem.isFolder(path) else { return false }
    let folder = try OpenFile(path, for: .reading)
    if flock(folder.descriptor, LOCK_SH | LOCK_NB) == 0 {
      unlock(folder)
      return false
    }
    if errno == EWOULDBLOCK { return true }
    return try LockOwner.others(in: path).contains { $0.isAlive && $0.isAlone }
  }

  /// Locks an open folder.
  ///
  /// - Returns: a note for the user, or nil.
  private static func lock(
    _ folder: OpenFile, at path: FilePath, _ use: Use, _ owner: LockOwner, ownerPath: FilePath
  ) throws(FileFault) -> String? {
    if flock(folder.descriptor, (use == .alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 {
      // For other runs' messages; a read-only folder has no writer to keep out.
      try? AtomicFile.write(JSONText.line(owner) + "\n", to: ownerPath)
      // Files left behind by killed runs.
      for other in (try? LockOwner.others(in: path)) ?? [] where !other.isAlive {
        if let file = other.path { removeQuietly(file) }
      }
      return nil
    }
    switch errno {
    case EWOULDBLOCK: throw held(path, by: try LockOwner.others(in: path).first)
    case ENOSYS, EOPNOTSUPP, ENOLCK:
      let reason = FileFault.words(for: errno)
      try makeOwnerFile(ownerPath, owner)
      let others = try LockOwner.others(in: path).filter {
        $0.isAlive && (use == .alone || $0.isAlone)
      }
      if let other = others.first {
        removeQuietly(ownerPath)
        throw held(path, by: other)
      }
      guard !isRemarkTold.exchange(true, ordering: .relaxed) else { return nil }
      return
        "\(path.text): no file locks here (\(reason)); using the file \(LockOwner.name) in it instead"
    default: throw .writing(path)
    }
  }

  deinit {
    FolderLock.removeQuietly(ownerPath)
    FolderLock.unlock(folder)
  }

  /// Releases a lock now: a child process that has not run its program yet has the descriptor too, so closing it is
  /// not enough.
  private static func unlock(_ folder: OpenFile) { _ = flock(folder.descriptor, LOCK_UN) }

  /// Removes a file; if that fails, a later run will remove it.
  private static func removeQuietly(_ path: FilePath) {
    unsafe _ = path.withPlatformString { unsafe unlink($0) }
  }

  /// Whether a file name is that of a lock's owner file.
  static func isLockFile(_ name: FilePath.Component) -> Bool {
    name.string.hasPrefix(LockOwner.name)
  }

  private static func held(_ path: FilePath, by other: LockOwner?) -> FileFault {
    .unwritable(
      path: path, reason: "another run is writing to it" + (other.map { ": \($0)" } ?? ""))
  }

  /// Creates the file that serves as the lock, replacing one whose process has ended.
  private static func makeOwnerFile(_ path: FilePath, _ owner: LockOwner) throws(FileFault) {
    while true {
      let made = unsafe path.withPlatformString {
        unsafe open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      }
      if made >= 0 {
        close(made)
        return try OpenFile(path, for: .writing).write(Data(JSONText.line(owner).utf8), at: 0)
      }
      guard errno == EEXIST else { throw .writing(path) }
      let holder = try LockOwner(path: path)
      if let holder, holder.isAlive { throw held(path.folder, by: holder) }
      try FileSystem.remove(path)
    }
  }
}

/// Set once the user has been told that there are no locks.
private let isRemarkTold = Atomic(false)

/// The process that holds a folder.
struct LockOwner: Codable, Equatable, CustomStringConvertible {
  let host: String
  let process: Int32
  /// When the process started, in kernel ticks since boot; together with the process id it is unique.
  let start: String
  let since: String
  /// The file that names this owner.
  private(set) var path: FilePath?

  private enum CodingKeys: CodingKey { case host, process, start, since }

  /// The name of the file of an exclusive owner.
  static let name = ".lock"
  /// The name of the file of a sharing owner.
  var sharedName: String { "\(LockOwner.name).\(host).\(process)" }
  /// Whether it holds the folder exclusively.
  var isAlone: Bool { path.map { $0.lastComponent?.string == LockOwner.name } ?? true }

  /// This process.
  static var current: LockOwner {
    let process = getpid()
    return LockOwner(
      host: ProcessInfo.processInfo.hostName, process: process,
      start: startTicks(of: process) ?? "",
      since: Date.now.formatted(.iso8601))
  }

  private init(host: String, process: Int32, start: String, since: String) {
    (self.host, self.process, self.start, self.since) = (host, process, start, since)
  }

  /// Reads an owner file; nil when it is gone or incomplete.
  init?(path: FilePath) throws(FileFault) {
    let bytes: Data
    do { bytes = try TextFile.bytes(of: path) } catch {
      if case .missing = error { return nil }
      throw error
    }
    guard let owner = try? JSONDecoder().decode(LockOwner.self, from: bytes) else { return nil }
    self = owner
    self.path = path
  }

  /// The owners of a folder other than this process.
  static func others(in folder: FilePath) throws(FileFault) -> [LockOwner] {
    let own = current
    var others: [LockOwner] = []
    for name in try FileSystem.names(in: folder) where FolderLock.isLockFile(name) {
      if let other = try LockOwner(path: folder.appending(name)),
        (other.host, other.process, other.start) != (own.host, own.process, own.start)
      {
        others.append(other)
      }
    }
    return others
  }

  /// Whether it may still be running; on another machine there is no way to know.
  var isAlive: Bool {
    guard host == ProcessInfo.processInfo.hostName else { return true }
    return LockOwner.startTicks(of: process) == start
  }

  var description: String {
    "process \(process) on \(host), since \(since)"
      + (host == ProcessInfo.processInfo.hostName
        ? "" : "; if it has ended, remove \(path?.text ?? LockOwner.name)")
  }

  /// The 22nd field of `/proc/PID/stat`, counted after the name, which may contain blanks.
  private static func startTicks(of process: Int32) -> String? {
    guard let text = try? TextFile.text(of: FilePath("/proc/\(process)/stat")),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[end...].split(separator: " ")
    return fields.count > 20 ? String(fields[20]) : nil
  }
}
