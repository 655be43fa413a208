import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Paths")
struct PathTests {
  /// A name in Latin-1, which is not UTF-8.
  private let latin = FilePath(platformString: [0x63, CChar(bitPattern: 0xE9), 0])

  @Test("the folder of a path is that of its letters")
  func folders() {
    for (path, folder) in [
      ("a", "."), ("a/b", "a"), ("a//b/", "a"), ("/a", "/"), ("/", "/"), ("../a/../b", "../a/.."),
      ("//a//", "/"),
    ] {
      #expect(FilePath(path).folder == FilePath(folder), "\(path)")
    }
  }

  @Test("a path has one spelling; what .. leads to is left to the kernel")
  func spelling() {
    let path: FilePath = "exp/one/two"
    for other in ["exp//one/two/", "exp/one//two//"] {
      #expect(FilePath(other) == path && FilePath(other).string == "exp/one/two", "\(other)")
    }
    #expect(FilePath("./exp//one/./two/").plain == path)
    #expect(FilePath("/a/../b//").plain == "/a/../b")
    #expect(FilePath("./").plain == "." && FilePath("").plain == "." && FilePath("/.").plain == "/")
    #expect(FilePath("/a/./b/").absolute == "/a/b")
    let current = FilePath(FileManager.default.currentDirectoryPath)
    #expect(FilePath("./a/../b").absolute == current.appending("a/../b"))
  }

  @Test("a text is seen from a folder, unless it starts at the root")
  func resolving() {
    let folder: FilePath = "exp/run"
    #expect(folder.resolving("../a.map") == "exp/run/../a.map")
    #expect(folder.resolving("/a.map") == "/a.map")
    #expect(folder.resolving("a\0b") == "a\0b")
  }

  @Test("letters are put behind the last name, and taken from there")
  func suffixes() {
    #expect(FilePath("a.b/c/").withSuffix(".part") == "a.b/c.part")
    #expect(FilePath("a/c.ark:12").withoutSuffix(":12") == "a/c.ark")
    #expect(FilePath("a/c.ark").withoutSuffix(":12") == nil)
    #expect(FilePath("b").withoutSuffix("ab") == nil)
    #expect(latin.withSuffix(".a").withoutSuffix(".a") == latin)
  }

  @Test("a text with a NUL is no path, and is not cut off there")
  func nul() {
    let fault = #expect(throws: FileFault.self) { try FilePath(text: "a\0b") }
    #expect(fault?.description == "a\0b: expected a usable path, found one with a NUL in it")
    #expect(fault?.exitStatus == .data)
  }

  @Test("`..` behind a symbolic link is the folder of what it leads to")
  func link() throws {
    let folder = try TemporaryFolder()
    try folder.write("behind", to: "real/a.txt")
    try folder.write("before", to: "a.txt")
    try FileSystem.makeFolder(folder.file("real/inner"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link").string, withDestinationPath: "real/inner")
    let path = folder.file("link//../a.txt")
    for path in [path, path.plain, path.absolute] {
      #expect(try TextFile.text(of: path) == "behind")
    }
    try AtomicFile.write("new", to: path)
    #expect(try TextFile.text(of: folder.file("real/a.txt")) == "new")
    #expect(try TextFile.text(of: folder.file("a.txt")) == "before")
    #expect(FileSystem.target(ofLink: folder.file("link")) == "real/inner")
    #expect(FileSystem.target(ofLink: folder.file("a.txt")) == nil)
  }

  @Test("names that are not UTF-8 are listed, opened, renamed and removed")
  func otherBytes() throws {
    let folder = try TemporaryFolder()
    let path = folder.path.pushing(latin)
    try AtomicFile.write("one", to: path.appending("a"))
    try AtomicFile.write("two", to: path.withSuffix(".txt"))
    try folder.write("", to: "d")
    let names = try FileSystem.names(in: folder.path)
    #expect(names.map(\.text) == [#"c\xE9"#, #"c\xE9.txt"#, "d"])
    #expect(try TextFile.text(of: folder.path.appending(names[1])) == "two")
    #expect(
      try filePaths(below: folder.path)
        == [latin.withSuffix(".txt"), latin.appending("a"), "d"])
    try FileSystem.rename(path.withSuffix(".txt"), to: path.appending("b"))
    #expect(try FileSystem.realPath(of: path.appending("b")).ends(with: latin.appending("b")))
    try FileSystem.removeFolder(path)
    #expect(try FileSystem.names(in: folder.path) == ["d"])
  }

  @Test("bytes that are not UTF-8 are shown by their numbers, all else as it is")
  func text() {
    #expect(latin.withSuffix(".é").text == #"c\xE9.é"#)
    #expect(FilePath("a\u{301}\u{1}").text == "a\u{301}\u{1}")
    let bytes: [CChar] = [0xF0, 0x9F, 0x61, 0xC3, 0xA9, 0xFF, 0].map { CChar(bitPattern: $0) }
    #expect(FilePath(platformString: bytes).text == #"\xF0\x9Faé\xFF"#)
    #expect(FileFault.missing(path: latin).description == #"c\xE9: no such file"#)
  }

  @Test("a command is no path: a fault has it letter by letter")
  func command() {
    let fault = #expect(throws: FileFault.self) {
      try ShellCommand.withOutput(of: "exit 3 # http://x/") { _ in }
    }
    #expect(
      fault?.description == "exit 3 # http://x/ |: expected exit status 0, found 3")
  }
}
