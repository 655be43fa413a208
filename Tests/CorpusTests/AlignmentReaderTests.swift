import Corpus
import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Readers of alignments")
struct AlignmentReaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func span(_ start: Double, _ end: Double, _ label: String) -> LabelSpan {
    LabelSpan(start: start, end: end, label: label)
  }

  /// The spans of an utterance that has no recording worth the name.
  private func spans(_ id: String, in table: AlignmentTable) throws -> [LabelSpan] {
    try table.spans(
      of: Utterance(id: id, recording: .file(path: "/x.wav")))
  }

  /// Expects a fault in a line of a file.
  private func expectFault(
    inLine line: Int, of path: FilePath, _ comment: String,
    _ location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
  ) {
    let fault = #expect(throws: FileFault.self, "\(comment)", sourceLocation: location) {
      try body()
    }
    guard case .malformedLine(.file(path), line, _, _) = fault else {
      Issue.record(
        "\(comment): expected a fault in line \(line), found \(String(describing: fault))",
        sourceLocation: location)
      return
    }
  }

  // MARK: - TextGrid

  @Test(
    "TextGrids of praatio and tgt, long, short and in UTF-16",
    arguments: ["praatio-long", "praatio-short", "praatio-utf16", "tgt"])
  func textGrids(name: String) throws {
    let path = FilePath(
      try #require(Bundle.module.path(forResource: "Fixtures/\(name)", ofType: "TextGrid")))
    #expect(
      try TextGridReader.read(path, tier: "phones") == [
        span(0, 0.11, "sil"), span(0.11, 0.2, "ʃ"), span(0.2, 0.35, "say \"iː\""),
        span(0.35, 0.5, ""),
      ])
    guard name != "tgt" else { return }
    #expect(
      try TextGridReader.read(path, tier: "words") == [
        span(0, 0.11, ""), span(0.11, 0.35, "she"), span(0.35, 0.5, ""),
      ])
    #expect(
      try TextGridReader.read(path, tier: "onsets") == [
        span(0.11, 0.2, "ʃ"), span(0.2, 0.5, "iː"),
      ])
  }

  @Test("what does not stand free is a comment; texts may hold ends of lines")
  func textGridComments() throws {
    let path = try folder.write(
      """
      "ooTextFile" ! the kind
      Object class = "TextGrid"
      0 s 1.5e0 and 3x more <exists> 1 tier[1]: "IntervalTier" "phones" 0 1.5
      intervals: size = 2 from 0 to 0.5
      text = "two
      lines" ! 7
      0.5\r\n1.5 " B "
      """, to: "a.TextGrid")
    #expect(
      try TextGridReader.read(path, tier: "phones") == [
        span(0, 0.5, "two\nlines"), span(0.5, 1.5, "B"),
      ])
  }

  @Test("the labels that crowsetta writes for TIMIT and Audacity, and lhotse's CTM")
  func otherPrograms() throws {
    func path(_ name: String, _ kind: String) throws -> FilePath {
      FilePath(try #require(Bundle.module.path(forResource: "Fixtures/\(name)", ofType: kind)))
    }
    let expected = [
      span(0, 0.11, "sil"), span(0.11, 0.2, "sh"), span(0.2, 0.35, "iy"), span(0.35, 0.5, "sil"),
    ]
    for kind in ["PHN", "WRD"] {
      let found = try TIMITLabelReader.read(path("crowsetta", kind), sampleRate: 16000)
      #expect(found == expected, "\(kind)")
    }
    #expect(try AudacityLabelReader.read(path("crowsetta", "txt")) == expected)
    let ctm = try CTMReader.read(path("lhotse", "ctm"))
      .spans(of: Utterance(id: "r", recording: .file(path: "/x.wav")))
    #expect(ctm.map(\.label) == expected.map(\.label))
    #expect(mismatch(ctm.map(\.end), expected.map(\.end), absolute: 1e-12) == nil)
  }

  @Test("the example of master label files in the HTK Book, §6.3, is read as it is explained there")
  func htkBook() throws {
    let path = try folder.write(
      """
      #!MLF!#
      "*/a.lab"
      0000000 3600000 ice
      3600000 8200000 cream
      .
      "b.lab"
      000000 2200000 s2 -115.6 ice
      2200000 3500000 s3 -91.3
      .

      """, to: "book.mlf")
    let table = try HTKLabelReader.readMaster(path)
    func spans(_ id: String) throws -> [LabelSpan] {
      try table.spans(of: Utterance(id: id, recording: .file(path: FilePath("/\(id).wav"))))
    }
    #expect(try spans("a") == [span(0, 0.36, "ice"), span(0.36, 0.82, "cream")])
    #expect(try spans("b") == [span(0, 0.22, "s2"), span(0.22, 0.35, "s3")])
  }

  @Test(
    "channels of a CTM count from 0 where there is a 0; alternatives without an end are the fault of one"
  )
  func channelsAndAlternatives() throws {
    func label(_ text: String, channel: Int) throws -> String? {
      let table = try CTMReader.read(try folder.write(text, to: "a.ctm"), firstAlternative: true)
      let utterance = Utterance(id: "u", recording: .file(path: "/x.wav"), channel: channel)
      return try table.spans(of: utterance).first?.label
    }
    let zero = "u 0 0 1 X\nu 1 0 1 Y\n"
    #expect(try label(zero, channel: 1) == "X")
    #expect(try label(zero, channel: 2) == "Y")
    #expect(try label("u 1 0 1 X\nu 2 0 1 Y\n", channel: 1) == "X")
    let open = "t 1 * * <ALT_BEGIN>\nt 1 0 1 A\nt 1 * * <ALT>\nt 1 0 1 B\nu 1 0 1 X\n"
    #expect(try label(open, channel: 1) == "X")
    let table = try CTMReader.read(folder.file("a.ctm"), firstAlternative: true)
    let fault = #expect(throws: AlignmentFault.self) {
      try table.spans(of: Utterance(id: "t", recording: .file(path: "/x.wav")))
    }
    #expect(fault?.description.contains("a.ctm:5: expected <ALT_END> of t") == true)
  }

  @Test("a speaker's tier as MFA names it is found when it is the only one")
  func speakerTiers() throws {
    func grid(_ names: [String]) throws -> FilePath {
      let tiers = names.map { "\"IntervalTier\" \"\($0)\" 0 1 1 0 1 \"A\"\n" }.joined()
      return try folder.write(
        "\"ooTextFile\"\n\"TextGrid\"\n0 1 <exists> \(names.count)\n\(tiers)", to: "a.TextGrid")
    }
    #expect(
      try TextGridReader.read(try grid(["ann - words", "ann - phones"]), tier: "phones")
        == [span(0, 1, "A")])
    #expect(
      try TextGridReader.read(try grid(["phones", "ann - phones"]), tier: "phones")
        == [span(0, 1, "A")])
    for names in [["ann - phones", "bob - phones"], ["words"], ["phones", "phones"], []] {
      let path = try grid(names)
      #expect(
        throws: FileFault.malformed(
          path: path, expected: "one tier phones",
          found: names.isEmpty ? "no tiers" : names.joined(separator: ", "))
      ) { try TextGridReader.read(path, tier: "phones") }
    }
  }

  @Test("a bad TextGrid is named with its line")
  func badTextGrids() throws {
    let head = "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n"
    let tier = "0 1 <exists> 1\n\"IntervalTier\" \"phones\" 0 1\n"
    for (text, line) in [
      ("", 1), ("\"ooTextFile\"\n\"Sound\"\n", 2), ("File type = \"other\"\n", 1),
      (head + "0 x 1\n", 4), (head + "0 1 2\n", 3),
      (head + "0 1 <exists> 1.5\n", 3), (head + "0 1 <exists> 1\n\"Tier\" \"phones\"", 4),
      (head + tier + "2\n0 0.5 \"A\"\n0.5 \"B\"", 7), (head + tier + "1\n0.5 0.25 \"A\"\n", 6),
      (head + tier + "1\n-0.5 0.25 \"A\"\n", 6), (head + tier + "1\n0 0.5 \"A\n\n", 6),
      (head + tier + "2\n0 0.5 \"A\"\n", 7),
      (head + tier + "1\n0 0.5 \"A\"\n0.5 1 \"B\"\n", 7),
    ] {
      let path = try folder.write(text, to: "a.TextGrid")
      expectFault(inLine: line, of: path, text) {
        _ = try TextGridReader.read(path, tier: "phones")
      }
    }
    for bytes in [Data("ooBinaryFile\u{8}TextGrid".utf8), Data([0xFE, 0xFF, 0xD8]), Data([0xE9])] {
      let path = try folder.write(bytes, to: "b.TextGrid")
      #expect(throws: FileFault.self) { try TextGridReader.read(path, tier: "phones") }
    }
    let none = try folder.write(head + "0 1 <absent>\n", to: "c.TextGrid")
    #expect(throws: FileFault.self) { try TextGridReader.read(none, tier: "phones") }
  }

  // MARK: - CTM

  @Test("a CTM gives the spans of each utterance; comments are passed over")
  func ctm() throws {
    let path = try folder.write(
      ";; a comment\nu1 1 0.00 0.25 AH\nu2 A 1 0.5 SIL 0.9\nu1 1 0.25 0.05 B\n", to: "a.ctm")
    let table = try CTMReader.read(path)
    #expect(try spans("u1", in: table) == [span(0, 0.25, "AH"), span(0.25, 0.3, "B")])
    #expect(try spans("u2", in: table) == [span(1, 1.5, "SIL")])
  }

  @Test(
    "a bad CTM line is named, and leaves out its utterance alone",
    arguments: [
      "u 1 0.1 AH", "u 1 x 0.1 AH", "u 1 0 -0.1 AH", "u 1 0 1e9 AH", "u 1 nan 1 AH",
      "u 1 0 inf AH", "u 1 0 0.1 AH 1 lex s1 9", "u",
    ])
  func badCTM(line: String) throws {
    let path = try folder.write(
      "u 1 0 0.1 AH\n\(line)\nv 1 0 0.1 B\nu 1 bad bad bad\n", to: "a.ctm")
    let table = try CTMReader.read(path)
    #expect(try spans("v", in: table) == [span(0, 0.1, "B")])
    let fault = #expect(throws: AlignmentFault.self) { try spans("u", in: table) }
    guard case .file(.malformedLine(.file(path), 2, _, "\"\(line)\"")) = fault else {
      Issue.record("expected a fault in line 2, found \(String(describing: fault))")
      return
    }
  }

  // MARK: - TIMIT

  @Test("TIMIT counts samples")
  func timit() throws {
    let path = try folder.write("0 3050 h#\r\n3050 4559 sh\r\n4559 5723 ix", to: "SA1.PHN")
    #expect(
      try TIMITLabelReader.read(path, sampleRate: 16000) == [
        span(0, 0.190625, "h#"), span(0.190625, 0.2849375, "sh"), span(0.2849375, 0.3576875, "ix"),
      ])
    for line in ["4559 5723", "1.5 7 ix", "9 7 ix", "-1 7 ix", "0 7 ix x"] {
      try folder.write("0 3050 h#\n\(line)\n", to: "SA1.PHN")
      expectFault(inLine: 2, of: path, line) {
        _ = try TIMITLabelReader.read(path, sampleRate: 16000)
      }
    }
  }

  // MARK: - HTK

  @Test("HTK counts units of 100 ns; scores, other levels and alternatives are passed over")
  func htk() throws {
    let path = try folder.write(
      "0 1000000 sil -120.5\n1000000 3600000 \"ih\" -3.1 word 0\n///\n0 3600000 other\n",
      to: "a.lab")
    #expect(
      try HTKLabelReader.read(path) == [span(0, 0.1, "sil"), span(0.1, 0.36, "ih")])
    try folder.write("0 5 \"W \\\"X\\\"\" -1\n5 9 'y'\n", to: "a.lab")
    #expect(
      try HTKLabelReader.read(path).map(\.label) == ["W \"X\"", "y"])
    try folder.write("0 5 \\303\\251\n5 9 \"\\303\\251 \\101\"\n", to: "a.lab")
    #expect(try HTKLabelReader.read(path).map(\.label) == ["é", "é A"])
    for line in [
      "0 5 \"open", "0 sil", "sil", "0 x sil", "10 5 sil", "-5 0 sil",
      "0 1e30 sil",
    ] {
      try folder.write("0 0 sil\n\(line)\n", to: "a.lab")
      expectFault(inLine: 2, of: path, line) { _ = try HTKLabelReader.read(path) }
    }
  }

  @Test("a master label file has an entry an utterance; a bad one leaves out itself alone")
  func masterLabels() throws {
    let path = try folder.write(
      "#!MLF!#\n\"*/u1.lab\"\n0 1000000 a\n.\n\"/data/SPK/u2.rec\"\n0 5 a\n1 b\n.\n\"u3.lab\"\n.\n",
      to: "a.mlf")
    let table = try HTKLabelReader.readMaster(path)
    #expect(try spans("u1", in: table) == [span(0, 0.1, "a")])
    #expect(try spans("u3", in: table) == [])
    for id in ["u2", "SPK_u2", "SPK-u2"] {
      let fault = #expect(throws: AlignmentFault.self) { try spans(id, in: table) }
      guard case .file(.malformedLine(.file(path), 7, _, _)) = fault else {
        Issue.record("expected a fault in line 7, found \(String(describing: fault))")
        return
      }
    }
    for text in ["", "\"*/u1.lab\"\n.\n"] {
      let path = try folder.write(text, to: "b.mlf")
      #expect(throws: FileFault.self) { try HTKLabelReader.readMaster(path) }
    }
    // A name line that is none loses its own entry; so does a byte that is not UTF-8.
    let mixed = try folder.write(
      Data("#!MLF!#\n\"*\" -> \"dir\"\n.\n\"u1.lab\"\n0 5 a\n.\n\"u2.lab\"\n0 5 ".utf8) + [0xE9]
        + Data("\n.\n".utf8), to: "c.mlf")
    let rest = try HTKLabelReader.readMaster(mixed)
    #expect(try spans("u1", in: rest) == [span(0, 5e-7, "a")])
    #expect(throws: AlignmentFault.self) { try spans("u2", in: rest) }
  }

  // MARK: - Audacity

  @Test("Audacity's labels may have frequencies, be empty, or be points")
  func audacity() throws {
    let path = try folder.write(
      "\u{FEFF}0.000000\t0.250000\tsil\n\\\t100.0\t900.0\n0.25\t0.5\t\n0.5\t0.75\n0.75\t1\t a \n",
      to: "a.txt")
    #expect(
      try AudacityLabelReader.read(path) == [
        span(0, 0.25, "sil"), span(0.25, 0.5, ""), span(0.5, 0.75, ""), span(0.75, 1, "a"),
      ])
    try folder.write("0.25\t0.25\ta\n1\t1\tb\n", to: "a.txt")
    #expect(
      try AudacityLabelReader.read(path) == [span(0.25, 1, "a"), span(1, .infinity, "b")])
    for line in ["0.5", "0.5 1 a", "1\t0.5\ta", "0,5\t1\ta"] {
      try folder.write("0\t0.5\ta\n\(line)\n", to: "a.txt")
      expectFault(inLine: 2, of: path, line) { _ = try AudacityLabelReader.read(path) }
    }
  }
}
