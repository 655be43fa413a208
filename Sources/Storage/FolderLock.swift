import Foundation
import Synchronization
package import SystemPackage

/// Keeps other runs of the program out of a folder for as long as it lives, and as its process lives.
///
/// The lock is the kernel's (`flock`), on the folder itself. A hidden file in the folder says who holds it; where
/// the file system has no locks (Lustre without `flock`, some NFS) that file is the lock, made so that only one
/// process can make it.
package struct FolderLock: ~Copyable {
  /// Whom a folder is locked against.
  package enum Use: Sendable {
    /// All others.
    case alone
    /// Those that want it alone.
    case together
  }

  /// What the user should know of the lock, told to the first holder in the process; nil when all is as usual.
  package let remark: String?
  private let folder: OpenFile
  private let ownerPath: FilePath

  /// Makes the folder when it does not exist, and locks it.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - use: who may have it besides.
  /// - Throws: `FileFault` when it cannot be made, or another run has locked it, which the fault names.
  package init(_ path: FilePath, _ use: Use = .alone) throws(FileFault) {
    try FileSystem.makeFolder(path)
    let opened = try OpenFile(path, for: .reading)
    let owner = LockOwner.current
    let own = path.appending(use == .alone ? LockOwner.name : owner.sharedName)
    let told = try FolderLock.lock(opened, at: path, use, owner, ownerPath: own)
    (folder, ownerPath, remark) = (opened, own, told)
  }

  /// Whether another run has a folder alone; the folder is neither made nor locked.
  package static func isHeld(_ path: FilePath) throws(FileFault) -> Bool {
    guard try FileSystem.isFolder(path) else { return false }
    let folder = try OpenFile(path, for: .reading)
    // Closing it gives the lock back.
    if flock(folder.descriptor, LOCK_SH | LOCK_NB) == 0 { return false }
    if errno == EWOULDBLOCK { return true }
    return try LockOwner.others(in: path).contains { $0.isAlive && $0.isAlone }
  }

  /// Locks an open folder.
  ///
  /// - Returns: what the user should know.
  private static func lock(
    _ folder: OpenFile, at path: FilePath, _ use: Use, _ owner: LockOwner, ownerPath: FilePath
  ) throws(FileFault) -> String? {
    if flock(folder.descriptor, (use == .alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 {
      // For the message of others; a folder that is read-only has no writer to keep out.
      try? AtomicFile.write(JSONText.line(owner) + "\n", to: ownerPath)
      // What runs left that were killed.
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
        "\(path.text): no file locks here (\(reason)); the file \(LockOwner.name) in it stands for one"
    default: throw .writing(path)
    }
  }

  deinit { FolderLock.removeQuietly(ownerPath) }

  /// Removes a file; where that fails, another run does it.
  private static func removeQuietly(_ path: FilePath) {
    unsafe _ = path.withPlatformString { unsafe unlink($0) }
  }

  /// Whether a file of this name in a folder says who has it.
  static func isLockFile(_ name: FilePath.Component) -> Bool {
    name.string.hasPrefix(LockOwner.name)
  }

  private static func held(_ path: FilePath, by other: LockOwner?) -> FileFault {
    .unwritable(
      path: path, reason: "another run is writing to it" + (other.map { ": \($0)" } ?? ""))
  }

  /// Makes the file that is the lock, in place of one whose process has ended.
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

/// Set when a run has been told that there are no locks.
private let isRemarkTold = Atomic(false)

/// Which process has a folder.
struct LockOwner: Codable, Equatable, CustomStringConvertible {
  let host: String
  let process: Int32
  /// When the process started, in the kernel's ticks since the machine did: with the number it is one process.
  let start: String
  let since: String
  /// The file that says so.
  private(set) var path: FilePath?

  private enum CodingKeys: CodingKey { case host, process, start, since }

  /// What the file is called of a run that has the folder alone.
  static let name = ".lock"
  /// What it is called of one that shares it.
  var sharedName: String { "\(LockOwner.name).\(host).\(process)" }
  /// Whether the folder is its alone.
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

  /// Reads the file of an owner; nil when it is gone or was not finished.
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

  /// Those that have a folder besides this process.
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

  /// Whether it may still be running: of another machine that cannot be told.
  var isAlive: Bool {
    guard host == ProcessInfo.processInfo.hostName else { return true }
    return LockOwner.startTicks(of: process) == start
  }

  var description: String {
    "process \(process) on \(host), since \(since)"
      + (host == ProcessInfo.processInfo.hostName
        ? "" : "; if it has ended, remove \(path?.text ?? LockOwner.name)")
  }

  /// The 22nd field of `/proc/PID/stat`, counted behind the name, which may hold blanks.
  private static func startTicks(of process: Int32) -> String? {
    guard let text = try? TextFile.text(of: FilePath("/proc/\(process)/stat")),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[end...].split(separator: " ")
    return fields.count > 20 ? String(fields[20]) : nil
  }
}
