import Corpus
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import SystemPackage
import TestSupport
import Testing

@Suite("Recordings too long for memory")
struct LongRecordingTests {
  @Test("are written in pieces, removed whole when their end is bad, and equal frames made at once")
  func pieces() throws {
    let folder = try TemporaryFolder()
    // A frame a sample: 119,601 frames of 40 features are more than a sink holds.
    let samples = generatedWaveform(count: 120_000)
    AudioFixture.write(samples, to: folder.file("long.wav"))
    AudioFixture.write(samples + [.nan], to: folder.file("bad.wav"), format: AudioFixture.float)
    AudioFixture.write(Array(samples.prefix(500)), to: folder.file("short.wav"))
    let names = ["a short", "b bad", "c long", "d bad", "e short"]
    try folder.write(
      names.map { "\($0.prefix(1)) \(folder.file("\($0.dropFirst(2)).wav"))\n" }.joined(),
      to: "data/wav.scp")
    var options = FeatureOptions()
    options.logMel?.frameShift = 0.0625
    let data = try DataDirectory(path: folder.file("data"))
    let reporter = Reporter(log: Reporter.Log { _, _ in }) { _ in }
    for jobs in [1, 2] {
      let out = FeatureFolder(path: folder.file("out-\(jobs)"))
      let ledger = try out.extract(
        data, FeatureRequest(options: options), workers: Workers(count: jobs), reporter: reporter)
      #expect(ledger.leftOut.map(\.utterance) == ["b", "d"])
      let features = try Archive.readMatrices(out.path.appending("feats.ark"))
      #expect(features.map(\.key) == ["a", "c", "e"])
      var extractor = LogMelExtractor(options: try #require(options.logMel))
      #expect(features[1].matrix == extractor.logMel(of: samples, utterance: "c"))
      #expect(features[0].matrix == features[2].matrix)
      #expect(try out.frameCounts() == ["a": 101, "c": 119_601, "e": 101])
    }
  }
}
