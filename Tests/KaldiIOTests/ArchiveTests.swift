import Foundation
import KaldiIO
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

/// Made by `Fixtures/make_golden.py` with kaldiio 2.18.1 and kaldi-native-io 1.23.0.
func fixture(_ name: String) throws -> FilePath {
  FilePath(try #require(Bundle.module.path(forResource: "Fixtures/" + name, ofType: nil)))
}

@Suite("Kaldi archives")
struct ArchiveTests {
  private typealias Kind = KaldiValue.Kind

  static let matrices: [(String, KaldiValue)] = [
    ("first", .matrix(Matrix(rows: 2, columns: 3, values: [-0.5, -0.25, 0, 0.25, 0.5, 0.75]))),
    ("second", .matrix(Matrix(rows: 1, columns: 2, values: [1e-20, -3.5]))),
  ]
  static let doubles: [(String, KaldiValue)] = [
    (
      "first",
      .doubleMatrix(
        DoubleMatrix(
          rows: 2, columns: 3, values: [-0.5, -0.25, 0, 0.25, 0.5, 0.75].map { $0 / 3 }))
    ),
    (
      "second",
      .doubleMatrix(
        DoubleMatrix(rows: 1, columns: 2, values: [Double(Float(1e-20)) / 3, -3.5 / 3]))
    ),
  ]
  static let vectors: [(String, KaldiValue)] = [
    ("first", .vector([0.5, -1e10])), ("second", .vector([])),
  ]
  static let doubleVectors: [(String, KaldiValue)] = [
    ("first", .doubleVector([0.5 / 3, -1e10 / 3]))
  ]
  static let integers: [(String, KaldiValue)] = [
    ("first", .integers([3, -1, 70000])), ("second", .integers([7])),
  ]
  static let posteriors: [(String, KaldiValue)] = [
    (
      "first",
      .posterior([
        [PosteriorEntry(index: 4, weight: 0.25), PosteriorEntry(index: 2, weight: 0.75)], [],
        [PosteriorEntry(index: 70000, weight: 1)],
      ])
    ),
    (
      "second",
      .posterior([
        [PosteriorEntry(index: 0, weight: 0.5)], [PosteriorEntry(index: 1, weight: 1)],
      ])
    ),
  ]

  static let files: [(name: String, entries: [(String, KaldiValue)])] = [
    ("matrices.ark", matrices), ("matrices.txt", matrices), ("kaldiio-matrices.txt", matrices),
    ("double-matrices.ark", doubles), ("vectors.ark", Array(vectors.prefix(1))),
    ("vectors.txt", vectors), ("double-vectors.ark", doubleVectors), ("integers.ark", integers),
    ("integers.txt", integers), ("kaldiio-integers.txt", integers),
    ("posteriors.ark", posteriors), ("posteriors.txt", posteriors),
  ]

  @Test("what kaldiio and Kaldi wrote is read", arguments: files)
  func read(_ file: (name: String, entries: [(String, KaldiValue)])) throws {
    let found = try Archive.read(try fixture(file.name), as: file.entries[0].1.kind)
    #expect(found.map(\.key) == file.entries.map(\.0))
    #expect(found.map(\.value) == file.entries.map(\.1))
  }

  @Test("binary archives are kaldiio's and Kaldi's to the byte", arguments: files)
  func written(_ file: (name: String, entries: [(String, KaldiValue)])) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.ark")
    let isText = file.name.hasSuffix(".txt")
    var writer = try ArchiveWriter(path, form: isText ? .text : .binary)
    for (key, value) in file.entries { try writer.write(key, value) }
    try writer.commit()
    if isText {
      #expect(
        try Archive.read(path, as: file.entries[0].1.kind).map(\.value) == file.entries.map(\.1))
    } else {
      #expect(try TextFile.bytes(of: path) == TextFile.bytes(of: fixture(file.name)))
    }
  }

  @Test("text and integers are guessed where the kind is not said")
  func guesses() throws {
    for (name, kind) in [
      ("matrices.txt", Kind.matrix), ("vectors.txt", .vector), ("integers.txt", .integers),
      ("posteriors.txt", .posterior), ("integers.ark", .integers),
    ] {
      #expect(try Archive.read(try fixture(name)).allSatisfy { $0.value.kind == kind })
    }
  }

  @Test("an archive cut anywhere inside an entry is a fault with the file, and the key behind it")
  func truncated() throws {
    let folder = try TemporaryFolder()
    for file in ArchiveTests.files + [("cm.ark", []), ("cm2.ark", []), ("cm3.ark", [])] {
      let whole = try TextFile.bytes(of: fixture(file.name))
      let kind = file.entries.first?.1.kind ?? .matrix
      let (key, next) = file.entries.isEmpty ? ("many", "four") : ("first", "second")
      let end = whole.firstRange(of: Data(next.utf8))?.lowerBound ?? whole.count
      for length in 1..<end {
        let path = try folder.write(Data(whole.prefix(length)), to: "cut.ark")
        let fault = #expect(throws: FileFault.self, "\(file.name) cut to \(length) bytes") {
          try Archive.read(path, as: kind)
        }
        #expect(fault?.description.hasPrefix("\(path): at byte ") == true)
        #expect(fault?.exitStatus == .data)
        if length > key.count { #expect(fault?.description.contains(" for \(key)") == true) }
      }
    }
  }

  @Test("a key that stands twice is a fault, since one entry would be lost")
  func twice() throws {
    let folder = try TemporaryFolder()
    for name in ["matrices.ark", "integers.ark", "integers.txt"] {
      let whole = try TextFile.bytes(of: fixture(name))
      let path = try folder.write(whole + whole, to: name)
      #expect(
        throws: FileFault.malformed(path: path, expected: "each key once", found: "first again")
      ) { try Archive.read(path) }
    }
  }

  @Test("nonsense is refused with its place")
  func nonsense() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Data("key \0BXY \u{4}".utf8), to: "other.ark")
    let fault = #expect(throws: FileFault.self) { try Archive.read(path) }
    #expect(
      fault?.description
        == "\(path): at byte 6: expected a type of FM, DM, FV, DV, CM, CM2 or CM3, or a list of "
        + "integers for key, found \"XY\"")
    for shape in [
      Data([4, 255, 255, 255, 127, 4, 255, 255, 255, 127]),
      Data([4, 255, 255, 255, 255, 4, 1, 0, 0, 0]), Data([4, 255, 255, 255, 127, 4, 0, 0, 0, 0]),
    ] {
      for token in ["FM", "DM"] {
        let huge = try folder.write(Data("key \0B\(token) ".utf8) + shape, to: "huge.ark")
        #expect(throws: FileFault.self) { try Archive.read(huge) }
        #expect(throws: FileFault.self) { try MatrixArchive(path: huge) }
      }
    }
    for text in ["key 1 2 x\n", "key [ 1 2\n 3 ]\n", "key [ 1 ] 2\n"] {
      let path = try folder.write(text, to: "text.ark")
      #expect(throws: FileFault.self) { try Archive.read(path, as: .matrix) }
    }
  }

  @Test("a matrix is read as other kinds where only precision differs")
  func converted() throws {
    #expect(
      try Archive.readMatrices(fixture("double-matrices.ark")).map(\.matrix.columns) == [3, 2])
    #expect(throws: FileFault.self) { try Archive.readMatrices(fixture("vectors.ark")) }
    #expect(throws: FileFault.self) { try Archive.readIntegers(fixture("matrices.ark")) }
  }
}

