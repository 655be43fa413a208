import Foundation
import Storage
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Files appear when they are whole")
struct AtomicFileTests {
  @Test("nothing stands under the final name before the commit, all of it after")
  func appearsOnCommit() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("new/folder/a.txt")
    var file = try AtomicFile(path: path)
    try file.write("one ")
    try file.write("two")
    #expect(!FileManager.default.fileExists(atPath: path.string))
    #expect(file.byteCount == 7)
    try file.commit()
    #expect(try TextFile.text(of: path) == "one two")
    #expect(!FileManager.default.fileExists(atPath: path.withSuffix(".part").string))
  }

  @Test("a file that is dropped leaves neither a part nor a change")
  func droppedLeavesOldContent() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("old", to: "a.txt")
    do {
      var file = try AtomicFile(path: path)
      try file.write("new")
    }
    #expect(try TextFile.text(of: path) == "old")
    #expect(!FileManager.default.fileExists(atPath: path.withSuffix(".part").string))
  }

  @Test("a part that a killed process left is overwritten")
  func stalePartIsOverwritten() throws {
    let folder = try TemporaryFolder()
    try folder.write("left over from before", to: "a.txt.part")
    try AtomicFile.write("new", to: folder.file("a.txt"))
    #expect(try TextFile.text(of: folder.file("a.txt")) == "new")
  }

  @Test("of many writers at once each succeeds, and the file is always one's own")
  func manyWriters() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.txt")
    let texts = (0..<8).map { String(repeating: "\($0)", count: 10_000 + $0) }
    let found = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: texts.count * 20) { turn in
      guard (try? AtomicFile.write(texts[turn % texts.count], to: path)) != nil,
        let text = try? TextFile.text(of: path)
      else { return }
      found.withLock { $0.append(text) }
    }
    let results = found.withLock { $0 }
    #expect(results.count == texts.count * 20)
    #expect(Set(results).isSubset(of: texts))
    #expect(!FileManager.default.fileExists(atPath: path.withSuffix(".part").string))
  }

  @Test("a writer that waits in vain says that another is at it, and leaves its part alone")
  func waitsInVain() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.txt")
    var first = try AtomicFile(path: path)
    try first.write("first")
    #expect(
      throws: FileFault.unwritable(path: path, reason: "another process is writing to it")
    ) { _ = try AtomicFile(path: path, patience: .milliseconds(50)) }
    try first.commit()
    #expect(try TextFile.text(of: path) == "first")
  }

  @Test("a symbolic link stays one, and what it leads to is replaced")
  func link() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("old", to: "elsewhere/a.txt")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.txt").string, withDestinationPath: file.string)
    try AtomicFile.write("new", to: folder.file("link.txt"))
    #expect(try TextFile.text(of: file) == "new")
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link.txt").string)
        == file.string)
  }

  @Test("what is not a regular file is left as it is")
  func pipe() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("pipe")
    #expect(unsafe path.withPlatformString { unsafe mkfifo($0, 0o600) } == 0)
    #expect(throws: FileFault.unwritable(path: path, reason: "it is not a regular file")) {
      try AtomicFile.write("text", to: path)
    }
    let kind =
      try FileManager.default.attributesOfItem(atPath: path.string)[.type] as? FileAttributeType
    #expect(kind != .typeRegular)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("").string) == ["pipe"])
  }

  @Test("a folder that cannot be made is a fault that names the path")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("a file", to: "file")
    let path = file.appending("below")
    let fault = #expect(throws: FileFault.self) { try AtomicFile.write("text", to: path) }
    guard case .unwritable(.file(file), _) = fault else {
      Issue.record("expected unwritable \(file), found \(String(describing: fault))")
      return
    }
    #expect(fault?.exitStatus == .inputOutput)
  }
}
