import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Files that are gone on with")
struct ResumableFileTests {
  @Test("a part stays, is gone on with, and has its name when it is whole")
  func resumed() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("below/a")
    do {
      var file = try ResumableFile(path: path, keeping: 0)
      try file.write(Data("one two".utf8))
    }
    #expect(!FileManager.default.fileExists(atPath: path.string))
    #expect(try ResumableFile.partSize(of: path) == 7)
    var file = try ResumableFile(path: path, keeping: 4)
    try file.write(Data("three".utf8))
    try file.replace(at: 1, with: Data("NE".utf8))
    try file.write(Data("!?".utf8))
    #expect(file.byteCount == 11)
    try file.truncate(to: 10)
    try file.commit()
    #expect(try TextFile.text(of: path) == "oNE three!")
    #expect(try ResumableFile.partSize(of: path) == 0)
  }

  @Test("a folder that cannot be is a fault that names the file")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("", to: "file")
    let path = file.appending("below")
    let fault = #expect(throws: FileFault.self) {
      _ = try ResumableFile(path: path, keeping: 0).byteCount
    }
    #expect(fault?.exitStatus == .inputOutput)
    #expect(fault?.description.hasPrefix(file.string) == true)
  }
}
