import Corpus
import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Data directories")
struct DataDirectoryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(
    root: FilePath? = nil, commands: CommandPolicy = .refused
  ) throws -> DataDirectory {
    try DataDirectory(path: folder.path, root: root, commands: commands)
  }

  @Test(
    "utterances are sorted by their bytes, with their paths; CR LF and no last end are no matter")
  func plain() throws {
    try folder.write("b /x/b c.wav\r\na-1 y/a.wav\r\nB z.wav", to: "wav.scp")
    let data = try open(root: "/base")
    #expect(data.utterances.map(\.id) == ["B", "a-1", "b"])
    #expect(
      data.utterances.map(\.recording) == [
        .file(path: "/base/z.wav"), .file(path: "/base/y/a.wav"), .file(path: "/x/b c.wav"),
      ])
    #expect(data.utterances.allSatisfy { $0.seconds == nil })
    #expect(data.count == 3)
    #expect(try open().utterances[0].recording == .file(path: "z.wav"))
  }

  @Test("a blank is a byte, also before an accent that would join it; a CR is one too")
  func blanks() throws {
    try folder.write("a \u{301}b.wav\nc\rd.wav\n", to: "wav.scp")
    #expect(
      try open().utterances.map(\.recording) == [.file(path: "\u{301}b.wav"), .file(path: "d.wav")])
  }

  @Test("ids of the same letters in other bytes are two utterances, each named")
  func normalization() throws {
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    try folder.write("\(decomposed) a.wav\n\(composed) a.wav\nz a.wav\n", to: "wav.scp")
    let data = try open()
    #expect(data.utterances.map(\.id) == ["z"])
    #expect(data.count == 3)
    #expect(data.faults.leftOutCount == 2)
    #expect(
      data.faults.leftOut.allSatisfy { $0.reason?.contains("Unicode normalisation") == true })
  }

  @Test("a segment may end at -1, the end of its recording")
  func openEnd() throws {
    try folder.write("rec /rec.wav\n", to: "wav.scp")
    try folder.write("u1 rec 1 -1\nu2 rec 1 -2\n", to: "segments")
    let data = try open()
    #expect(data.utterances.map(\.id) == ["u1"])
    #expect(data.utterances[0].seconds == 1...Double.infinity)
  }

  @Test("what two parts of a corpus share is named: utterances, speakers, equal recordings")
  func overlaps() throws {
    let sound = try folder.write("sound", to: "a.wav")
    let copy = try folder.write("sound", to: "b.wav")
    let other = try folder.write("noise", to: "c.wav")
    func part(_ name: String, _ script: String, _ speakers: String) throws -> DataDirectory {
      try folder.write(script, to: "\(name)/wav.scp")
      try folder.write(speakers, to: "\(name)/utt2spk")
      return try DataDirectory(path: folder.file(name))
    }
    let train = try part("train", "u1 \(sound)\nu2 \(other)\n", "u1 s1\nu2 s2\n")
    let test = try part("test", "u1 \(copy)\nu3 \(other)\n", "u1 s3\nu3 s2\n")
    let parts = [("train", train), ("test", test)]
    #expect(
      try PartOverlap(parts, comparing: .files).remarks == [
        "train and test share 1 utterances, for example u1",
        "train and test share 1 speakers, for example s2",
        "train and test share 1 recordings, for example u2",
      ])
    #expect(
      try PartOverlap(parts, comparing: .bytes).remarks.last
        == "train and test share 2 recordings, for example u1")
    #expect(try PartOverlap([("train", train)], comparing: .bytes).remarks == [])
  }

  @Test("segments cut recordings into utterances")
  func segments() throws {
    try folder.write("rec /rec.wav\n", to: "wav.scp")
    try folder.write("u1 rec 0.0 1.5\nu2\trec\t2\t3.25\n", to: "segments")
    let data = try open()
    #expect(data.utterances.map(\.id) == ["u1", "u2"])
    #expect(data.utterances.map(\.seconds) == [0...1.5, 2...3.25])
    #expect(data.utterances.allSatisfy { $0.recording == .file(path: "/rec.wav") })
  }

  @Test("segments may say which channel, counted from zero as Kaldi does; none at all is a fault")
  func channels() throws {
    try folder.write("rec /rec.wav\n", to: "wav.scp")
    let path = try folder.write("a rec 0 1 0\nb rec 0 1 1\nc rec 0 1\n", to: "segments")
    #expect(try open().utterances.map(\.channel) == [1, 2, nil])
    try folder.write("\n", to: "segments")
    #expect(
      throws: FileFault.malformed(path: path, expected: "at least one utterance", found: "none")
    ) { try open() }
  }

  @Test("a missing or empty wav.scp stops; a bad line stops its utterance alone")
  func faults() throws {
    #expect(throws: FileFault.missing(path: folder.path.appending("wav.scp"))) { try open() }
    let script = try folder.write("\n", to: "wav.scp")
    #expect(
      throws: FileFault.malformed(
        path: script, expected: "at least one recording", found: "none")
    ) { try open() }

    try folder.write(
      Data("a one.wav\nb two.wav\na three.wav\nc\nd caf".utf8) + [0xE9] + Data(".wav\n".utf8),
      to: "wav.scp")
    let data = try open()
    #expect(data.utterances.map(\.id) == ["b"])
    #expect(data.count == 4)
    #expect(
      data.faults.entries.map(\.reason) == [
        "\(script):3: expected each key once, found a again, after line 1",
        "\(script):4: expected a recording and its path, found \"c\"",
        "\(script):5: expected UTF-8, found other bytes",
      ])
    #expect(data.faults.entries.map(\.utterance) == ["a", "c", "d"])
  }

  @Test("a list runs a command only when that is allowed")
  func commands() throws {
    try folder.write("a touch \(folder.file("ran")) |\nb b.wav\n", to: "wav.scp")
    let data = try open()
    #expect(data.utterances.map(\.id) == ["b"])
    #expect(data.faults.entries[0].reason?.contains("or --allow-commands") == true)
    #expect(throws: FileFault.self) { try TextFile.bytes(of: folder.file("ran")) }
    let allowed = try open(commands: .allowed)
    #expect(allowed.utterances[0].recording == .command("touch \(folder.file("ran"))"))
    let size = try allowed.utterances[0].recording.withFile { path, _ in
      try TextFile.bytes(of: path).count
    }
    #expect(size == 0)
    #expect(try TextFile.bytes(of: folder.file("ran")).isEmpty)
  }

  @Test(
    "segments without length, of unknown recordings or with words for times are faults",
    arguments: [
      "u rec 2 2", "u rec 3 1", "u other 0 1", "u rec zero 1", "u rec 0", "u rec -1 1",
      "u rec 0 1e300", "u rec 0 nan", "u rec 0 1 -1", "u rec 0 1 A", "u rec 0 1 0 0",
    ])
  func badSegments(line: String) throws {
    try folder.write("rec /rec.wav\n", to: "wav.scp")
    let path = try folder.write("good rec 0 1\n\(line)\n", to: "segments")
    let data = try open()
    #expect(data.utterances.map(\.id) == ["good"])
    #expect(data.faults.entries.map(\.utterance) == ["u"])
    #expect(data.faults.entries[0].reason?.hasPrefix("\(path):2: expected ") == true)
  }

  @Test("speakers are read where they are asked for")
  func speakers() throws {
    try folder.write("a a.wav\nb b.wav\n", to: "wav.scp")
    try folder.write("b two\na one\n", to: "utt2spk")
    #expect(try open().speakers() == ["a": "one", "b": "two"])
  }

  @Test("an utterance that text or utt2spk alone has is skipped with its reason")
  func unheard() throws {
    let folder = try TemporaryFolder()
    try folder.write("a /a.wav\n", to: "wav.scp")
    try folder.write("a word\nb word\n", to: "text")
    try folder.write("a s\nc s\n", to: "utt2spk")
    let data = try DataDirectory(path: folder.path)
    #expect(data.count == 3)
    let list = folder.file("wav.scp")
    #expect(
      data.faults.leftOut.map(\.account) == [
        "b, data: \(folder.file("text")):2: expected an utterance of \(list), found b",
        "c, data: \(folder.file("utt2spk")):2: expected an utterance of \(list), found c",
      ])
  }
}
