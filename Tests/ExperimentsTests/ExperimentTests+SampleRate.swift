import Corpus
import Experiments
import Features
import Foundation
import Models
import Storage
import SystemPackage
import TestSupport
import Testing

/// The sample rate of the features: the audio's, unless the recipe requires another.
extension ExperimentTests {
  /// Replaces the rate in the recipe of a corpus.
  private func setRate(_ option: String, in corpus: SampleCorpus) throws {
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe.replacing("sampleRate: 8000, ", with: option), to: "recipe.yaml")
  }

  @Test("without a rate in the recipe, features and models have the audio's")
  func rateOfAudio() throws {
    let corpus = try SampleCorpus()
    _ = try experiment(corpus).run(until: .targets)
    let path = corpus.experimentPath
    let required = try Fingerprint(ofFile: path.appending("features/train/feats.ark"))
    try setRate("", in: corpus)
    let free = try experiment(corpus)
    // The rate in force is the same, so nothing is made again.
    #expect(try free.plan().steps.prefix(6).allSatisfy { $0.state == .fresh })
    _ = try free.run(until: .train)
    #expect(try Fingerprint(ofFile: path.appending("features/train/feats.ark")) == required)
    let model = try AcousticModel(path: path.appending("models/baseline.safetensors"))
    #expect(model.features.logMel?.sampleRate == 8000)
    // Audio at another rate under the same names.
    for part in ["train", "development", "test"] {
      for line in try TextFile.lines(of: path.appending("data/\(part)/wav.scp")) {
        AudioFixture.write(
          generatedWaveform(count: 6615), to: FilePath(String(line.text.keyAndRest.rest)),
          sampleRate: 11025)
      }
    }
    #expect(try experiment(corpus).plan().steps.prefix(3).allSatisfy { $0.state == .toDo })
    _ = try experiment(corpus).run(until: .features)
    let options = try FeatureFolder(path: path.appending("features/test")).options()
    #expect(options.logMel?.sampleRate == 11025)
  }

  @Test("a rate that no utterance of a part has is one fault, before anything is made")
  func wrongRate() throws {
    let corpus = try SampleCorpus()
    try setRate("sampleRate: 16000, ", in: corpus)
    let fault = #expect(throws: SampleRateFault.self) { try experiment(corpus).run() }
    #expect(
      fault?.description == """
        train, development, test: expected audio at 16000 Hz, as features: sampleRate says, found \
        8000 Hz for 15 utterances, such as train-0; leave the option out to use the rate of the audio
        """)
    #expect(
      !FileManager.default.fileExists(atPath: corpus.experimentPath.appending("features").string))
  }

  @Test("several rates are one fault that counts the utterances, unless the recipe requires one")
  func mixedRates() throws {
    let corpus = try SampleCorpus()
    for id in ["test-0", "train-1"] {
      AudioFixture.write(
        generatedWaveform(count: 9600), to: corpus.folder.file("audio/\(id).wav"),
        sampleRate: 16000)
    }
    let (ledger, _) = try experiment(corpus).run(until: .features)
    #expect(ledger.leftOut.map(\.utterance).sorted() == ["test-0", "train-1"])
    try setRate("", in: corpus)
    let fault = #expect(throws: SampleRateFault.self) { try experiment(corpus).run() }
    #expect(
      fault?.description == """
        train, development, test: expected audio at one sample rate, found 8000 Hz for 13 \
        utterances, such as train-0, and 16000 Hz for 2 utterances, such as train-1; resample the \
        audio to one rate, or set features: sampleRate to one of these to skip the other utterances
        """)
    #expect(try experiment(corpus).plan().steps[0].fault == fault?.description)
  }

  @Test("an option that does not fit the audio's rate is a fault that names both")
  func bandsAboveRate() throws {
    let corpus = try SampleCorpus()
    try setRate("highFrequency: 6000, ", in: corpus)
    let fault = #expect(throws: OptionFault.self) { try experiment(corpus).run() }
    #expect(
      fault?.description
        == "features.highFrequency: expected at most half of sampleRate, 4000.0 Hz, found 6000.0")
  }
}
