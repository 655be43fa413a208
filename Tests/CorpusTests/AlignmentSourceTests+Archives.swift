import Classes
import Features
import Audio
import Corpus
import Foundation
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

/// Archives of integers that are bad in parts.
extension AlignmentSourceTests {
  @Test("a bad line of a text archive is its utterance's alone, and is named")
  func badArchiveLine() throws {
    let archive = "a 1 1 2\nb 1 x 2\nc [ 2 2 1 ]\nd 1\nd 2\n"
    let source = try source(.archive, archive) { _ in }
    #expect(try targets(source, "a", frames: 3) == ["1", "1", "2"])
    #expect(try targets(source, "c", frames: 3) == ["2", "2", "1"])
    let path = folder.file("alignment")
    #expect(
      throws: AlignmentFault.file(
        .malformedLine(
          path: path, line: 2, expected: "a key and integers of 32 bits", found: "\"x\""))
    ) { try targets(source, "b", frames: 3) }
    #expect(
      throws: AlignmentFault.file(
        .malformedLine(path: path, line: 5, expected: "each key once", found: "d again"))
    ) { try targets(source, "d", frames: 1) }
  }

  /// An entry of a binary archive.
  private func binary(_ id: String, _ values: UInt8...) -> String {
    "\(id) \0B\u{4}\(UnicodeScalar(UInt8(values.count)))\0\0\0"
      + values.map { "\u{4}\(UnicodeScalar($0))\0\0\0" }.joined()
  }

  @Test("of a binary archive an entry that stands twice is skipped, and what comes after a cut")
  func badArchiveEntry() throws {
    let whole = binary("a", 1, 1, 2) + binary("b", 2) + binary("b", 2) + binary("c", 2, 1)
    let cut = whole + binary("d", 1, 2, 1).dropLast(7)
    let source = try source(.archive, cut) { _ in }
    #expect(try targets(source, "a", frames: 3) == ["1", "1", "2"])
    #expect(try targets(source, "c", frames: 2) == ["2", "1"])
    let path = folder.file("alignment")
    #expect(
      throws: AlignmentFault.file(
        .malformed(path: path, expected: "each key once", found: "b again"))
    ) { try targets(source, "b", frames: 1) }
    for id in ["d", "e"] {
      let fault = #expect(throws: AlignmentFault.self) { try targets(source, id, frames: 3) }
      #expect(fault?.description.contains("for d, found") == true, "\(String(describing: fault))")
    }
    // The same without the cut: what is not there is missing.
    let rest = try self.source(.archive, whole) { _ in }
    #expect(throws: AlignmentFault.missing) { try targets(rest, "e", frames: 3) }
  }

  @Test("a binary archive of which nothing can be read is refused")
  func unreadableArchive() throws {
    #expect(throws: FileFault.self) {
      try source(.archive, String(binary("a", 1, 2).dropLast(3))) { _ in }
    }
  }
}
