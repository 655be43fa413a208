import Classes
import Corpus
import Distillation
import Features
import Foundation
import LinearAlgebra
import Models
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Systems of several models, and their decisions")
struct FrameSystemTests {
  private let folder: TemporaryFolder
  private static let symbols = ["A", "B", "C", "D", "SIL"]
  /// Half a second more than a thousand frames.
  private let samples = generatedWaveform(count: 168_000)

  init() throws { folder = try TemporaryFolder() }

  /// Writes a model with random weights.
  private func write(
    _ name: String, seed: UInt64, context: ClosedRange<Int>, symbols: [String] = symbols,
    change: (inout FeatureOptions) -> Void = { _ in }
  ) throws -> FilePath {
    var features = FeatureOptions()
    features.logMel?.melBins = 8
    features.transform.deltas = 1
    change(&features)
    let columns = features.columns
    let path = folder.file("\(name).safetensors")
    try AcousticModel(
      network: AcousticNetwork(
        features: columns, context: context, hidden: HiddenShape(layers: 2, units: 24),
        classes: symbols.count, seed: seed),
      features: features,
      normalizer: FeatureNormalizer(
        mean: (0..<columns).map { $0 < 8 ? 12 : 0 },
        deviation: (0..<columns).map { $0 < 8 ? 3 : 0.7 }),
      classes: ClassInventory(symbols: symbols),
      provenance: AcousticModel.Provenance(
        system: name, seed: seed, epoch: 1, developmentAccuracy: 0.5, limbeckVersion: "0")
    ).write(to: path)
    return path
  }

