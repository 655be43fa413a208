import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("The file system's answers")
struct FileSystemTests {
  @Test("errno becomes a fault of the name, of the data or of the machine")
  func faults() {
    for (code, isOfMachine) in [
      (EIO, true), (EMFILE, true), (ESTALE, true), (ENOSPC, true), (EACCES, true), (ENOENT, false),
      (ENOTDIR, false), (ELOOP, false), (EISDIR, false),
    ] {
      #expect(FileFault.reading("x", code).isOfMachine == isOfMachine, "\(code)")
      #expect(FileFault.writing("x", code).isOfMachine, "\(code)")
    }
    #expect(FileFault.reading("x", ENOENT) == .missing(path: "x"))
    #expect(FileFault.reading("x", EIO).description == "x: cannot be read: Input/output error")
  }

  @Test("folders are made with those above them; a file in the way is named")
  func folders() throws {
    let folder = try TemporaryFolder()
    try FileSystem.makeFolder(folder.file("a/b/c"))
    #expect(try FileSystem.isFolder(folder.file("a/b/c")))
    let file = try folder.write("x", to: "file")
    let fault = #expect(throws: FileFault.self) {
      try FileSystem.makeFolder(file.appending("below"))
    }
    let isOfMachine = fault?.isOfMachine
    #expect(isOfMachine == true)
    try FileSystem.remove(folder.file("none"))
    try FileSystem.removeFolder(folder.file("a"))
    #expect(try !FileSystem.exists(folder.file("a")))
  }

  @Test("a file with the same bytes is left alone")
  func unchanged() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a")
    try AtomicFile.write("text", to: path)
    let first = try FileSystem.facts(of: path)?.identity
    try AtomicFile.write("text", to: path)
    let again = try FileSystem.facts(of: path)?.identity
    #expect(first == again)
    try AtomicFile.write("other", to: path)
    #expect(try TextFile.text(of: path) == "other")
  }

  @Test("what gzip has packed is read, of several members, and named where it is cut short")
  func gzip() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("one\n", to: folder.file("a"))
    try AtomicFile.write("two\n", to: folder.file("b"))
    #expect(
      try ShellCommand.exitStatus(
        of: "cd '\(folder.path)' && gzip -nc a >c.gz && gzip -nc b >>c.gz") == 0)
    #expect(try TextFile.text(of: folder.file("c.gz")) == "one\ntwo\n")
    let packed = try Data(contentsOf: URL(fileURLWithPath: folder.file("c.gz").string))
    let cut = try folder.write(packed.prefix(packed.count - 9), to: "cut.gz")
    let fault = #expect(throws: FileFault.self) { try TextFile.text(of: cut) }
    #expect(fault?.description.contains("complete gzip file") == true)
  }

  @Test("a command's output is a file without a name; its status and signals are told apart")
  func commands() throws {
    let text = try ShellCommand.withOutput(of: "echo hello") { try TextFile.text(of: $0) }
    #expect(text == "hello\n")
    let bad = #expect(throws: FileFault.self) { try ShellCommand.withOutput(of: "exit 3") { _ in } }
    let ended = #expect(throws: FileFault.self) {
      try ShellCommand.withOutput(of: "kill -9 $$") { _ in }
    }
    let (badIsOfMachine, endedIsOfMachine) = (bad?.isOfMachine, ended?.isOfMachine)
    #expect(badIsOfMachine == false)
    #expect(endedIsOfMachine == true)
  }
}
