import Foundation

/// Keeps other runs of the program out of a folder for as long as it lives, and as its process lives.
package struct FolderLock: ~Copyable {
  /// Whom a folder is locked against.
  package enum Use: Sendable {
    /// All others.
    case alone
    /// Those that want it alone.
    case together
  }

  private let descriptor: Int32

  /// Makes the folder when it does not exist, and locks it.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - use: who may have it besides.
  /// - Throws: `FileFault` when it cannot be made, or another run has locked it.
  package init(_ path: String, _ use: Use = .alone) throws(FileFault) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(path: path, reason: "the folder cannot be made")
    }
    let opened = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else {
      throw .unwritable(path: path, reason: unsafe String(cString: strerror(errno)))
    }
    guard flock(opened, (use == .alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
      close(opened)
      throw .unwritable(path: path, reason: "another run is writing to it")
    }
    descriptor = opened
  }

  deinit { close(descriptor) }
}
