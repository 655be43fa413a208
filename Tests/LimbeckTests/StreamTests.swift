import Classes
import Features
import Foundation
import Limbeck
import LinearAlgebra
import Models
import Networks
import TestSupport
import SystemPackage
import Testing

/// Random sizes from 0 to `most` that make up `total`.
private func pieces(of total: Int, most: Int, seed: UInt64) -> [Int] {
  var generator = SeededGenerator(seed)
  var left = total
  var pieces: [Int] = []
  while left > 0 {
    pieces.append(min(left, generator.integer(below: most + 1)))
    left -= pieces[pieces.count - 1]
  }
  return pieces
}

@Suite("Streams of samples")
struct StreamTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let feedForward = HiddenShape(layers: 2, units: 40)
  private static let timeDelay = HiddenShape(
    layers: 3, units: 40, timeOffsets: [[-2, 0, 1], [-5, 4], [-1, 0, 1]])

  /// A model with random weights, through its file.
  private func model(
    _ hidden: HiddenShape = feedForward, deltas: Int = 0, logPriors: [Float]? = nil,
    precision: NetworkPrecision.Name = .float32,
    change: (inout FeatureOptions) -> Void = { _ in }
  ) throws -> Model {
    var features = FeatureOptions()
    features.logMel?.melBins = 8
    features.transform.deltas = deltas
    change(&features)
    let columns = features.columns
    let path = folder.file("model.safetensors")
    let model = AcousticModel(
      network: AcousticNetwork(
        features: columns, context: -4...2, hidden: hidden, classes: 5, seed: 81),
      features: features,
      normalizer: FeatureNormalizer(
        mean: (0..<columns).map { $0 < 8 ? 12 : 0 },
        deviation: (0..<columns).map { $0 < 8 ? 3 : 0.7 }),
      classes: ClassInventory(symbols: ["A", "B", "C", "D", "SIL"]), logPriors: logPriors,
      provenance: AcousticModel.Provenance(
        system: "student", seed: 81, epoch: 1, developmentAccuracy: 0.5, limbeckVersion: "0"))
    switch precision {
    case .float32: try model.write(to: path)
    case .bfloat16: try model.with(.bfloat16).write(to: path)
    case .int8:
      let steps = model.network.layers.map { $0.steps(input: 5 / 127) }
      let record = Calibration.Record(data: "none", utterances: 1, frames: 1)
      try model.with(.int8(steps), calibration: record).write(to: path)
    }
    return try Model(path: path.string)
  }

  /// What comes of samples in such pieces.
  private func streamed(
    _ stream: inout PosteriorStream, _ samples: [Float], _ pieces: [Int]
  ) throws -> [Float] {
    var values: [Float] = []
    var start = 0
    for count in pieces {
      values += try stream.push(samples[start..<start + count].span).values
      start += count
    }
    return try values + stream.finish().values
  }

  /// What the features of a model that is streamed may be.
  enum Kind: CaseIterable {
    case plain, deltas, mirrored, dither, long

    func change(_ options: inout FeatureOptions) {
      switch self {
      case .plain: break
      case .deltas: options.transform.deltas = 2
      case .mirrored: options.logMel?.snipEdges = false
      case .dither: options.logMel?.dither = 1
      case .long:
        options.logMel?.frameLength = 10
        options.logMel?.frameShift = 25
      }
    }
  }

  @Test(
    "every cut gives the probabilities of the whole, to the bit",
    arguments: [feedForward, timeDelay], Kind.allCases)
  func cuts(hidden: HiddenShape, kind: Kind) throws {
    let model = try model(hidden, change: kind.change)
    let samples = generatedWaveform(count: 16000)
    let whole = try model.posteriors(
      ofSamples: samples, sampleRate: 16000, utterance: "one"
    ).values
    // One stream for all: utterances do not see each other.
    var stream = try model.stream(sampleRate: 16000, utterance: "one")
    #expect(try streamed(&stream, samples, [16000]) == whole)
    #expect(try streamed(&stream, samples, Array(repeating: 160, count: 100)) == whole)
    for (seed, most) in zip(UInt64(451)..., [3, 100, 1000, 9000]) {
      let cut = pieces(of: 16000, most: most, seed: seed)
      #expect(try streamed(&stream, samples, cut) == whole, "up to \(most) samples, seed \(seed)")
    }
  }

  @Test(
    "every cut gives the probabilities of the whole in reduced precision, to the bit",
    arguments: [feedForward, timeDelay], [NetworkPrecision.Name.bfloat16, .int8])
  func reducedCuts(hidden: HiddenShape, precision: NetworkPrecision.Name) throws {
    let samples = generatedWaveform(count: 16000)
    let exact = try model(hidden).posteriors(ofSamples: samples, sampleRate: 16000).values
    let model = try model(hidden, precision: precision)
    let whole = try model.posteriors(ofSamples: samples, sampleRate: 16000).values
    #expect(whole != exact && mismatch(whole, exact, absolute: 0.1) == nil)
    var stream = try model.stream(sampleRate: 16000)
    #expect(try streamed(&stream, samples, Array(repeating: 160, count: 100)) == whole)
    for (seed, most) in zip(UInt64(461)..., [3, 1000]) {
      let cut = pieces(of: 16000, most: most, seed: seed)
      #expect(try streamed(&stream, samples, cut) == whole, "up to \(most) samples, seed \(seed)")
    }
  }

  @Test("short utterances, sample by sample", arguments: [feedForward, timeDelay], [true, false])
  func short(hidden: HiddenShape, snipEdges: Bool) throws {
    let model = try model(hidden, deltas: 1) { $0.logMel?.snipEdges = snipEdges }
    var stream = try model.stream(sampleRate: 16000)
    // Around one frame's window, and where its shift begins or ends another one.
    for count in [0, 1, 79, 80, 160, 399, 400, 401, 559, 560, 561, 1200] {
      let samples = generatedWaveform(count: count)
      let whole = try model.posteriors(ofSamples: samples, sampleRate: 16000).values
      let found = try streamed(&stream, samples, Array(repeating: 1, count: count))
      #expect(found == whole, "\(count) samples")
    }
  }

  @Test("frames come as early as the latency says", arguments: [feedForward, timeDelay])
  func latency(hidden: HiddenShape) throws {
    let model = try model(hidden, deltas: 2)
    let latency = try #require(model.latencyInSamples)
    #expect(latency == 400 + 160 * (model.context.upperBound + 4))
    #expect(model.latencyInSeconds == Double(latency) / 16000)
    var stream = try model.stream(sampleRate: 16000)
    let samples = generatedWaveform(count: 4000)
    for (index, sample) in samples.enumerated() {
      let frames = try stream.push([sample].span).frames
      let isDue = index + 1 >= latency && (index + 1 - latency) % 160 == 0
      #expect(frames == (isDue ? 1 : 0), "after \(index + 1) samples")
    }
  }

  @Test("memory does not grow with the stream")
  func memory() throws {
    let model = try model(StreamTests.timeDelay, deltas: 2)
    var stream = try model.stream(sampleRate: 16000)
    let samples = generatedWaveform(count: 1600)
    var most: [Int] = []
    // A minute.
    for number in 0..<600 {
      _ = try stream.push(samples.span)
      if number % 200 == 0 { most.append(0) }
      most[most.count - 1] = max(most[most.count - 1], stream.storedValues)
    }
    #expect(most[1] == most[0] && most[2] == most[0])
  }

  @Test("what cannot be streamed is a typed error")
  func errors() throws {
    let plain = try model()
    #expect(throws: ModelError.sampleRate(expected: 16000, found: 8000)) {
      _ = try plain.stream(sampleRate: 8000)
    }
    for (normalization, error) in [
      (Normalization.utterance, ModelError.needsUtterance), (.speaker, .needsStatistics),
      (.global, .needsStatistics),
    ] {
      let model = try model { $0.transform.normalization = normalization }
      #expect(throws: error) { _ = try model.stream(sampleRate: 16000) }
    }
    let foreign = try model { $0.frames = .given(GivenFrames(columns: 8)) }
    #expect(foreign.latencyInSamples == nil && foreign.latencyInSeconds == nil)
    #expect(throws: ModelError.needsFeatures) { _ = try foreign.stream(sampleRate: 16000) }
  }

  @Test("after samples that are not finite another utterance begins", arguments: [Float.nan, 1e30])
  func notFinite(value: Float) throws {
    let model = try model()
    let samples = generatedWaveform(count: 8000)
    let whole = try model.posteriors(ofSamples: samples, sampleRate: 16000).values
    var stream = try model.stream(sampleRate: 16000)
    _ = try stream.push(samples.span)
    var error: ModelError?
    do { _ = try stream.push(Array(repeating: value, count: 2000).span) } catch let found {
      error = found
    }
    #expect(error == .notFinite)
    #expect(try streamed(&stream, samples, [8000]) == whole)
  }

  @Test("a log-likelihood is the log posterior less the log prior")
  func logLikelihoods() throws {
    let counts = [10, 20, 0, 30, 40]
    let logPriors = counts.map {
      $0 == 0 ? Float.greatestFiniteMagnitude.squareRoot() : log(Float($0) / 100)
    }
    let model = try model(logPriors: logPriors)
    let priors = try #require(model.priors)
    #expect(mismatch(priors, [0.1, 0.2, 0, 0.3, 0.4], absolute: 1e-7) == nil)
    let posteriors = try model.posteriors(
      ofSamples: generatedWaveform(count: 4000), sampleRate: 16000)
    let found = try model.logLikelihoods(of: posteriors)
    #expect(found.count == posteriors.values.count && found.allSatisfy(\.isFinite))
    for frame in 0..<posteriors.frames {
      for (index, posterior) in posteriors[frame].enumerated() {
        let value = found[5 * frame + index]
        #expect(value == log(max(posterior, 1e-20)) - logPriors[index])
        #expect(counts[index] > 0 || value < -1e19)
      }
    }
    let without = try self.model()
    #expect(without.priors == nil)
    #expect(throws: ModelError.needsPriors) { try without.logLikelihoods(of: posteriors) }
  }
}