  /// The features of the samples.
  private func features(_ options: FeatureOptions) throws -> Matrix {
    var extractor = LogMelExtractor(options: try #require(options.logMel))
    let frames = extractor.logMel(of: samples, utterance: "")
    return Deltas(order: options.transform.deltas, window: options.transform.deltaWindow)
      .appended(to: 0..<frames.rows, of: frames, from: 0, count: frames.rows)
  }

  /// The decisions of a stream of samples in pieces of random sizes.
  private func streamed(
    _ system: FrameSystem, temperature: Double = 1, most: Int, seed: UInt64
  ) throws -> (decisions: [FrameDecisions], stored: [Int]) {
    let classifier = try FrameClassifier(
      system, values: .logPosteriors, temperature: temperature)
    var stream = try DecisionStream(classifier, sampleRate: 16000, origin: .named("samples"))
    var generator = SeededGenerator(seed)
    var (found, stored): ([FrameDecisions], [Int]) = ([], [])
    var start = 0
    while start < samples.count {
      let end = min(samples.count, start + 1 + generator.integer(below: most))
      try stream.push(Array(samples[start..<end])) { found.append($0) }
      stored.append(stream.storedValues)
      start = end
    }
    found.append(try stream.finish())
    return (found, stored)
  }

  @Test(
    "members with different contexts: streamed in any pieces, the decisions are the mean's",
    arguments: [TeacherMean.arithmetic, .geometric], [1, 2.5])
  func ensemble(mean: TeacherMean, temperature: Double) throws {
    // Seeds 41, 42 and 43.
    let paths = try [(UInt64(41), -3...1), (42, -2...5), (43, -6...(-1))].map {
      try write("member-\($0)", seed: $0, context: $1)
    }
    let system = try FrameSystem(ensemble: paths, mean: mean, path: folder.path)
    let features = try features(system.first.features)
    let expected = Ensemble.average(
      system.models.map { $0.logits(of: features) }, temperature: temperature, mean: mean)
    for (most, seed) in [(200, UInt64(44)), (50_000, 45)] {
      let (found, stored) = try streamed(system, temperature: temperature, most: most, seed: seed)
      let ids = found.flatMap(\.ids)
      #expect(ids == expected.largestColumns(), "pieces of up to \(most), seed \(seed)")
      let same = found.flatMap(\.posteriors) == ids.enumerated().map { expected[$0, Int($1)] }
      #expect(same, "pieces of up to \(most), seed \(seed)")
      let first = stored.prefix(10).max() ?? 0
      // The windows and the waiting frames of one piece.
      #expect((stored.max() ?? 0) <= first + 2 * most + 20_000)
    }
    let logs = system.logDistributions(
      of: system.models.map { $0.logits(of: features) }, temperature: temperature)
    let naive = expected.values.map { Float(log(Double($0))) }
    #expect(mismatch(logs.values, naive, absolute: 2e-6) == nil)
  }

  @Test("generalist and specialists: streamed, the decisions are those of the combination")
  func specialists() throws {
    // Seeds 51, 52 and 53.
    let generalist = try AcousticModel(path: write("generalist", seed: 51, context: -3...2))
    let narrow = try AcousticModel(
      path: write("narrow", seed: 52, context: -1...4, symbols: ["B", "D", dustbinSymbol]))
    let whole = try AcousticModel(path: write("whole", seed: 53, context: 0...0))
    let ensemble = try SpecialistEnsemble(
      generalist: generalist,
      specialists: [
        SpecialistEnsemble.Specialist(model: narrow, own: [1, 3]),
        SpecialistEnsemble.Specialist(model: whole, own: [0, 1]),
      ], active: 2)
    let system = FrameSystem(specialists: ensemble, files: [], path: folder.path)
    let combined = ensemble.answer(try features(generalist.features)).combined
    let (found, _) = try streamed(system, most: 3000, seed: 54)
    let ids = found.flatMap(\.ids)
    #expect(ids == combined.largestColumns())
    let same = found.flatMap(\.posteriors) == ids.enumerated().map { combined[$0, Int($1)] }
    #expect(same)
    #expect(ids != generalist.logits(of: try features(generalist.features)).largestColumns())
  }

  @Test("a sample that is not finite is named after the decisions that those before it permit")
  func notFinite() throws {
    let system = try FrameSystem(model: write("model", seed: 61, context: 0...0))
    let classifier = try FrameClassifier(system, values: .logPosteriors, temperature: 1)
    var stream = try DecisionStream(classifier, sampleRate: 16000, origin: .named("samples"))
    var frames = 0
    try stream.push(Array(samples[..<100])) { frames += $0.ids.count }
    var rest = Array(samples[100..<4000])
    rest[2900] = .nan
    let fault = FileFault.malformed(
      path: .named("samples"), expected: "finite samples",
      found: "nan in sample 3000, counted from 0")
    do {
      try stream.push(rest) { frames += $0.ids.count }
      Issue.record("a NaN was taken")
    } catch {
      #expect(error as? FileFault == fault)
    }
    // 17 windows of 400 samples every 160; deltas need two frames more.
    #expect(frames == 15)
  }

  @Test("another rate and normalised features cannot be streamed, and both sides are named")
  func refused() throws {
    func fault(_ path: FilePath, rate: Int) throws -> String {
      let classifier = try FrameClassifier(
        FrameSystem(model: path), values: .logPosteriors, temperature: 1)
      do {
        _ = try DecisionStream(classifier, sampleRate: rate, origin: .named("samples"))
      } catch { return "\(error)" }
      return "none"
    }
    let rate = try fault(write("model", seed: 71, context: 0...0), rate: 8000)
    #expect(rate.contains("16000 Hz") && rate.contains("8000 Hz"), "\(rate)")
    let normalised = try fault(
      write("model", seed: 71, context: 0...0) { $0.transform.normalization = .utterance },
      rate: 16000)
    #expect(normalised.contains("normalization: utterance"), "\(normalised)")
  }

  /// Random runs of classes.
  private func decisions(_ seed: UInt64) -> FrameDecisions {
    var generator = SeededGenerator(seed)
    var decisions = FrameDecisions()
    for _ in 0..<40 {
      let (best, length) = (generator.integer(below: 5), 1 + generator.integer(below: 30))
      var rows = Matrix(rows: length, columns: 5)
      for frame in 0..<length {
        for id in 0..<5 { rows[frame, id] = id == best ? 0.6 : 0.1 }
      }
      decisions.append(rows)
    }
    return decisions
  }

  @Test(
    "labels read back as frame targets are the same classes, whatever the grid",
    arguments: [
      FrameGrid(sampleRate: 16000, frameLength: 25, frameShift: 10),
      FrameGrid(sampleRate: 16000, frameLength: 25, frameShift: 10, edges: .mirrored),
      FrameGrid(sampleRate: 11025, frameLength: 25, frameShift: 10),
      FrameGrid(sampleRate: 44100, frameLength: 23.2, frameShift: 11.6, edges: .mirrored),
      FrameGrid(sampleRate: 8000, frameLength: 5, frameShift: 20),
    ])
  func roundTrip(grid: FrameGrid) throws {
    // Seed 81.
    let decisions = decisions(81)
    let classes = ClassInventory(symbols: ["A_1", "A_2", "<eps>", "\"", "SIL"])
    let spans = decisions.spans(classes, grid)
    let frames = decisions.ids.count
    #expect(spans.first?.microseconds.lowerBound == 0)
    for (span, next) in zip(spans, spans.dropFirst()) {
      #expect(span.microseconds.upperBound == next.microseconds.lowerBound)
      #expect(span.label != next.label && abs(span.posterior - 0.6) < 1e-6)
    }
    let targets = FrameTargets(inventory: classes, states: 1, lengthTolerance: 0)
    let file = folder.file("u.TextGrid")
    try AtomicFile.write(spans.textGrid(tier: "phones"), to: file)
    let read = try TextGridReader.read(file, tier: "phones")
    #expect(try targets.labels(of: read, grid: grid, frames: frames) == decisions.ids)
    let lines = spans.ctm(of: "u")
    try AtomicFile.write(lines, to: folder.file("u.ctm"))
    let own = try lines.split(separator: "\n").map { line in
      let fields = line.split(separator: " ")
      try #require(fields.count == 6 && fields[0] == "u" && fields[1] == "1")
      let (start, duration) = (Double(fields[2]) ?? -1, Double(fields[3]) ?? -1)
      return LabelSpan(start: start, end: start + duration, label: String(fields[4]))
    }
    #expect(try targets.labels(of: own, grid: grid, frames: frames) == decisions.ids)
  }

  @Test("a frame's time is a shift around its centre, and a time is exact text")
  func times() {
    let snipped = FrameGrid(sampleRate: 16000, frameLength: 25, frameShift: 10)
    let span = ScoredSpan(
      seconds: snipped.seconds(ofFrames: 3..<5), label: "A", posterior: 0.12345)
    #expect([span].ctm(of: "u") == "u 1 0.0375 0.02 A 0.1235\n")
    let mirrored = FrameGrid(
      sampleRate: 16000, frameLength: 25, frameShift: 10, edges: .mirrored)
    #expect(
      [ScoredSpan(seconds: mirrored.seconds(ofFrames: 3..<5), label: "A", posterior: 1)]
        .ctm(of: "u") == "u 1 0.03 0.02 A 1.0000\n")
    #expect(ScoredSpan.text(ofMicroseconds: 61_000_001) == "61.000001")
    #expect(ScoredSpan.text(ofMicroseconds: 1_300_000) == "1.30")
  }
}