@Suite("Compressed matrices")
struct CompressedMatrixTests {
  @Test(
    "are written as Kaldi writes them and read as Kaldi reads them",
    arguments: MatrixCompression.allCases)
  func equalKaldi(_ compression: MatrixCompression) throws {
    let folder = try TemporaryFolder()
    let waves = try Archive.readMatrices(fixture("waves.ark"))
    var writer = try ArchiveWriter(folder.file("a.ark"), form: .compressed(compression))
    for (key, matrix) in waves { try writer.write(key, .matrix(matrix)) }
    try writer.commit()
    let golden = try fixture("\(compression.rawValue).ark")
    #expect(try TextFile.bytes(of: folder.file("a.ark")) == TextFile.bytes(of: golden))
    let read = try Archive.readMatrices(golden)
    let expected = try Archive.readMatrices(fixture("\(compression.rawValue)-read.ark"))
    for ((found, kaldi), (_, original)) in zip(zip(read, expected), waves) {
      #expect(found.key == kaldi.key)
      // One ulp of the largest value, 4.
      #expect(mismatch(found.matrix.values, kaldi.matrix.values, absolute: 5e-7) == nil)
      let error = zip(found.matrix.values, original.values).map { abs($0 - $1) }.max() ?? 0
      #expect(CompressedMatrix.largestError(of: original, by: compression) == error)
    }
  }
}

