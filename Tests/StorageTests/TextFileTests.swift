import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Text files")
struct TextFileTests {
  @Test("blank lines are passed over and the numbers of the others kept; line ends may be CR LF")
  func lines() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a b\r\n\n  \nc\n", to: "a")
    let lines = try TextFile.lines(of: path)
    #expect(lines.map(\.number) == [1, 4])
    #expect(lines.map(\.text) == ["a b", "c"])
  }

  @Test("keys, rests and fields are cut at blanks and tabs")
  func fields() {
    let line = Substring(" key \t some  words  ")
    #expect(line.keyAndRest.key == "key")
    #expect(line.keyAndRest.rest == "some  words")
    #expect(line.fields == ["key", "some", "words"])
    #expect(Substring("key").keyAndRest.rest.isEmpty)
  }

  @Test("a missing file, a folder and other bytes than UTF-8 are told apart")
  func faults() throws {
    let folder = try TemporaryFolder()
    let missing = folder.file("none")
    #expect(throws: FileFault.missing(path: missing)) { try TextFile.text(of: missing) }
    #expect(
      throws: FileFault.malformed(path: folder.path, expected: "a file", found: "a folder")
    ) { try TextFile.text(of: folder.path) }
    let binary = try folder.write(Data([0xFF, 0xFE, 0x80]), to: "binary")
    #expect(
      throws: FileFault.malformed(path: binary, expected: "UTF-8 text", found: "other bytes")
    ) { try TextFile.text(of: binary) }
  }

  @Test("a packed file that is corrupt is named, with the place")
  func packed() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Data([0x1F, 0x8B, 0x08, 0x00, 0x0A]), to: "phones.ctm")
    for read in [
      { try TextFile.text(of: path) }, { try TextFile.markedText(of: path) },
    ] {
      let fault = #expect(throws: FileFault.self) { try read() }
      #expect(fault?.description.contains("expected a complete gzip file") == true)
    }
  }

  @Test("the digest is XXH3's of 128 bits, as its reference gives it for no bytes")
  func fingerprint() {
    #expect(Fingerprint(of: "").description == "99aa06d3014798d86001c324468d497f")
    #expect(Fingerprint(of: "a") != Fingerprint(of: "b"))
  }
}
