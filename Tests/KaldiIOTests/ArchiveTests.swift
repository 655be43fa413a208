import Foundation
import KaldiIO
import LinearAlgebra
import Storage
import TestSupport
import Testing

@Suite("Kaldi archives")
struct ArchiveTests {
  /// Made by `Fixtures/make_golden.py` with kaldiio 2.18.1.
  private func fixture(_ name: String) throws -> String {
    try #require(Bundle.module.path(forResource: "Fixtures/" + name, ofType: nil))
  }

  @Test("float matrices that kaldiio wrote are read")
  func kaldiioMatrices() throws {
    let entries = try MatrixArchive.read(fixture("matrices.ark"))
    #expect(entries.map(\.key) == ["first", "second"])
    #expect(entries[0].matrix.doubles == [[-0.5, -0.25, 0], [0.25, 0.5, 0.75]])
    #expect(entries[1].matrix.values == [1e-20, -3.5])
  }

  @Test("our bytes are kaldiio's bytes")
  func sameBytes() throws {
    let folder = try TemporaryFolder()
    let matrices = folder.file("m.ark")
    var writer = try MatrixArchive.Writer(archive: matrices, script: folder.file("m.scp"))
    for (key, matrix) in try MatrixArchive.read(fixture("matrices.ark")) {
      try writer.write(key, matrix)
    }
    try writer.commit()
    #expect(try TextFile.bytes(of: matrices) == TextFile.bytes(of: fixture("matrices.ark")))
    #expect(
      try TextFile.text(of: folder.file("m.scp"))
        == "first \(matrices):6\nsecond \(matrices):52\n")

    let vectors = folder.file("v.ark")
    var vectorWriter = try IntegerVectorArchive.Writer(path: vectors)
    for (key, values) in try IntegerVectorArchive.read(fixture("vectors.ark")) {
      try vectorWriter.write(key, values)
    }
    try vectorWriter.commit()
    #expect(try TextFile.bytes(of: vectors) == TextFile.bytes(of: fixture("vectors.ark")))
  }

  @Test(
    "integer vectors that kaldiio wrote are read", arguments: ["vectors.ark", "vectors-text.ark"])
  func kaldiioVectors(name: String) throws {
    let entries = try IntegerVectorArchive.read(fixture(name))
    #expect(entries.map(\.key) == ["first", "second"])
    #expect(entries.map(\.values) == [[3, -1, 70000], [7]])
  }

  @Test("an archive cut anywhere inside an entry is a fault that names the file and the place")
  func truncated() throws {
    let folder = try TemporaryFolder()
    for name in ["matrices.ark", "vectors.ark"] {
      let whole = try TextFile.bytes(of: fixture(name))
      let second = try #require(whole.firstRange(of: Data("second".utf8))).lowerBound
      for length in Array(1..<second) + Array(second + 1..<whole.count) {
        let path = try folder.write(Data(whole.prefix(length)), to: "cut.ark")
        let fault = #expect(throws: FileFault.self, "\(name) cut to \(length) bytes") {
          if name == "matrices.ark" {
            _ = try MatrixArchive.read(path)
          } else {
            _ = try IntegerVectorArchive.read(path)
          }
        }
        #expect(fault?.description.hasPrefix(path) == true)
        #expect(fault?.exitStatus == .data)
      }
    }
  }

  @Test("a key that stands twice is a fault, since one entry would be lost")
  func twice() throws {
    let folder = try TemporaryFolder()
    for name in ["matrices.ark", "vectors.ark", "vectors-text.ark"] {
      let whole = try TextFile.bytes(of: fixture(name))
      let path = try folder.write(whole + whole, to: name)
      #expect(
        throws: FileFault.malformed(path: path, expected: "each key once", found: "first again")
      ) {
        if name == "matrices.ark" {
          _ = try MatrixArchive.read(path)
        } else {
          _ = try IntegerVectorArchive.read(path)
        }
      }
    }
  }

  @Test("other kinds of archive are refused by name")
  func otherKinds() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Data("key \0BDM \u{4}".utf8), to: "double.ark")
    let fault = #expect(throws: FileFault.self) { try MatrixArchive.read(path) }
    #expect(
      fault?.description
        == "\(path): at byte 4: expected a binary float matrix (FM), found \"BDM \"")
    for shape in [
      Data([4, 255, 255, 255, 127, 4, 255, 255, 255, 127]),
      Data([4, 255, 255, 255, 255, 4, 1, 0, 0, 0]),
    ] {
      let huge = try folder.write(Data("key \0BFM ".utf8) + shape, to: "huge.ark")
      #expect(throws: FileFault.self) { try MatrixArchive.read(huge) }
    }
    let text = try folder.write("key 1 2 x\n", to: "text.ark")
    #expect(
      throws: FileFault.malformedLine(
        path: text, line: 1, expected: "integers after the key", found: "\"x\"")
    ) { try IntegerVectorArchive.read(text) }
  }
}