extension CompressedMatrixTests {
  @Test(
    "values that fall on one code, and ranges that single precision does not hold",
    arguments: MatrixCompression.allCases)
  func extremes(_ compression: MatrixCompression) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.ark")
    for values: [Float] in [
      [15.94, 15.95, 15.96], [100, 100.0001, 100], [.leastNonzeroMagnitude, 0, 0, 0],
      [1, 1 + .ulpOfOne, 1],
    ] {
      let matrix = Matrix(rows: 1, columns: values.count, values: values)
      var writer = try ArchiveWriter(path, form: .compressed(compression))
      try writer.write("a", .matrix(matrix))
      try writer.commit()
      let range = (values.max() ?? 0) - (values.min() ?? 0)
      let read = try Archive.readMatrices(path)[0].matrix
      #expect(mismatch(read.values, values, absolute: Double(range) / 128 + 1e-5) == nil)
    }
    for values: [Float] in [[1, .nan], [1, .infinity], [-3e38, 3e38], [3.4e38, 3.4e38]] {
      var writer = try ArchiveWriter(path, form: .compressed(compression))
      let fault = #expect(throws: FileFault.self) {
        try writer.write("key", .matrix(Matrix(rows: 1, columns: 2, values: values)))
      }
      #expect(fault?.description.contains("to compress for key") == true)
    }
  }
}

@Suite("scp files and mapped matrices")
struct ArchiveScriptTests {
  private func write(_ folder: TemporaryFolder, _ script: String) throws -> ArchiveScript {
    try ArchiveScript(path: try folder.write(script, to: "a.scp"))
  }

