import Corpus
import SystemPackage
import TestSupport
import Testing

@Suite("Which alignment is an utterance's")
struct AlignmentTableTests {
  private func table(_ paths: [String]) -> AlignmentTable {
    AlignmentTable(
      paths.map { path in
        (
          path.split(separator: "/").map(String.init),
          .success([LabelSpan(start: 0, end: 2, label: path)])
        )
      })
  }

  /// The path of the alignment that an utterance gets.
  private func found(
    _ id: String, _ audio: String, in table: AlignmentTable, recording: String? = nil,
    seconds: ClosedRange<Double>? = nil
  ) throws -> [LabelSpan] {
    try table.spans(
      of: Utterance(
        id: id, recordingID: recording, recording: .file(path: FilePath(audio)), seconds: seconds))
  }

  @Test("by its id, by its speaker and name, or by its recording's path")
  func names() throws {
    let table = table(["u1", "DR1/FCJF0/SA1", "DR1/FDAW0/SA1", "DR1/FDAW0/SX9"])
    func label(_ id: String, _ audio: String) throws -> String? {
      try found(id, audio, in: table).first?.label
    }
    #expect(try label("u1", "/x.wav") == "u1")
    #expect(try label("FCJF0_SA1", "/x.wav") == "DR1/FCJF0/SA1")
    #expect(try label("FDAW0-SA1", "/x.wav") == "DR1/FDAW0/SA1")
    #expect(try label("SX9", "/x.wav") == "DR1/FDAW0/SX9")
    #expect(try label("any", "/timit/TRAIN/DR1/FCJF0/SA1.WAV") == "DR1/FCJF0/SA1")
    #expect(try label("SA1", "/timit/TRAIN/DR1/FDAW0/SA1.WAV") == "DR1/FDAW0/SA1")
    // The folders must be the recording's.
    #expect(throws: AlignmentFault.missing) {
      try label("any", "/timit/TRAIN/DR2/FAJW0/SA1.WAV")
    }
    #expect(throws: AlignmentFault.ambiguous(["DR1/FCJF0/SA1", "DR1/FDAW0/SA1"])) {
      try label("SA1", "/x.wav")
    }
  }

  @Test(
    "of a name in the folder and below it neither is taken; a name of an MLF may have octal escapes"
  )
  func ambiguous() throws {
    #expect(throws: AlignmentFault.ambiguous(["rec1", "sub/rec1"])) {
      try found("rec1", "/x/rec1.wav", in: table(["rec1", "sub/rec1"]))
    }
    let folder = try TemporaryFolder()
    let master = "#!MLF!#\n\"*/rec\\061.lab\"\n0 1 x\n.\n\"*/\\303\\251.lab\"\n0 1 y\n.\n"
    let escaped = try HTKLabelReader.readMaster(try folder.write(master, to: "a.mlf"))
    #expect(try found("rec1", "/a.wav", in: escaped).map(\.label) == ["x"])
    #expect(try found("é", "/a.wav", in: escaped).map(\.label) == ["y"])
  }

  @Test(
    "folders and a name are parted at the bytes of slashes and stops",
    arguments: [
      ("b.///\u{FFFD}", ["b.", "\u{FFFD}"]), ("ä//ä", ["ä", "ä"]), ("/a//b.c/", ["a", "b"]),
      ("a/.lab", ["a", ".lab"]), ("a.b.lab", ["a.b"]), ("a.", ["a."]), ("a.\u{301}b", ["a"]),
    ])
  func components(path: String, expected: [String]) throws {
    let folder = try TemporaryFolder()
    let master = "#!MLF!#\n\"\(path)\"\n0 1 x\n.\n"
    let table = try HTKLabelReader.readMaster(try folder.write(master, to: "a.mlf"))
    let utterance = Utterance(
      id: "other", recording: .file(path: FilePath("/" + expected.joined(separator: "/") + ".wav")))
    #expect(try table.spans(of: utterance).map(\.label) == ["x"])
  }

  @Test("an alignment of a recording is cut to the utterance's segment")
  func segments() throws {
    let table = AlignmentTable([
      (
        ["rec"],
        .success([
          LabelSpan(start: 0, end: 1, label: "A"), LabelSpan(start: 1, end: 2, label: "B"),
          LabelSpan(start: 2, end: .infinity, label: "C"),
        ])
      ),
      (["own"], .success([LabelSpan(start: 0, end: 1, label: "D")])),
    ])
    #expect(
      try found("u", "/rec.wav", in: table, recording: "rec", seconds: 0.5...2.25) == [
        LabelSpan(start: 0, end: 0.5, label: "A"), LabelSpan(start: 0.5, end: 1.5, label: "B"),
        LabelSpan(start: 1.5, end: 1.75, label: "C"),
      ])
    #expect(
      try found("own", "/rec.wav", in: table, recording: "rec", seconds: 0.5...2.25) == [
        LabelSpan(start: 0, end: 1, label: "D")
      ])
    // A segment that is called as its recording.
    #expect(
      try found("own", "/own.wav", in: table, seconds: 0.25...0.5) == [
        LabelSpan(start: 0, end: 0.25, label: "D")
      ])
  }
}
