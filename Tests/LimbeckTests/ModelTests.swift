import Classes
import Features
import Limbeck
import LinearAlgebra
import Models
import Networks
import SystemPackage
import TestSupport
import Testing

@Suite("The library")
struct ModelTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a small model with random weights.
  private func write(_ features: FeatureOptions) throws -> (path: FilePath, model: AcousticModel) {
    let columns = features.columns
    let model = AcousticModel(
      network: AcousticNetwork(
        features: columns, context: -2...1, hidden: HiddenShape(layers: 1, units: 6), classes: 3,
        seed: 71),
      features: features,
      normalizer: FeatureNormalizer(
        mean: Array(repeating: 3, count: columns), deviation: Array(repeating: 2, count: columns)),
      classes: ClassInventory(symbols: ["A", "B", "SIL"]),
      provenance: AcousticModel.Provenance(
        system: "student", seed: 71, epoch: 1, developmentAccuracy: 0.5, limbeckVersion: "0"))
    let path = folder.file("model.safetensors")
    try model.write(to: path)
    return (path, model)
  }

  private func logMel(_ bands: Int) -> FeatureOptions {
    var options = FeatureOptions()
    options.logMel?.melBins = bands
    return options
  }

  @Test(
    "samples give what features of them give, which is what the model gives",
    arguments: [Normalization.none, .utterance])
  func samples(normalization: Normalization) throws {
    var options = logMel(8)
    options.transform.normalization = normalization
    options.transform.deltas = 1
    let (path, acoustic) = try write(options)
    let model = try Model(path: path.string)
    #expect((model.classes, model.sampleRate, model.features) == (["A", "B", "SIL"], 16000, 16))
    #expect((model.context, model.latency) == (-2...1, 1))
    #expect((model.centre(ofFrame: 0), model.centre(ofFrame: 3)) == (0.0125, 0.0425))
    let sound = generatedWaveform(count: 8000)
    let found = try model.posteriors(ofSamples: sound, sampleRate: 16000)
    var extractor = LogMelExtractor(options: try #require(options.logMel))
    var frames = extractor.logMel(of: sound, utterance: "")
    if normalization == .utterance {
      var sums = NormalizationStatistics(columns: 8)
      sums.add(frames)
      sums.normalize(&frames, variance: false)
    }
    let features = Deltas(order: 1, window: 2)
      .appended(to: 0..<frames.rows, of: frames, from: 0, count: frames.rows)
    var expected = acoustic.logits(of: features)
    expected.replaceRowsBySoftmax(temperature: 1)
    #expect(found.values == expected.values)
    #expect(try model.posteriors(ofFeatures: features.values) == found)
    #expect(found.frames == 48)
    #expect((0..<48).map { Int32(found.mostProbable(at: $0)) } == expected.largestColumns())
    #expect(abs(found[0].reduce(0, +) - 1) < 1e-5)
  }

  @Test("what cannot be used is a typed error")
  func errors() throws {
    let model = try Model(path: try write(logMel(4)).path.string)
    #expect(throws: ModelError.sampleRate(expected: 16000, found: 8000)) {
      try model.posteriors(ofSamples: [0], sampleRate: 8000)
    }
    #expect(throws: ModelError.notFinite) {
      try model.posteriors(ofSamples: [.nan], sampleRate: 16000)
    }
    #expect(throws: ModelError.columns(expected: 4, values: 5)) {
      try model.posteriors(ofFeatures: [1, 2, 3, 4, 5])
    }
    #expect(try model.posteriors(ofSamples: [0, 0.1], sampleRate: 16000).frames == 0)
    var bySpeaker = logMel(4)
    bySpeaker.transform.normalization = .speaker
    let other = try Model(path: try write(bySpeaker).path.string)
    #expect(throws: ModelError.needsStatistics) {
      try other.posteriors(ofSamples: [0], sampleRate: 16000)
    }
    let given = FeatureOptions(frames: .given(GivenFrames(columns: 4)))
    let foreign = try Model(path: try write(given).path.string)
    #expect(foreign.sampleRate == nil)
    #expect(throws: ModelError.needsFeatures) {
      try foreign.posteriors(ofSamples: [0], sampleRate: 16000)
    }
    let missing = #expect(throws: ModelError.self) { try Model(path: folder.file("none").string) }
    #expect(missing?.description == "\(folder.file("none")): no such file")
    let cut = #expect(throws: ModelError.self) { try Model(path: "a\0b") }
    #expect(cut?.description == "a\0b: expected a usable path, found one with a NUL in it")
  }
}
