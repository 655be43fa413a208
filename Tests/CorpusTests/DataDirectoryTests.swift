import Corpus
import Storage
import TestSupport
import Testing

@Suite("Data directories")
struct DataDirectoryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(root: String? = nil) throws -> DataDirectory {
    try DataDirectory(path: folder.path, root: root)
  }

  @Test("utterances are sorted by their bytes, with their paths")
  func plain() throws {
    try folder.write("b /x/b c.wav\na-1 y/a.wav\nB z.wav\n", to: "wav.scp")
    let data = try open(root: "/base")
    #expect(data.utterances.map(\.id) == ["B", "a-1", "b"])
    #expect(data.utterances.map(\.audioPath) == ["/base/z.wav", "/base/y/a.wav", "/x/b c.wav"])
    #expect(data.utterances.allSatisfy { $0.seconds == nil })
    #expect(try open().utterances[0].audioPath == "z.wav")
  }

  @Test("segments cut recordings into utterances")
  func segments() throws {
    try folder.write("rec /rec.wav\n", to: "wav.scp")
    try folder.write("u1 rec 0.0 1.5\nu2\trec\t2\t3.25\n", to: "segments")
    let data = try open()
    #expect(data.utterances.map(\.id) == ["u1", "u2"])
    #expect(data.utterances.map(\.seconds) == [0...1.5, 2...3.25])
    #expect(data.utterances.map(\.audioPath) == ["/rec.wav", "/rec.wav"])
  }

  @Test("faults name the file, the line, what was expected and what was found")
  func faults() throws {
    #expect(throws: FileFault.missing(path: folder.path + "/wav.scp")) { try open() }

    let script = try folder.write("a one.wav\na two.wav\n", to: "wav.scp")
    #expect(
      throws: FileFault.malformedLine(
        path: script, line: 2, expected: "each key once", found: "a again, after line 1")
    ) { try open() }

    try folder.write("a one.wav\nb\n", to: "wav.scp")
    #expect(
      throws: FileFault.malformedLine(
        path: script, line: 2, expected: "a key and a value", found: "\"b\"")
    ) { try open() }

    try folder.write("\n", to: "wav.scp")
    #expect(
      throws: FileFault.malformed(
        path: script, expected: "at least one recording", found: "none")
    ) { try open() }
  }

  @Test("a list does not run commands")
  func commands() throws {
    let path = try folder.write("a touch \(folder.file("ran")) |\n", to: "wav.scp")
    let fault = #expect(throws: FileFault.self) { try open() }
    guard case .malformedLine(path, 1, "the path of an audio file", _) = fault else {
      Issue.record("expected a refused command, found \(String(describing: fault))")
      return
    }
    #expect(throws: FileFault.self) { try TextFile.bytes(of: folder.file("ran")) }
  }

  @Test(
    "segments without length, of unknown recordings or with words for times are faults",
    arguments: ["u rec 2 2", "u rec 3 1", "u other 0 1", "u rec zero 1", "u rec 0", "u rec -1 1"])
  func badSegments(line: String) throws {
    try folder.write("rec /rec.wav\n", to: "wav.scp")
    try folder.write("good rec 0 1\n\(line)\n", to: "segments")
    let fault = #expect(throws: FileFault.self) { try open() }
    guard case .malformedLine(_, 2, _, _) = fault else {
      Issue.record("expected a fault in line 2, found \(String(describing: fault))")
      return
    }
  }
}
