import Classes
import Features
import Audio
import Corpus
import LinearAlgebra
import Storage
import SystemPackage
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

  @Test("a span without length takes no frame, nor when it lies just behind a centre")
  func noLengthAtCentre() throws {
    let labels = try targets(["A", "B"]).labels(
      of: [span(0, 0.01005, "A"), span(0.01005, 0.01005, "B"), span(0.01005, 0.03, "A")],
      grid: grid, frames: 2)
    #expect(labels == [0, 0])
  }

  @Test("a centre on a border is in the later span, whatever its rounding; order comes before gaps")
  func borders() throws {
    let targets = targets(["A", "B"])
    // Of 0.1 + 0.2 and of 0.3, one is above the centre of frame 29 and one is not.
    for border in [0.1 + 0.2, 0.3] {
      let labels = try targets.labels(
        of: [span(0, border, "A"), span(border, 0.31, "B")], grid: grid, frames: 30)
      #expect(labels[28...] == [0, 1])
    }
    #expect(throws: AlignmentFault.disorder(at: 0, after: 0.3)) {
      try targets.labels(
        of: [span(0.3, 0.4, "A"), span(0, 0.3, "B")], grid: grid, frames: 30)
    }
  }

  @Test("frames are counted that spans cover")
  func covered() {
    let spans = [span(0.005, 0.015, "A"), span(0.025, 0.045, "B")]
    #expect(targets(["A"]).covered(by: spans, grid: grid, frames: 9) == 3)
    #expect(targets(["A"]).covered(by: spans, grid: grid, frames: 3) == 2)
  }

  @Test("a span without length takes no frame")
  func noLength() throws {
    let labels = try targets(["A", "B"], states: 1).labels(
      of: [span(0, 0.01, "A"), span(0.01, 0.01, "B"), span(0.01, 0.03, "A")], grid: grid, frames: 0)
    #expect(labels == [0, 0])
  }

  @Test("phones are split into states of equal time")
  func states() throws {
    let symbols = ["A", "B"].flatMap { ClassInventory.stateSymbols(of: $0, states: 3) }
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

@Suite("Frames of generated alignments")
struct GeneratedAlignmentTests {
  /// Spans without gaps whose lengths are drawn between 0 and 0.3 s, with labels of the inventory that
  /// differ from their neighbours'.
  private func spans(_ generator: inout SeededGenerator, symbols: [String]) -> [LabelSpan] {
    var spans: [LabelSpan] = []
    for _ in 0..<generator.integer(below: 30) + 1 {
      let start = spans.last?.end ?? 0
      var label = symbols[generator.integer(below: symbols.count)]
      while label == spans.last?.label { label = symbols[generator.integer(below: symbols.count)] }
      spans.append(
        LabelSpan(start: start, end: start + 0.3 * generator.uniform(), label: label))
    }
    return spans
  }

  @Test(
    "frames turned back into spans differ by half a shift at most, and each frame has one label",
    arguments: 1...200 as ClosedRange<UInt64>)
  func thereAndBack(seed: UInt64) throws {
    var generator = SeededGenerator(seed, 4)
    let symbols = ["A", "B", "C", "SIL"]
    let spans = spans(&generator, symbols: symbols)
    let edges: FrameGrid.Edges = seed % 2 == 0 ? .snipped : .mirrored
    let shift = 5 + Double(generator.integer(below: 8))
    let grid = FrameGrid(
      sampleRate: 16000, frameLength: shift + Double(generator.integer(below: 20)),
      frameShift: shift, edges: edges)
    let end = spans.last?.end ?? 0
    let targets = FrameTargets(
      inventory: ClassInventory(symbols: symbols), states: 1, lengthTolerance: 0)
    let frames = (0...).first { grid.centre(ofFrame: $0) >= end } ?? 0
    let labels = try targets.labels(of: spans, grid: grid, frames: frames)
    #expect(labels.count == frames, "seed \(seed)")

    // Each frame stands for the shift around its centre.
    let half = 0.5 * grid.shiftInSeconds
    var start = 0
    var back: [LabelSpan] = []
    while start < labels.count {
      let next = labels[start...].firstIndex { $0 != labels[start] } ?? labels.count
      back.append(
        LabelSpan(
          start: grid.centre(ofFrame: start) - half, end: grid.centre(ofFrame: next) - half,
          label: symbols[Int(labels[start])]))
      start = next
    }
    // Spans that no centre falls into are lost; their neighbours may then be one.
    let hit = spans.filter { span in
      (0..<frames).contains { (span.start..<span.end).contains(grid.centre(ofFrame: $0)) }
    }
    for span in hit {
      let found = back.contains {
        $0.label == span.label && $0.start <= span.start + half + 1e-9
          && $0.end >= span.end - half - 1e-9
      }
      #expect(found || span == hit.first || span == hit.last, "seed \(seed): \(span)")
    }
    // Frame by frame: the label is that of the span around the centre.
    for (frame, label) in labels.enumerated() {
      let centre = grid.centre(ofFrame: frame)
      let around = spans.last { $0.start <= centre + 1e-12 && $0.end > $0.start }
      #expect(symbols[Int(label)] == around?.label, "seed \(seed), frame \(frame)")
    }
    let counts = symbols.indices.map { id in labels.count { $0 == id } }
    var tally = ClassCounts(classes: symbols.count)
    tally.add(labels)
    #expect(tally.counts == counts && tally.frames == frames && tally.utterances == 1)
  }

  @Test(
    "states of a label differ by one frame at most, in order",
    arguments: 1...50 as ClosedRange<UInt64>)
  func thirds(seed: UInt64) throws {
    var generator = SeededGenerator(seed, 5)
    let frames = 3 + generator.integer(below: 60)
    let grid = FrameGrid(sampleRate: 16000, frameLength: 25, frameShift: 10).cells
    let targets = FrameTargets(
      inventory: ClassInventory(labels: ["A"], states: 3), states: 3, lengthTolerance: 0)
    let labels = try targets.labels(
      of: [LabelSpan(start: 0, end: Double(frames) * 0.01, label: "A")], grid: grid, frames: frames)
    #expect(labels.count == frames, "seed \(seed)")
    #expect(labels == labels.sorted(), "seed \(seed)")
    let counts = (0...2).map { id in labels.count { $0 == id } }
    #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "seed \(seed): \(counts)")
  }

  @Test("log priors are Kaldi's, also those of classes without a frame")
  func priors() {
    var counts = ClassCounts(classes: 3)
    counts.add([0, 0, 2, 0])
    #expect(counts.absent == [1])
    #expect(counts.logPriors[0] == Float(-0.2876820724517809))
    #expect(counts.logPriors[2] == Float(-1.3862943611198906))
    // sqrt(FLT_MAX), as nnet-pdf-prior.cc has it.
    #expect(counts.logPriors[1] == 1.8446743e19)
    #expect(counts.text == " [ 3 0 1 ]\n")
    #expect(counts.logPriorsText == " [ -0.2876821 1.8446743e+19 -1.3862944 ]\n")
  }
}
