import Features
import Foundation
import LinearAlgebra
import Storage
import TestSupport
import Testing

@Suite("Log-mel frames")
struct LogMelTests {
  static let goldens: [(file: String, options: String)] = [
    ("default-16k", "{}"),
    ("default-8k", #"{"sampleRate": 8000}"#),
    (
      "hamming-23-bands",
      #"{"melBins": 23, "window": "hamming", "lowFrequency": 60, "highFrequency": -400, "#
        + #""preEmphasis": 0.9}"#
    ),
  ]

  private func options(_ json: String) throws -> LogMelOptions {
    try JSONDecoder().decode(LogMelOptions.self, from: Data(json.utf8))
  }

  @Test("equal kaldi-native-fbank 1.23.0 (Fixtures/make_golden.py)", arguments: goldens)
  func equalKaldi(_ golden: (file: String, options: String)) throws {
    let path = try #require(
      Bundle.module.path(forResource: "Fixtures/\(golden.file).txt", ofType: nil))
    let expected = try readNumbers(path)
    var extractor = LogMelExtractor(options: try options(golden.options))
    let found = extractor.logMel(of: generatedWaveform(count: 4000), utterance: "a")
    #expect(found.rows == expected.count)
    let differences = zip(found.values, expected.joined()).map { abs(Double($0) - $1) }
    #expect(differences.count == expected.count * expected[0].count)
    #expect(differences.reduce(0, +) / Double(differences.count) < 1e-4)
    #expect(try #require(differences.max()) < 5e-3)
  }

  @Test(
    "the number of frames at the edges",
    arguments: [(0, 0), (399, 0), (400, 1), (401, 1), (560, 2)]
  )
  func frameCounts(samples: Int, frames: Int) {
    var extractor = LogMelExtractor(options: LogMelOptions())
    let features = extractor.logMel(of: generatedWaveform(count: samples), utterance: "a")
    #expect(features.rows == frames)
    #expect(features.columns == 40)
  }

  @Test("digital silence is the logarithm of the smallest energy")
  func silence() {
    var extractor = LogMelExtractor(options: LogMelOptions())
    let features = extractor.logMel(of: [Float](repeating: 0, count: 400), utterance: "a")
    #expect(features.values == Array(repeating: log(Float.ulpOfOne), count: 40))
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
    "options that cannot be are errors that name them",
    arguments: [
      (#"{"lowFrequency": 9000}"#, "lowFrequency"),
      (#"{"highFrequency": 9000}"#, "highFrequency"),
      (#"{"melBins": 200}"#, "melBins"),
      (#"{"frameLength": 0.05}"#, "frameLength"),
      (#"{"frameShift": 0}"#, "frameShift"),
      (#"{"preEmphasis": 2}"#, "preEmphasis"),
      (#"{"sampleRate": 0}"#, "sampleRate"),
    ])
  func impossible(json: String, option: String) {
    let fault = #expect(throws: OptionFault.self) { try options(json) }
    guard case .outOfRange(option, _, _) = fault else {
      Issue.record("expected \(option) out of range, found \(String(describing: fault))")
      return
    }
  }

  @Test("options survive JSON, and differences are named")
  func differences() throws {
    var changed = FeatureOptions()
    changed.logMel.melBins = 23
    changed.logMel.window = .hann
    let data = try JSONEncoder().encode(changed)
    #expect(try JSONDecoder().decode(FeatureOptions.self, from: data) == changed)
    #expect(
      FeatureOptions().differences(from: changed) == [
        "melBins 40, not 23", "window povey, not hann",
      ])
    #expect(changed.differences(from: changed).isEmpty)
  }
}
