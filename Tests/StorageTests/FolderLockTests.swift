import Storage
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

  private func lock(_ path: String) throws(FileFault) {
    _ = try FolderLock(path)
  }
}
