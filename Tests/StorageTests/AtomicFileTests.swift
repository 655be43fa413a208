import Foundation
import Storage
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
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(file.byteCount == 7)
    try file.commit()
    #expect(try TextFile.text(of: path) == "one two")
    #expect(!FileManager.default.fileExists(atPath: path + ".part"))
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
    #expect(!FileManager.default.fileExists(atPath: path + ".part"))
  }

  @Test("a part that a killed process left is overwritten")
  func stalePartIsOverwritten() throws {
    let folder = try TemporaryFolder()
    try folder.write("left over from before", to: "a.txt.part")
    try AtomicFile.write("new", to: folder.file("a.txt"))
    #expect(try TextFile.text(of: folder.file("a.txt")) == "new")
  }

  @Test("a folder that cannot be made is a fault that names the path")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a file", to: "file") + "/below"
    let fault = #expect(throws: FileFault.self) { try AtomicFile.write("text", to: path) }
    guard case .unwritable(path, _) = fault else {
      Issue.record("expected unwritable \(path), found \(String(describing: fault))")
      return
    }
    #expect(fault?.exitStatus == .inputOutput)
  }
}