  @Test("offsets, ranges of rows and columns, and files of one value")
  func locations() throws {
    let folder = try TemporaryFolder()
    var writer = try ArchiveWriter(folder.file("m.ark"), script: folder.file("m.scp"))
    for (key, value) in ArchiveTests.matrices { try writer.write(key, value) }
    try writer.commit()
    let script = try ArchiveScript(path: folder.file("m.scp"))
    #expect(try script.entries.map { try script.value(of: $0) } == ArchiveTests.matrices.map(\.1))
    let ark = folder.file("m.ark")
    #expect(
      try TextFile.text(of: folder.file("m.scp")) == "first \(ark):6\nsecond \(ark):52\n")
    let parts = try write(
      folder, "rows \(ark):6[1:1]\nboth \(ark):6[0:1,1:2]\ncolumns \(ark):6[:,0:0]\n")
    #expect(
      try parts.entries.map { try parts.value(of: $0) } == [
        .matrix(Matrix(rows: 1, columns: 3, values: [0.25, 0.5, 0.75])),
        .matrix(Matrix(rows: 2, columns: 2, values: [-0.25, 0, 0.5, 0.75])),
        .matrix(Matrix(rows: 2, columns: 1, values: [-0.5, 0.25])),
      ])
    let outside = try write(folder, "a \(ark):6[0:2]\n")
    #expect(throws: FileFault.self) { try outside.value(of: outside.entries[0]) }
    let beyond = try write(folder, "a \(ark):4000\n")
    #expect(throws: FileFault.self) { try beyond.value(of: beyond.entries[0]) }
    #expect(throws: FileFault.self) { try write(folder, "a \(ark):6[2:1]\n") }
    #expect(throws: FileFault.self) { try write(folder, "a\n") }
    #expect(
      throws: FileFault.malformedLine(
        path: folder.file("a.scp"), line: 2, expected: "a usable path",
        found: "one with a NUL in it")
    ) { try write(folder, "a \(ark):6\nb \(ark)\0:6\n") }
  }

  @Test("a command runs only when that is allowed, and its failure is a fault")
  func commands() throws {
    let folder = try TemporaryFolder()
    let script = try write(
      folder, "a printf ' 1 2 3\\n' |\nb touch \(folder.file("ran")); exit 3 |\n")
    #expect(throws: FileFault.self) { try script.value(of: script.entries[1]) }
    #expect(!FileManager.default.fileExists(atPath: folder.file("ran").string))
    #expect(
      try script.value(of: script.entries[0], as: .integers, commands: .allowed)
        == .integers([1, 2, 3]))
    let fault = #expect(throws: FileFault.self) {
      try script.value(of: script.entries[1], commands: .allowed)
    }
    #expect(fault?.description.contains("expected exit status 0, found 3") == true)
  }

  @Test("mapped rows are the rows of the archive")
  func mapped() throws {
    let mapped = try MatrixArchive(path: try fixture("matrices.ark"))
    #expect(mapped.entries.map(\.key) == ["first", "second"])
    #expect(
      try mapped.read(1..<2, of: mapped.entries[0])
        == Matrix(rows: 1, columns: 3, values: [0.25, 0.5, 0.75]))
    #expect(try mapped.read(0..<1, of: mapped.entries[1]).values == [1e-20, -3.5])
    #expect(throws: FileFault.self) { try MatrixArchive(path: fixture("double-matrices.ark")) }
    let folder = try TemporaryFolder()
    let whole = try TextFile.bytes(of: fixture("matrices.ark"))
    let cut = try folder.write(Data(whole.dropLast()), to: "cut.ark")
    let fault = #expect(throws: FileFault.self) { try MatrixArchive(path: cut) }
    #expect(fault?.description.contains("for second") == true)
  }

  @Test("parts of matrices in two bytes a value are those of the whole")
  func twoByteParts() throws {
    let archive = try MatrixArchive(path: try fixture("cm2.ark"))
    let whole = try Archive.readMatrices(try fixture("cm2.ark"))
    #expect(archive.entries.map(\.key) == whole.map(\.key))
    for (entry, own) in zip(archive.entries, whole) {
      #expect(entry.rows == own.matrix.rows && entry.columns == own.matrix.columns)
      #expect(try archive.read(0..<entry.rows, of: entry) == own.matrix)
      guard entry.rows > 2 else { continue }
      let part = own.matrix.values[entry.columns..<(entry.rows - 1) * entry.columns]
      #expect(try archive.read(1..<entry.rows - 1, of: entry).values == Array(part))
    }
    #expect(archive.entries.contains { $0.rows > 2 })
    let folder = try TemporaryFolder()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture("cm2.ark").string))
    let cut = try folder.write(bytes.dropLast(3), to: "cut.ark")
    #expect(throws: FileFault.self) { try MatrixArchive(path: cut) }
  }

  @Test("parts of integer vectors are read from the file, in binary and in text")
  func integerParts() throws {
    let folder = try TemporaryFolder()
    for name in ["integers.ark", "integers.txt"] {
      let archive = try IntegerArchive(path: try fixture(name))
      let whole = try Archive.readIntegers(try fixture(name))
      #expect(archive.entries.map(\.key) == whole.map(\.key))
      for (entry, own) in zip(archive.entries, whole) {
        #expect(entry.count == own.values.count)
        #expect(try archive.read(0..<entry.count, of: entry) == own.values)
        guard entry.count > 1 else { continue }
        #expect(try archive.read(1..<entry.count, of: entry) == Array(own.values[1...]))
      }
    }
    #expect(throws: FileFault.self) { try IntegerArchive(path: fixture("matrices.ark")) }
    #expect(throws: FileFault.self) { try IntegerArchive(path: folder.file("none.ark")) }
    let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture("integers.ark").string))
    let cut = try folder.write(bytes.dropLast(3), to: "cut-integers.ark")
    #expect(throws: FileFault.self) { try IntegerArchive(path: cut) }
    var other = bytes
    // The size byte of the last integer.
    other[other.count - 5] = 2
    let path = try folder.write(other, to: "other-integers.ark")
    let archive = try IntegerArchive(path: path)
    let last = try #require(archive.entries.last)
    #expect(throws: FileFault.self) { try archive.read(0..<last.count, of: last) }
  }

  @Test(
    "archives in other forms are held in memory where that is asked for",
    arguments: [
      "cm.ark", "double-matrices.ark", "matrices.txt",
    ])
  func otherForms(name: String) throws {
    let archive = try MatrixArchive(path: try fixture(name), otherForms: .held)
    let whole = try Archive.readMatrices(try fixture(name))
    #expect(archive.entries.map(\.key) == whole.map(\.key))
    for (entry, own) in zip(archive.entries, whole) where own.matrix.rows > 0 {
      #expect(try archive.read(0..<entry.rows, of: entry) == own.matrix)
    }
    #expect(throws: FileFault.self) { try MatrixArchive(path: fixture(name)) }
  }

  @Test("an archive may have matrices of several forms, as Kaldi compresses short ones otherwise")
  func severalForms() throws {
    let folder = try TemporaryFolder()
    let matrix = Matrix(rows: 2, columns: 2, values: [1, 2, 3, 4])
    var bytes = Data()
    let forms: [ArchiveForm] = [.compressed(.twoBytes), .compressed(.speech), .binary]
    for (key, form) in zip(["a", "b", "c"], forms) {
      var writer = try ArchiveWriter(folder.file(key), form: form)
      try writer.write(key, .matrix(matrix))
      try writer.commit()
      bytes += try TextFile.bytes(of: folder.file(key))
    }
    let path = try folder.write(bytes, to: "all.ark")
    let archive = try MatrixArchive(path: path, otherForms: .held)
    #expect(archive.entries.map(\.key) == ["a", "b", "c"])
    for entry in archive.entries {
      let found = try archive.read(0..<2, of: entry).values
      #expect(mismatch(found, matrix.values, absolute: 0.02) == nil)
    }
    #expect(throws: FileFault.self) { try MatrixArchive(path: path) }
  }

  @Test("a binary archive whose first key is no UTF-8 is not taken for text")
  func badFirstKey() throws {
    let folder = try TemporaryFolder()
    let good = try TextFile.bytes(of: fixture("integers.ark"))
    let path = try folder.write(Data([0x63, 0xE9]) + good.dropFirst(), to: "latin.ark")
    let fault = #expect(throws: FileFault.self) { try Archive.readReadableIntegers(path.string) }
    #expect(fault?.description.contains("a key in UTF-8") == true)
  }

  @Test("a bad line of integers in text is its key's alone")
  func integerLines() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a 1 2\nb 1 2.5\nc\n", to: "lines.txt")
    let found = try Archive.readReadableIntegers(path.string)
    #expect(try found.vectors["a"]?.get() == [1, 2])
    #expect(try found.vectors["c"]?.get() == [])
    #expect(throws: FileFault.self) { try found.vectors["b"]?.get() }
    #expect(found.end == nil)
  }
}
