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

@Suite("From files of alignments to targets")
struct AlignmentSourceTests {
  let folder: TemporaryFolder
  /// Frames of 20 ms every 10 ms: the centre of frame i is at 0.01 + 0.01 i seconds.
  let grid = FrameGrid(sampleRate: 1000, frameLength: 20, frameShift: 10)

  init() throws { folder = try TemporaryFolder() }

  func source(
    _ format: AlignmentFormat, _ text: String, _ change: (inout TargetOptions) throws -> Void
  ) throws -> AlignmentSource {
    let path = try folder.write(text, to: "alignment")
    var options = TargetOptions(format: format, path: path.string)
    options.states = 1
    try change(&options)
    try options.validate()
    return try AlignmentSource(options, sampleRate: 1000, workers: .one)
  }

  func targets(
    _ source: AlignmentSource, _ id: String = "u", frames: Int
  ) throws -> [String] {
    try source.targets(
      of: Utterance(id: id, recording: .file(path: "/x.wav")), frames: frames, grid: grid
    ).labels.map { source.inventory.symbols[Int($0)] }
  }

  @Test("phones have three states unless the options say otherwise, what stands by the frame one")
  func states() throws {
    let ctm = "u 1 0 0.04 B\nu 1 0.04 0.03 A\n"
    #expect(try source(.ctm, ctm) { $0.states = nil }.inventory.count == 6)
    #expect(try targets(source(.ctm, ctm) { _ in }, frames: 6) == ["B", "B", "B", "A", "A", "A"])
    let archive = "u 7 7 7 7 12 12 12\n"
    #expect(
      try targets(source(.archive, archive) { $0.states = nil }, frames: 7)
        == ["7", "7", "7", "7", "12", "12", "12"])
    #expect(
      try targets(source(.archive, archive) { $0.states = 3 }, frames: 7)
        == ["7_1", "7_2", "7_2", "7_3", "12_1", "12_2", "12_3"])
  }

  @Test("labels that overlap by at most the option's time are parted in the middle, and counted")
  func overlaps() throws {
    let ctm = "u 1 0 0.048 A\nu 1 0.042 0.05 B\n"
    let source = try source(.ctm, ctm) { _ in }
    let utterance = Utterance(id: "u", recording: .file(path: "/x.wav"))
    let made = try source.targets(of: utterance, frames: 9, grid: grid)
    #expect(made.separated == 1)
    // The boundary is at 0.045 s, and the centre of frame 4 at 0.05 s.
    #expect(try targets(source, frames: 9).prefix(5) == ["A", "A", "A", "A", "B"])
    let strict = try self.source(.ctm, ctm) { $0.overlap = 5 }
    #expect(throws: AlignmentFault.self) { try targets(strict, frames: 9) }
  }

  @Test("of a CTM's alternatives the first is taken where that is asked for")
  func alternatives() throws {
    let ctm = """
      u 1 0 0.05 A
      u 1 * * <ALT_BEGIN>
      u 1 0.05 0.04 B
      u 1 * * <ALT>
      u 1 0.05 0.04 C
      u 1 * * <ALT_END>
      v 1 0 0.09 A 0.9 lex s1

      """
    let plain = try source(.ctm, ctm) { _ in }
    let fault = #expect(throws: AlignmentFault.self) { try targets(plain, frames: 8) }
    #expect(fault?.description.contains("--first-alternative") == true)
    #expect(try targets(plain, "v", frames: 8).count == 8)
    let first = try source(.ctm, ctm) { $0.firstAlternative = true }
    #expect(try targets(first, frames: 8) == ["A", "A", "A", "A", "B", "B", "B", "B"])
  }

  @Test("a name of a master label file may be a pattern, for several utterances")
  func patterns() throws {
    let labels = "#!MLF!#\n\"*/u1.lab\"\n0 900000 A\n.\n\"*/u?*.lab\"\n0 900000 B\n.\n"
    let source = try source(.mlf, labels) { _ in }
    #expect(try targets(source, "u1", frames: 8)[0] == "A")
    #expect(try targets(source, "u2", frames: 8)[0] == "B")
    #expect(throws: AlignmentFault.missing) { try targets(source, "v", frames: 8) }
    let utterances = ["u2", "u3"].map {
      Utterance(id: $0, recording: .file(path: FilePath("/\($0).wav")))
    }
    #expect(source.conflicts(among: utterances).shared.isEmpty)
  }

  @Test("a Mac's shadow files are passed over in one line; other forms of TextGrids are named")
  func shadows() throws {
    let grid =
      "\"ooTextFile\" \"TextGrid\" 0 1 <exists> 1 \"IntervalTier\" \"phones\" 0 1 1 0 1 \"A\""
    for (name, encoding) in [
      ("u", String.Encoding.utf8), ("v", .utf16LittleEndian), ("w", .utf16BigEndian),
    ] {
      let bytes = try #require(grid.data(using: encoding))
      try folder.write(bytes, to: "grids/\(name).TextGrid")
    }
    try folder.write(Data([0, 5, 22, 7]), to: "grids/._u.TextGrid")
    try folder.write("ooBinaryFile\u{8}TextGrid", to: "grids/x.TextGrid")
    try folder.write("{\"tiers\": {}}", to: "grids/y.TextGrid")
    var options = TargetOptions(format: .textgrid, path: folder.file("grids").string)
    options.states = 1
    let source = try AlignmentSource(options, sampleRate: 1000, workers: .one)
    for id in ["u", "v", "w"] { #expect(try targets(source, id, frames: 98)[0] == "A") }
    #expect(source.remarks.count == 1 && source.remarks[0].contains("1 files ._NAME"))
    for (id, form) in [("x", "its binary form"), ("y", "JSON")] {
      let fault = #expect(throws: AlignmentFault.self) { try targets(source, id, frames: 98) }
      #expect(fault?.description.contains(form) == true)
    }
  }

  @Test("channels of a recording that a CTM has by one name are alignments of their own")
  func channels() throws {
    let ctm = "r A 0 0.05 AA\nr B 0 0.02 BB\nr A 0.05 0.05 CC\nr B 0.02 0.08 DD\n"
    let source = try source(.ctm, ctm) { _ in }
    func targets(_ channel: Int?) throws -> [String] {
      let utterance = Utterance(
        id: "r-\(channel ?? 0)", recordingID: "r", recording: .file(path: "/r.wav"),
        seconds: 0...0.1, channel: channel)
      return try source.targets(of: utterance, frames: 9, grid: grid)
        .labels.map { source.inventory.symbols[Int($0)] }
    }
    #expect(try targets(1) == ["AA", "AA", "AA", "AA", "CC", "CC", "CC", "CC", "CC"])
    #expect(try targets(2) == ["BB", "DD", "DD", "DD", "DD", "DD", "DD", "DD", "DD"])
    for channel in [nil, 3] {
      #expect(throws: AlignmentFault.ambiguous(["r, channel 1", "r, channel 2"])) {
        try targets(channel)
      }
    }
  }

  @Test(
    "one alignment gives the same targets in seconds, samples, 100 ns and by its points",
    arguments: 1...30 as ClosedRange<UInt64>)
  func sameInEachFormat(seed: UInt64) throws {
    // Borders at multiples of 5 ms, so that centres fall on them, which rounding must not decide.
    var generator = SeededGenerator(seed, 6)
    var borders = [0]
    for _ in 0..<12 {
      borders.append(borders[borders.count - 1] + 5 * (1 + generator.integer(below: 9)))
    }
    let spans = zip(borders, borders.dropFirst()).enumerated().map { number, ends in
      (start: ends.0, end: ends.1, label: ["A", "B", "C"][number % 3])
    }
    func text(_ line: (Int, Int, String) -> String) -> String {
      spans.map { line($0.start, $0.end, $0.label) + "\n" }.joined()
    }
    func seconds(_ milliseconds: Int) -> String {
      String(format: "%.3f", Double(milliseconds) / 1000)
    }
    let frames = borders[12] / 10 - 1
    let ctm = try targets(
      source(.ctm, text { "u 1 \(seconds($0)) \(seconds($1 - $0)) \($2)" }) { $0.states = 3 },
      frames: frames)
    let mlf = try targets(
      source(.mlf, "#!MLF!#\n\"u.lab\"\n" + text { "\($0)0000 \($1)0000 \($2)" } + ".\n") {
        $0.states = 3
      }, frames: frames)
    #expect(mlf == ctm, "seed \(seed)")
    for (format, line) in [
      (
        AlignmentFormat.phn, { (start: Int, end: Int, label: String) in "\(start) \(end) \(label)" }
      ),
      (.audacity, { "\(seconds($0))\t\(seconds($1))\t\($2)" }),
    ] {
      let name = "\(format.rawValue)/u.\(format == .phn ? "PHN" : "txt")"
      try folder.write(text(line), to: name)
      var options = TargetOptions(format: format, path: folder.file(format.rawValue).string)
      options.states = 3
      let source = try AlignmentSource(options, sampleRate: 1000, workers: .one)
      #expect(try targets(source, frames: frames) == ctm, "seed \(seed), \(format)")
    }
  }

  @Test("integers are numbered densely in their order; tables name and fold them")
  func integers() throws {
    let archive = "u 30 30 4 100 5\nv 7\n"
    let bare = try source(.archive, archive) { _ in }
    #expect(bare.inventory.symbols == ["4", "5", "7", "30", "100"])
    #expect(try targets(bare, frames: 5) == ["30", "30", "4", "100", "5"])

    let states = try folder.write("4 AA_1\n5 AA_1\n7 B_1\n30 SIL_1\n100 SIL_2\n9 C\n", to: "names")
    let named = try source(.archive, archive) { $0.names = states }
    #expect(named.inventory.symbols == ["AA_1:4", "AA_1:5", "B_1:7", "SIL_1:30", "SIL_2:100"])
    #expect(named.inventory.isSilence == [false, false, false, true, true])
    let folded = try source(.archive, archive) { $0.map = states }
    #expect(folded.inventory.symbols == ["AA_1", "B_1", "C", "SIL_1", "SIL_2"])
    #expect(try targets(folded, frames: 5) == ["SIL_1", "SIL_1", "AA_1", "SIL_2", "AA_1"])

    let table = try folder.write("<eps> 0\nA_B 4\nA_E 5\nB 7\nSIL 30\nSIL_S 100\n", to: "phones")
    let symbols = try source(.archive, archive) { $0.symbols = table }
    #expect(symbols.inventory.symbols == ["A_B", "A_E", "B", "SIL", "SIL_S"])
    let fold = try folder.write("A_B A\nA_E A\nB B\nSIL SIL\nSIL_S SIL\n", to: "fold")
    let both = try source(.archive, archive) { ($0.symbols, $0.map) = (table, fold) }
    #expect(both.inventory.symbols == ["A", "B", "SIL"])
    #expect(try targets(both, frames: 5) == ["SIL", "SIL", "A", "SIL", "A"])
    let twice = try folder.write("A 1\nB 1\n", to: "twice")
    #expect(throws: FileFault.self) { try SymbolMap(symbolTable: twice) }
  }

  @Test("given classes keep their ids; symbols outside of them, of the map or the names are faults")
  func unknownSymbols() throws {
    let classes = try folder.write("B 0\nA 1\nC 2\n", to: "classes.txt")
    let map = try folder.write("A A\n", to: "map")
    let ctm = "u 1 0 0.04 A\nv 1 0 0.04 D\n"
    let given = try source(.ctm, ctm) { $0.classes = classes }
    #expect(given.inventory.symbols == ["B", "A", "C"])
    #expect(throws: AlignmentFault.unknownSymbol("D")) { try targets(given, "v", frames: 3) }
    let mapped = try source(.ctm, ctm) { $0.map = map }
    #expect(throws: AlignmentFault.unknownSymbol("D")) { try targets(mapped, "v", frames: 3) }
    #expect(try targets(mapped, frames: 3) == ["A", "A", "A"])
    let names = try source(.archive, "u 1 1\nv 2\n") {
      $0.names = try folder.write("1 A\n", to: "n")
    }
    #expect(try targets(names, frames: 2) == ["A:1", "A:1"])
    #expect(throws: AlignmentFault.unknownSymbol("2")) { try targets(names, "v", frames: 1) }
    #expect(throws: AlignmentFault.missing) { try targets(names, "w", frames: 1) }
  }

  @Test("labels that are empty are silence; gaps are faults unless they have a symbol")
  func gaps() throws {
    try folder.write("0.02\t0.04\tA\n0.04\t0.05\t\n0.06\t0.08\tB C\n", to: "labels/u.txt")
    try folder.write("0.02\t0.04\tA\n0.05\t0.06\t\n", to: "labels/v.txt")
    func source(gaps: String?) throws -> AlignmentSource {
      var options = TargetOptions(format: .audacity, path: folder.file("labels").string)
      (options.states, options.gaps) = (1, gaps)
      return try AlignmentSource(options, sampleRate: 1000, workers: .one)
    }
    let strict = try source(gaps: nil)
    #expect(strict.inventory.symbols == ["A", "SIL"])
    #expect(throws: AlignmentFault.blankInLabel("B C")) { try targets(strict, frames: 8) }
    #expect(throws: AlignmentFault.gap(at: 0.01)) { try targets(strict, "v", frames: 8) }
    let filled = try source(gaps: "pau")
    #expect(filled.inventory.symbols == ["A", "pau"])
    #expect(
      try targets(filled, "v", frames: 8)
        == ["pau", "A", "A", "pau", "pau", "pau", "pau", "pau"])
    #expect(filled.inventory.isSilence == [false, true])
    // The ledger hears of the frames that had labels: two of A and one that was empty.
    #expect(
      try filled.targets(
        of: Utterance(id: "v", recording: .file(path: "/x.wav")), frames: 8, grid: grid
      ).found == 3)
  }

  @Test("an alignment without any label is a fault, also where gaps are filled")
  func empty() throws {
    try folder.write("", to: "labels/u.lab")
    try folder.write("0 400000 A\n", to: "labels/v.lab")
    var options = TargetOptions(format: .lab, path: folder.file("labels").string)
    (options.states, options.gaps) = (1, "SIL")
    let source = try AlignmentSource(options, sampleRate: 1000, workers: .one)
    #expect(throws: AlignmentFault.empty) { try targets(source, frames: 3) }
    #expect(throws: AlignmentFault.empty) {
      try targets(self.source(.archive, "u\nv 1\n") { _ in }, frames: 1)
    }
  }

  @Test("negative integers and labels with ends of lines are no classes")
  func noClasses() throws {
    let archive = try source(.archive, "u 1 2\nv -3 1\n") { _ in }
    #expect(archive.inventory.symbols == ["1", "2"])
    #expect(throws: AlignmentFault.unknownSymbol("-3")) { try targets(archive, "v", frames: 2) }
    try folder.write(
      "\"ooTextFile\" \"TextGrid\" 0 1 <exists> 1 \"IntervalTier\" \"phones\" 0 1 1 0 1 \"W\nX\"",
      to: "grids/u.TextGrid")
    let grids = try AlignmentSource(
      TargetOptions(format: .textgrid, path: folder.file("grids").string), sampleRate: 1000,
      workers: .one)
    #expect(grids.inventory.symbols.isEmpty)
    #expect(throws: AlignmentFault.blankInLabel("W\nX")) { try targets(grids, frames: 98) }
  }

  @Test("phones of more than the longest time are faults, silence may last")
  func longestPhone() throws {
    let ctm = "u 1 0 2.5 SIL\nu 1 2.5 1 A\nv 1 0 1 A\nv 1 1 2.5 B\n"
    let source = try source(.ctm, ctm) { _ in }
    #expect(try targets(source, frames: 349).count == 349)
    #expect(throws: AlignmentFault.tooLong(label: "B", at: 1, seconds: 2.5, limit: 2)) {
      try targets(source, "v", frames: 349)
    }
    let any = try self.source(.ctm, ctm) { $0.longestPhone = 0 }
    #expect(try targets(any, "v", frames: 349).count == 349)

    let run = Array(repeating: "1", count: 201).joined(separator: " ")
    let archive = "u \(run)\n"
    #expect(try targets(self.source(.archive, archive) { _ in }, frames: 201).count == 201)
    let named = try self.source(.archive, archive) {
      $0.names = try folder.write("1 A\n", to: "names")
    }
    let fault = #expect(throws: AlignmentFault.self) { try targets(named, frames: 201) }
    #expect(
      fault?.description
        == "expected labels of at most 2.0 s, found A:1 at 0.0 s, which lasts 2.01 s")
  }

  @Test(
    "a folder of each extension is read, in capitals or not, and a file's fault is its utterance's",
    arguments: [
      (AlignmentFormat.phn, "0 40 A\n", "PHN"), (.wrd, "0 40 A\n", "wrd"),
      (.lab, "0 400000 A\n", "lab"), (.lab, "0 400000 A\n", "REC"),
      (.audacity, "0\t0.04\tA\n", "txt"),
      (
        .textgrid,
        "\"ooTextFile\" \"TextGrid\" 0 1 <exists> 1 \"IntervalTier\" \"phones\" 0 1 1 0 .04 \"A\"",
        "TextGrid"
      ),
    ])
  func folders(format: AlignmentFormat, text: String, suffix: String) throws {
    try folder.write(text, to: "labels/sub/u.\(suffix)")
    try folder.write("bad", to: "labels/v.\(suffix)")
    try folder.write("not a label", to: "labels/other.doc")
    var options = TargetOptions(format: format, path: folder.file("labels").string)
    options.states = 1
    let source = try AlignmentSource(options, sampleRate: 1000, workers: Workers(count: 2))
    #expect(source.inventory.symbols == ["A"])
    #expect(try targets(source, frames: 3) == ["A", "A", "A"])
    let fault = #expect(throws: AlignmentFault.self) { try targets(source, "v", frames: 3) }
    guard case .file(let file) = fault else {
      Issue.record("expected a fault of the file, found \(String(describing: fault))")
      return
    }
    #expect(file.description.hasPrefix(folder.file("labels/v.\(suffix)").string))

    options.path = folder.file("none").string
    #expect(throws: FileFault.missing(path: folder.file("none"))) {
      try AlignmentSource(options, sampleRate: 1000, workers: .one)
    }
    options.path = folder.file("labels/other.doc").string
    #expect(throws: FileFault.self) {
      try AlignmentSource(options, sampleRate: 1000, workers: .one)
    }
  }

  @Test("options that do not fit a format are named")
  func options() {
    func fault(_ format: AlignmentFormat, _ change: (inout TargetOptions) -> Void) -> String {
      var options = TargetOptions(format: format, path: "p")
      change(&options)
      do throws(OptionFault) { try options.validate() } catch { return error.description }
      return ""
    }
    #expect(fault(.ctm) { $0.tier = "words" }.hasPrefix("tier: "))
    #expect(fault(.ctm) { $0.names = "n" }.hasPrefix("names: "))
    #expect(fault(.phn) { $0.symbols = "n" }.hasPrefix("symbols: "))
    #expect(fault(.archive) { ($0.names, $0.map) = ("n", "m") }.hasPrefix("names: "))
    #expect(fault(.archive) { $0.states = 0 }.hasPrefix("states: "))
    #expect(fault(.archive) { $0.lengthTolerance = -1 }.hasPrefix("lengthTolerance: "))
    #expect(fault(.archive) { $0.lengthTolerance = .max }.hasPrefix("lengthTolerance: "))
    for seconds in [-1, .infinity, .nan] {
      #expect(fault(.archive) { $0.longestPhone = seconds }.hasPrefix("longestPhone: "))
    }
    for gaps in ["", "a b", "a\nb"] { #expect(fault(.ctm) { $0.gaps = gaps }.hasPrefix("gaps: ")) }
    #expect(fault(.textgrid) { $0.tier = "words" } == "")
  }
}
