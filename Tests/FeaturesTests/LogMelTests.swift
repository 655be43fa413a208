import Audio
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

/// The signals of `Fixtures/make_golden.py`, in 16 bits, as a waveform.
private enum GoldenSignal: String, CaseIterable {
  case noise, sweep, clipped, speech, silence

  func samples(sampleRate: Int) throws -> [Float] {
    let count = sampleRate == 48000 ? 2400 : 1700
    if self == .speech {
      let path = try fixture("speech.wav")
      return Array(try AudioFile.read(path, sampleRate: 8000).samples.prefix(count))
    }
    let values: [Int] =
      switch self {
      case .noise: generatedSignal(count: count).map(Int.init)
      case .sweep:
        (0..<count).map { n in
          let angle = 0.02 * Double(n) + 0.5 * Double(n) * Double(n) / Double(count)
          return Int((30000 * sin(angle) + 0.5).rounded(.down))
        }
      case .clipped: generatedSignal(count: count).map { max(-32768, min(32767, 20 * Int($0))) }
      case .silence, .speech: Array(repeating: 0, count: count)
      }
    return values.map { Float($0) / 32768 }
  }
}

private func fixture(_ name: String) throws -> FilePath {
  FilePath(try #require(Bundle.module.path(forResource: "Fixtures/" + name, ofType: nil)))
}

@Suite("Log-mel frames")
struct LogMelTests {
  private func options(_ json: String) throws -> LogMelOptions {
    try JSONDecoder().decode(LogMelOptions.self, from: Data(json.utf8))
  }

  @Test("equal kaldi-native-fbank 1.23.0 over ten option sets, three rates and five signals")
  func equalKaldi() throws {
    let sets = try JSONDecoder().decode(
      [String: LogMelOptions].self,
      from: try TextFile.bytes(of: fixture("options.json")))
    #expect(sets.count == 30)
    let goldens = Dictionary(
      uniqueKeysWithValues: try Archive.readMatrices(fixture("golden.ark"))
        .map { ($0.key, $0.matrix) })
    for (name, options) in sets {
      var extractor = LogMelExtractor(options: options)
      for signal in GoldenSignal.allCases where signal != .speech || options.sampleRate == 8000 {
        let expected = try #require(goldens["\(name)-\(signal)"])
        let found = extractor.logMel(
          of: try signal.samples(sampleRate: options.sampleRate), utterance: "a")
        #expect(found.rows == expected.rows && found.columns == expected.columns)
        let floor = largestRounding(expected, signal, options)
        let differences = zip(found.values, expected.values).map { found, expected in
          abs(comparable(found, options, floor) - comparable(expected, options, floor))
        }
        let mean = differences.reduce(0, +) / Double(max(1, differences.count))
        #expect(mean <= 1e-4, "\(name) \(signal): a mean difference of \(mean)")
        let largest = differences.max() ?? 0
        #expect(largest <= 5e-3, "\(name) \(signal): a largest difference of \(largest)")
      }
    }
  }

  /// The log energy below which Kaldi's single-precision transform of a pure tone holds only its own
  /// rounding: seven orders below the loudest band.
  ///
  /// Other signals have no such bands.
  private func largestRounding(
    _ expected: Matrix, _ signal: GoldenSignal, _ options: LogMelOptions
  ) -> Double {
    guard signal == .sweep else { return -.infinity }
    let loudest = expected.values.map { options.useLog ? Double($0) : log(Double($0)) }.max() ?? 0
    return loudest + log(1e-7) / (options.usePower ? 1 : 2)
  }

  /// A feature as log energy, at least `floor`.
  private func comparable(_ value: Float, _ options: LogMelOptions, _ floor: Double) -> Double {
    max(floor, options.useLog ? Double(value) : log(max(Double(value), Double(Float.ulpOfOne))))
  }

  @Test("frames do not depend on the pieces that samples come in", arguments: [true, false])
  func pieces(snipEdges: Bool) throws {
    let options = try options(#"{"snipEdges": \#(snipEdges), "dither": 0.5}"#)
    let samples = generatedWaveform(count: 5000)
    var extractor = LogMelExtractor(options: options)
    for count in [0, 1, 79, 80, 150, 399, 400, 401, 1234, 5000] {
      let part = Array(samples.prefix(count))
      let whole = extractor.logMel(of: part, utterance: "a")
      #expect(whole.rows == options.grid.frameCount(samples: count))
      for size in [1, 7, 160, 999] {
        var frames = Matrix(rows: 0, columns: options.columns)
        extractor.begin(utterance: "a")
        for start in stride(from: 0, to: count, by: size) {
          let end = min(count, start + size)
          extractor.push(part.span.extracting(start..<end), appendingTo: &frames)
        }
        extractor.finish(appendingTo: &frames)
        #expect(frames == whole, "\(count) samples by \(size)")
      }
    }
  }

  @Test("a shift longer than the frame leaves samples out, with and without snipped edges")
  func longShift() throws {
    for edges in ["true", "false"] {
      let options = try options(#"{"frameShift": 60, "snipEdges": \#(edges), "melBins": 23}"#)
      let samples = generatedWaveform(count: 4000)
      var extractor = LogMelExtractor(options: options)
      let frames = extractor.logMel(of: samples, utterance: "a")
      #expect(frames.rows == 4)
      let first = options.grid.samples(ofFrame: 2)
      var alone = LogMelOptions()
      alone.melBins = 23
      var other = LogMelExtractor(options: alone)
      #expect(
        other.logMel(of: Array(samples[first]), utterance: "a").values
          == Array(frames.values[46..<69]))
    }
  }

  @Test("digital silence is the logarithm of the smallest energy")
  func silence() {
    var extractor = LogMelExtractor(options: LogMelOptions())
    let features = extractor.logMel(of: [Float](repeating: 0, count: 400), utterance: "a")
    #expect(features.columns == 40)
    #expect(
      mismatch(features.values, Array(repeating: log(Float.ulpOfOne), count: 40), relative: 1e-7)
        == nil)
  }

  @Test("dither depends on the utterance's id and on nothing else")
  func dither() throws {
    let samples = generatedWaveform(count: 400)
    var extractor = LogMelExtractor(options: try options(#"{"dither": 1}"#))
    let first = extractor.logMel(of: samples, utterance: "a")
    let other = extractor.logMel(of: samples, utterance: "b")
    #expect(extractor.logMel(of: samples, utterance: "a") == first)
    #expect(other != first)
  }

  @Test(
    "options that cannot be are errors that name them, and the one they do not fit",
    arguments: [
      (#"{"lowFrequency": 9000}"#, "lowFrequency", "highFrequency"),
      (#"{"highFrequency": 9000}"#, "highFrequency", "sampleRate"),
      (#"{"highFrequency": -8000}"#, "highFrequency", "sampleRate"),
      (#"{"melBins": 200}"#, "melBins", "frameLength"),
      (#"{"frameLength": 0.05}"#, "frameLength", "sampleRate"),
      (#"{"frameShift": 0.01}"#, "frameShift", "sampleRate"),
      (
        #"{"sampleRate": 11025, "roundToPowerOfTwo": false}"#, "roundToPowerOfTwo",
        "frameLength"
      ),
      (#"{"frameShift": 0}"#, "frameShift", ""), (#"{"preEmphasis": 2}"#, "preEmphasis", ""),
      (#"{"sampleRate": 0}"#, "sampleRate", ""), (#"{"energyFloor": -1}"#, "energyFloor", ""),
      (#"{"dither": -1}"#, "dither", ""),
    ])
  func impossible(json: String, option: String, other: String) {
    let fault = #expect(throws: OptionFault.self) { try options(json) }
    guard case .outOfRange(option, let expected, let found) = fault else {
      Issue.record("expected \(option) out of range, found \(String(describing: fault))")
      return
    }
    #expect(other.isEmpty || (expected + found).contains(other))
  }

  @Test("feature options survive JSON side by side, and differences are named")
  func differences() throws {
    var changed = FeatureOptions()
    changed.logMel?.melBins = 23
    changed.logMel?.window = .hann
    changed.transform.deltas = 2
    changed.transform.normalization = .speaker
    changed.transform.normalizeVariance = true
    let data = try JSONEncoder().encode(changed)
    #expect(try JSONDecoder().decode(FeatureOptions.self, from: data) == changed)
    #expect(changed.columns == 69)
    #expect(
      FeatureOptions().differences(from: changed) == [
        "melBins 40, not 23", "window povey, not hann", "normalization none, not speaker",
        "normalizeVariance false, not true", "deltas 0, not 2",
      ])
    #expect(changed.differences(from: changed).isEmpty)
    for json in [#"{"melBin": 3}"#, #"{"delta": 1}"#, #"{"normalizeVariance": true}"#] {
      #expect(throws: OptionFault.self) {
        try JSONDecoder().decode(FeatureOptions.self, from: Data(json.utf8))
      }
    }
  }
}
