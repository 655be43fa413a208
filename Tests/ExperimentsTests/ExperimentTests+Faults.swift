import Corpus
import Evaluation
import Foundation
import Experiments
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

/// What is skipped with its reason, and what is refused.
extension ExperimentTests {
  @Test("faulty utterances are named, each with its reason, and the rest is done")
  func faultyUtterances() throws {
    let corpus = try SampleCorpus()
    let data = corpus.experimentPath.appending("data")
    // train-0 is empty, train-1 has another rate, train-2 no alignment, train-3 is too short.
    try corpus.folder.write("", to: "audio/train-0.wav")
    AudioFixture.write(
      generatedWaveform(count: 9000), to: corpus.folder.file("audio/train-1.wav"),
      sampleRate: 16000)
    AudioFixture.write(
      generatedWaveform(count: 199), to: corpus.folder.file("audio/train-3.wav"), sampleRate: 8000)
    let ctm = try TextFile.text(of: data.appending("phones.ctm"))
    try corpus.folder.write(
      ctm.split(separator: "\n").filter { !$0.hasPrefix("train-2") }.joined(separator: "\n"),
      to: "exp/data/phones.ctm")

    let (ledger, utterances) = try experiment(corpus).run()
    #expect(utterances == 15)
    let accounts = ledger.leftOut.map(\.account)
    #expect(accounts.count == 4)
    #expect(accounts[0].hasPrefix("train-0, features: "))
    #expect(accounts[0].contains("not readable as audio"))
    #expect(accounts[1].hasPrefix("train-1, features: "))
    #expect(accounts[1].hasSuffix("expected a sample rate of 8000 Hz, found 16000 Hz"))
    #expect(
      accounts[2...] == [
        "train-3, features: expected at least one frame of 200 samples, found 199 samples",
        "train-2, targets: no alignment",
      ])
    #expect(try Ledger(path: corpus.experimentPath.appending("ledger.jsonl")) == ledger)
  }

  @Test(
    "features and targets that do not join are in the ledger, also when the stages are run apart")
  func unjoined() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .targets)
    // Targets of an utterance without features, one with too few labels, and none for the others.
    let archive = corpus.experimentPath.appending("targets/test/targets.ark")
    try corpus.folder.write(
      "test-0 \(Array(repeating: "0", count: 58).joined(separator: " "))\ntest-1 0 1\nelse 0\n",
      to: "exp/targets/test/targets.ark")
    #expect(FileManager.default.fileExists(atPath: archive.string))
    try experiment.trainMembersAndBaselines()
    try experiment.distill()
    try experiment.score()
    let (ledger, utterances) = try experiment.collectLedger()
    #expect(utterances == 15)
    #expect(
      ledger.leftOut.map(\.account) == [
        "else, score: targets without features", "test-1, score: 2 targets for 58 frames",
        "test-2, score: features without targets", "test-3, score: features without targets",
      ])
    #expect(try experiment.readScores().systems.allSatisfy { $0.test.utterances == 1 })
  }

  @Test("the ledger has each utterance at each stage, and info sums it up")
  func accounts() throws {
    let corpus = try SampleCorpus()
    try corpus.folder.write("", to: "audio/train-0.wav")
    for part in ["train", "development", "test"] {
      let ids = try DataDirectory(path: corpus.experimentPath.appending("data/\(part)")).utterances
      try corpus.folder.write(
        ids.map { "\($0.id) s\($0.id.suffix(1))\n" }.joined(), to: "exp/data/\(part)/utt2spk")
    }
    let (ledger, _) = try experiment(corpus).run()
    let counts = Dictionary(
      ledger.entries.map { ("\($0.part ?? "") \($0.stage)", 1) }, uniquingKeysWith: +)
    #expect(
      counts == [
        "train features": 8, "train targets": 7, "train train": 7, "development features": 3,
        "development targets": 3, "development score": 3, "test features": 4, "test targets": 4,
        "test score": 4,
      ])
    let info = try Description(of: corpus.experimentPath.string).text
    #expect(
      info.contains(
        """
        | part        | stage    | utterances | skipped | frames | frames skipped | hours |
        | ----------- | -------- | ---------: | ------: | -----: | -------------: | ----: |
        | train       | data     |          8 |       0 |        |                |       |
        | train       | features |          7 |       1 |    406 |              0 | 0.001 |
        | train       | targets  |          7 |       0 |    406 |              0 | 0.001 |
        | train       | train    |          7 |       0 |    406 |              0 | 0.001 |
        """))
    #expect(
      info.contains(
        "| test        | score    |          4 |       0 |    232 |              0 | 0.001 |"))
    #expect(info.contains("test: 232 frames of 4 utterances by 4 speakers."))
  }

  @Test("a frame that is neither scored nor skipped with a reason makes the run fail")
  func unaccounted() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    func fault(_ file: String, _ change: (String) -> String) throws -> String? {
      let path = corpus.experimentPath.appending(file)
      let whole = try TextFile.text(of: path)
      defer { try? AtomicFile.write(whole, to: path) }
      try AtomicFile.write(change(whole), to: path)
      return #expect(throws: ExperimentFault.self) { try experiment.collectLedger() }?.description
    }
    // An utterance that a stage forgot.
    let forgotten = try fault("targets/train/ledger.jsonl") { text in
      text.split(separator: "\n").filter { !$0.contains("train-3") }.joined(separator: "\n")
    }
    #expect(
      forgotten?.contains(
        "train, from features to targets: frames of train-3: expected 58, found none")
        == true)
    // Frames that a stage lost.
    let shorter = try fault("targets/test/ledger.jsonl") { text in
      text.split(separator: "\n").map { line in
        line.contains("test-1")
          ? line.replacing("\"framesOut\":58", with: "\"framesOut\":57") : line
      }.joined(separator: "\n")
    }
    #expect(shorter?.contains("test, targets: frames of test-1: expected 58, found 57") == true)
    // An utterance of the data directory that features do not know.
    let unknown = try fault("data/test/wav.scp") { $0 + "more /more.wav\n" }
    #expect(unknown?.contains("test: entries of utterance more: expected 1, found none") == true)
    // Frames that were not scored, or not trained on.
    let unscored = try fault("scores.json") {
      $0.replacing("\"frames\" : 232", with: "\"frames\" : 231")
    }
    #expect(unscored?.contains("test, frames scored by member-00: expected 232, found 231") == true)
    let untrained = try fault("models/student.log.jsonl") {
      $0.replacing("\"frames\":464", with: "\"frames\":463")
    }
    #expect(
      untrained?.contains("train: frames of student, epoch 1: expected 464, found 463") == true)
    #expect(throws: Never.self) { try experiment.collectLedger() }

    // What is missing of the experiment's own ledger, info finds.
    let path = corpus.experimentPath.appending("ledger.jsonl")
    let lines = try TextFile.text(of: path).split(separator: "\n")
    func info(_ kept: [Substring]) throws -> String? {
      try AtomicFile.write(kept.map { $0 + "\n" }.joined(), to: path)
      do { return try Description(of: corpus.experimentPath.string).text } catch {
        return "\(error)"
      }
    }
    #expect(try info([])?.contains("expected an entry for each utterance, found none") == true)
    for (word, message) in [
      ("\"targets\"", "from features to targets: frames of train-0: expected 58, found none"),
      ("\"features\"", "from features to targets: frames of train-0: expected none, found 58"),
      ("\"test\"", "test, frames scored by"),
    ] {
      let damaged = try info(lines.filter { !$0.contains(word) })
      #expect(
        damaged?.contains(message) == true, "\(word): \(damaged ?? "")")
    }
    #expect(try info(lines + lines)?.contains("found two for train-0 at features") == true)
    #expect(
      try info(lines.map { $0.replacing("\"part\":\"test\"", with: "\"part\":\"tset\"")[...] })?
        .contains("found tset for test-0") == true)
    #expect(
      try info(
        lines.map { $0.replacing("\"framesIn\":58", with: "\"framesIn\":9223372036854775807")[...] }
      )?
      .contains("numbers of frames") == true)
    #expect(try info(lines)?.contains("| test        | score    |") == true)
  }

  @Test(
    "features and targets that are not the recipe's are refused, also by models that are fresh",
    arguments: [
      ("melBins: 10", "melBins: 11", "/features/train", "features: melBins 11, not 10"),
      ("states: 1", "states: 2", "/targets/train", "targets: states 2, not 1"),
      ("phones.ctm", "others.ctm", "/targets/train", "path others.ctm, not phones.ctm"),
    ])
  func otherOptions(old: String, new: String, folder: String, expected: String) throws {
    let corpus = try SampleCorpus()
    _ = try experiment(corpus).run(until: .train)
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(recipe.replacing(old, with: new), to: "recipe.yaml")
    let other = try experiment(corpus)
    for work in [{ try other.trainMember(0) }, other.trainMembersAndBaselines, other.distill] {
      let fault = #expect(throws: ExperimentFault.self, performing: work)
      let text = fault?.description ?? ""
      #expect(
        text.hasPrefix(corpus.experimentPath.string + folder) && text.hasSuffix(expected), "\(text)"
      )
    }
  }

  @Test("utterances of another corpus are no account of this one's")
  func otherCorpus() throws {
    let corpus = try SampleCorpus()
    _ = try experiment(corpus).run(until: .train)
    let script = corpus.experimentPath.appending("data/train/wav.scp")
    let text = try TextFile.text(of: script)
    try AtomicFile.write(text.replacing("train-7 ", with: "train-x "), to: script)
    let fault = #expect(throws: ExperimentFault.self) {
      try experiment(corpus).collectLedger(until: .train)
    }
    #expect(
      fault?.description.contains("entries of utterance train-7: expected none, found 1") == true,
      "\(String(describing: fault))")
  }

  @Test("a test set of one utterance has no share of a gain, and its rules say why")
  func oneUtterance() throws {
    let corpus = try SampleCorpus(utterances: ["train": 8, "development": 3, "test": 1])
    _ = try experiment(corpus).run()
    let report = try experiment(corpus).readScores()
    #expect(report.rules.contains("the test set has only one, so there is no interval"))
    #expect(report.comparisons.allSatisfy { !$0.comparison.hasPrefix("share") })
  }

  @Test("audio behind a link is noticed when it changes")
  func linkedAudio() throws {
    let corpus = try SampleCorpus()
    let (link, file) = (corpus.folder.file("audio/test-0.wav"), corpus.folder.file("moved.wav"))
    try FileManager.default.moveItem(atPath: link.string, toPath: file.string)
    try FileManager.default.createSymbolicLink(
      atPath: link.string, withDestinationPath: file.string)
    func frames() throws -> Int? {
      _ = try experiment(corpus).run(until: .features)
      return try FeatureFolder(path: corpus.experimentPath.appending("features/test"))
        .frameCounts()["test-0"]
    }
    #expect(try frames() == 58)
    AudioFixture.write(
      generatedWaveform(count: 8000), to: file, sampleRate: SampleCorpus.sampleRate)
    #expect(try frames() == 98)
  }

  @Test("a training whose record cannot be written keeps its checkpoints")
  func recordFault() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .targets)
    let inTheWay = corpus.experimentPath.appending("stages/member-00.part")
    try FileManager.default.createDirectory(
      atPath: inTheWay.string, withIntermediateDirectories: true)
    #expect(throws: FileFault.self) { try experiment.trainMember(0) }
    let checkpoints = corpus.experimentPath.appending("checkpoints/member-00")
    #expect(try !FileManager.default.contentsOfDirectory(atPath: checkpoints.string).isEmpty)
    try FileManager.default.removeItem(atPath: inTheWay.string)
    try experiment.trainMember(0)
    #expect(!FileManager.default.fileExists(atPath: checkpoints.string))
  }

  @Test("students are distilled of members that were trained one by one, without baselines")
  func stepByStep() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .targets)
    for member in 0..<2 { try experiment.trainMember(member) }
    try experiment.distill()
    let (ledger, _) = try experiment.collectLedger(
      until: .distill, systems: experiment.recipe.systems(of: .distill))
    #expect(ledger.leftOut.isEmpty)
    #expect(throws: FileFault.self) { try experiment.collectLedger(until: .distill) }
  }

  @Test("a run of all stages has its experiment alone, single steps share it")
  func locked() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .targets)
    try experiment.step {
      try experiment.step { try experiment.trainMember(0) }
      let fault = #expect(throws: FileFault.self) { try experiment.run() }
      #expect(fault?.exitStatus == .inputOutput)
    }
    _ = try experiment.run(until: .train)
    let nowhere = try self.experiment(corpus, at: corpus.folder.file("nowhere"))
    #expect(throws: FileFault.missing(path: nowhere.path)) { try nowhere.step {} }
    #expect(!FileManager.default.fileExists(atPath: nowhere.path.string))
  }

  @Test("samples too large for finite features are skipped")
  func notFinite() throws {
    let corpus = try SampleCorpus()
    AudioFixture.write(
      generatedWaveform(count: 4000).map { 1e20 * $0 },
      to: corpus.folder.file("audio/train-5.wav"), format: AudioFixture.float, sampleRate: 8000)
    let (ledger, _) = try experiment(corpus).run(until: .features)
    #expect(ledger.leftOut.map(\.utterance) == ["train-5"])
    #expect(ledger.leftOut.first?.reason?.contains("expected finite features") == true)
  }

  @Test(
    "a part without a usable utterance is a fault that says where to look",
    arguments: [
      ("development", (0..<3).map { "audio/development-\($0).wav" }),
      ("train", ["exp/data/phones.ctm"]),
    ])
  func emptyPart(part: String, emptied: [String]) throws {
    let corpus = try SampleCorpus()
    for file in emptied { try corpus.folder.write("", to: file) }
    let fault = #expect(throws: ExperimentFault.self) { try experiment(corpus).run() }
    guard case .emptyPart(part, _) = fault else {
      Issue.record("expected an empty \(part) set, found \(String(describing: fault))")
      return
    }
  }
}
