import Audio
import Corpus
import Storage
import TestSupport
import Testing

@Suite("From alignments to frames")
struct FrameTargetsTests {
  /// Frames of 20 ms every 10 ms: the centre of frame i is at 0.01 + 0.01 i seconds.
  private let grid = FrameGrid(sampleRate: 1000, frameLength: 20, frameShift: 10)

  private func targets(_ symbols: [String], states: Int = 1, tolerance: Int = 3) -> FrameTargets {
    FrameTargets(
      inventory: ClassInventory(symbols: symbols), states: states, lengthTolerance: tolerance)
  }

  private func span(_ start: Double, _ end: Double, _ label: String) -> LabelSpan {
    LabelSpan(start: start, end: end, label: label)
  }

  @Test("a frame takes the label at its centre")
  func centres() throws {
    let labels = try targets(["A", "B"]).labels(
      of: [span(0, 0.025, "A"), span(0.025, 0.05, "B")], grid: grid, frames: 0)
    #expect(labels == [0, 0, 1, 1])
  }

  @Test("a span without length takes no frame")
  func noLength() throws {
    let labels = try targets(["A", "B"], states: 1).labels(
      of: [span(0, 0.01, "A"), span(0.01, 0.01, "B"), span(0.01, 0.03, "A")], grid: grid, frames: 0)
    #expect(labels == [0, 0])
  }

  @Test("phones are split into states of equal time")
  func states() throws {
    let symbols = ["A", "B"].flatMap { FrameTargets.stateSymbols(of: $0, states: 3) }
    #expect(symbols == ["A_1", "A_2", "A_3", "B_1", "B_2", "B_3"])
    let labels = try targets(symbols, states: 3).labels(
      of: [span(0, 0.065, "A"), span(0.065, 0.085, "B")], grid: grid, frames: 0)
    // A's states change at 21.7 and 43.3 ms; B's two frames lie at 25 % and 75 % of it.
    #expect(labels == [0, 0, 1, 1, 2, 2, 3, 5])
  }

  @Test("disorder, gaps and unknown symbols are faults with their times")
  func faults() {
    let targets = targets(["A"])
    #expect(throws: AlignmentFault.overlap(at: 0.02, until: 0.03)) {
      try targets.labels(of: [span(0, 0.03, "A"), span(0.02, 0.05, "A")], grid: grid, frames: 0)
    }
    #expect(throws: AlignmentFault.gap(at: 0.03)) {
      try targets.labels(of: [span(0, 0.025, "A"), span(0.035, 0.05, "A")], grid: grid, frames: 0)
    }
    #expect(throws: AlignmentFault.unknownSymbol("B")) {
      try targets.labels(of: [span(0, 0.03, "B")], grid: grid, frames: 0)
    }
  }

  @Test("small differences of length are cut or repeated, larger ones are faults")
  func lengths() throws {
    let targets = targets(["A", "B"], tolerance: 2)
    #expect(try targets.fit([0, 1, 1, 0], frames: 2) == [0, 1])
    #expect(try targets.fit([0, 1], frames: 4) == [0, 1, 1, 1])
    #expect(try targets.fit([0, 1], frames: 2) == [0, 1])
    #expect(throws: AlignmentFault.length(labels: 2, frames: 5, tolerance: 2)) {
      try targets.fit([0, 1], frames: 5)
    }
    #expect(throws: AlignmentFault.length(labels: 0, frames: 1, tolerance: 2)) {
      try targets.fit([], frames: 1)
    }
  }
}

@Suite("Corpus files")
struct CorpusFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("classes survive their file, in any order of lines; gaps and repeats are faults")
  func classes() throws {
    let inventory = ClassInventory(symbols: ["SIL_1", "AA_1", "B"])
    try inventory.write(to: folder.file("classes.txt"))
    #expect(try ClassInventory(path: folder.file("classes.txt")) == inventory)
    let shuffled = try folder.write("B 2\nSIL_1 0\nAA_1 1\n", to: "shuffled.txt")
    #expect(try ClassInventory(path: shuffled) == inventory)
    for text in ["A 0\nB 2\n", "A 0\nA 1\n", "A 0\nB 0\n", "A zero\n", ""] {
      let path = try folder.write(text, to: "bad.txt")
      #expect(throws: FileFault.self, "\(text)") { try ClassInventory(path: path) }
    }
  }

  @Test("silence is known by its symbol, whatever its state")
  func silence() {
    let inventory = ClassInventory(symbols: ["SIL_1", "sil", "sp", "SPN_3", "S_1", "AA"])
    #expect(inventory.isSilence == [true, true, true, true, false, false])
  }

  @Test("a map folds symbols and lists what they become once")
  func map() throws {
    let map = try SymbolMap(path: try folder.write("17 AA_1\n18 AA_1\n3 B_1\n", to: "map"))
    #expect(map["17"] == "AA_1")
    #expect(map["4"] == nil)
    #expect(map.symbols == ["AA_1", "B_1"])
    let twice = try folder.write("17 AA_1\n17 B\n", to: "twice")
    #expect(throws: FileFault.self) { try SymbolMap(path: twice) }
  }

  @Test("a ledger survives its file")
  func ledger() throws {
    var ledger = Ledger()
    ledger.leaveOut("a/b", .features, reason: "a \"quoted\" reason\nof two lines")
    try ledger.write(to: folder.file("ledger.jsonl"))
    #expect(try Ledger(path: folder.file("ledger.jsonl")) == ledger)
    let text = try TextFile.text(of: folder.file("ledger.jsonl"))
    #expect(text.split(separator: "\n").count == 1)
    #expect(text.contains(#""utterance":"a/b""#))
  }
}
