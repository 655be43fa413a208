import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Locked folders")
struct FolderLockTests {
  @Test("a second run is refused while the first lives, and not after it")
  func second() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("out")
    do {
      let first = try FolderLock(path)
      #expect(
        throws: FileFault.unwritable(path: path, reason: "another run is writing to it")
      ) { try lock(path) }
      withExtendedLifetime(first) {}
    }
    try lock(path)
  }

  @Test("runs that bear each other lock a folder together, and against one that wants it alone")
  func together() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("out")
    do {
      let first = try FolderLock(path, .together)
      try lock(path, .together)
      #expect(throws: FileFault.self) { try lock(path) }
      withExtendedLifetime(first) {}
    }
    let alone = try FolderLock(path)
    #expect(throws: FileFault.self) { try lock(path, .together) }
    withExtendedLifetime(alone) {}
  }

  @Test("what runs left that were killed goes with the next lock; that of other machines stays")
  func leftovers() throws {
    let folder = try TemporaryFolder()
    let host = ProcessInfo.processInfo.hostName
    func owner(_ host: String) -> String {
      "{\"host\": \"\(host)\", \"process\": 1, \"start\": \"none\", \"since\": \"2026-11-27T00:00:00Z\"}\n"
    }
    try folder.write(owner(host), to: "out/.lock.\(host).1")
    try folder.write(owner("elsewhere"), to: "out/.lock.elsewhere.1")
    try lock(folder.file("out"), .together)
    #expect(try FileSystem.names(in: folder.file("out")) == [".lock.elsewhere.1"])
  }

  private func lock(_ path: FilePath, _ use: FolderLock.Use = .alone) throws(FileFault) {
    _ = try FolderLock(path, use)
  }
}
