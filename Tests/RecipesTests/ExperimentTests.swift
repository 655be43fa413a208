import Corpus
import Evaluation
import Foundation
import LinearAlgebra
import Logging
import Recipes
import Storage
import TestSupport
import Testing
import Training

/// A reporter that keeps its lines to itself.
private let silent = Reporter(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { _ in
}

@Suite("Experiments")
struct ExperimentTests {
  private func experiment(
    _ corpus: SampleCorpus, at path: String? = nil, workers: Workers = .one
  ) throws -> Experiment {
    Experiment(
      recipe: try Recipe(path: corpus.recipePath), path: path ?? corpus.experimentPath,
      workers: workers, reporter: silent)
  }

  /// The bytes of every file that an experiment leaves and that is to be repeatable: all but the
  /// scores, which hold rates.
  private func results(_ path: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path)
    where !name.hasPrefix("data") && name != "scores.json" {
      files[name] = FileManager.default.contents(atPath: path + "/" + name)
    }
    return files
  }

  @Test("all stages run, every system is scored, and every frame is accounted for")
  func allStages() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    let (ledger, utterances) = try experiment.run()
    #expect(ledger.leftOut.isEmpty)
    #expect(utterances == 15)
    let report = try experiment.readScores()
    #expect(
      report.systems.map(\.system) == [
        "member-00", "member-01", "members", "ensemble", "baseline", "student",
      ])
    // 4 utterances of 0.6 s: 58 frames each.
    #expect(report.systems.allSatisfy { $0.test.frames == 4 * 58 && $0.test.utterances == 4 })
    let mean = report.systems[0...1].reduce(0) { $0 + $1.test.accuracy } / 2
    #expect(mismatch(report.systems[2].test.accuracy, mean, absolute: 1e-12) == nil)
    #expect(report.systems[3].parameters == 2 * report.systems[0].parameters)
    let gain = try #require(report.comparisons.first { $0.comparison == "student - baseline" })
    #expect(
      mismatch(
        gain.value, report.systems[5].test.accuracy - report.systems[4].test.accuracy,
        absolute: 1e-12) == nil)
  }

  @Test("the same bytes, on one thread and on two, in another folder, interrupted or not")
  func sameBytes() throws {
    let corpus = try SampleCorpus()
    _ = try experiment(corpus).run()
    let first = try results(corpus.experimentPath)

    let second = corpus.folder.file("second")
    try FileManager.default.createDirectory(atPath: second, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: corpus.experimentPath + "/data", toPath: second + "/data")
    let other = try experiment(corpus, at: second, workers: Workers(count: 2))
    // As if it had been killed: once after a stage, once with a half-written model.
    _ = try other.run(until: .targets)
    try other.trainMember(1)
    try corpus.folder.write("half", to: "second/models/member-00.safetensors.part")
    _ = try other.run()

    let found = try results(second)
    #expect(found.keys.sorted() == first.keys.sorted())
    for (name, bytes) in first where !name.hasSuffix(".scp") {
      #expect(found[name] == bytes, "\(name)")
    }
    // Of the scores, all but the rates.
    let scores = try [corpus.experimentPath, second].map { path in
      try ScoreReport(path: path + "/scores.json")
    }
    #expect(scores[0].systems.map(\.test) == scores[1].systems.map(\.test))
    #expect(scores[0].systems.map(\.development) == scores[1].systems.map(\.development))
    #expect(scores[0].comparisons == scores[1].comparisons)
  }

  @Test("what is fresh is kept; what depends on a change is made again")
  func freshness() throws {
    let corpus = try SampleCorpus()
    _ = try experiment(corpus).run()
    func changed(_ name: String) throws -> Date? {
      try FileManager.default.attributesOfItem(
        atPath: corpus.experimentPath + "/" + name)[.modificationDate] as? Date
    }
    let names = [
      "features/train/feats.ark", "targets/test/targets.ark", "models/member-00.safetensors",
      "models/baseline.safetensors", "soft-targets/train.ark", "models/student.safetensors",
      "scores.json",
    ]
    let before = try names.map(changed)
    _ = try experiment(corpus).run()
    #expect(try names.map(changed) == before)

    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(recipe + "distillation: {temperature: 5}\n", to: "recipe.yaml")
    _ = try experiment(corpus).run()
    let after = try names.map(changed)
    let isNew = zip(before, after).map { $0 != $1 }
    #expect(isNew == [false, false, false, false, true, true, true])
  }

  @Test("faulty utterances are named, each with its reason, and the rest is done")
  func faultyUtterances() throws {
    let corpus = try SampleCorpus()
    let data = corpus.experimentPath + "/data"
    // train-0 is empty, train-1 has another rate, train-2 no alignment, train-3 is too short.
    try corpus.folder.write("", to: "audio/train-0.wav")
    AudioFixture.write(
      generatedWaveform(count: 9000), to: corpus.folder.file("audio/train-1.wav"),
      sampleRate: 16000)
    AudioFixture.write(
      generatedWaveform(count: 199), to: corpus.folder.file("audio/train-3.wav"), sampleRate: 8000)
    let ctm = try TextFile.text(of: data + "/phones.ctm")
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
    #expect(try Ledger(path: corpus.experimentPath + "/ledger.jsonl") == ledger)
  }

  @Test(
    "features and targets that do not join are in the ledger, also when the stages are run apart")
  func unjoined() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .targets)
    // Targets of an utterance without features, one with too few labels, and none for the others.
    let archive = corpus.experimentPath + "/targets/test/targets.ark"
    try corpus.folder.write(
      "test-0 \(Array(repeating: "0", count: 58).joined(separator: " "))\ntest-1 0 1\nelse 0\n",
      to: "exp/targets/test/targets.ark")
    #expect(FileManager.default.fileExists(atPath: archive))
    try experiment.trainMembersAndBaseline()
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

  @Test("features that are not the recipe's are refused before anything is trained on them")
  func otherFeatures() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .targets)
    let path = corpus.experimentPath + "/features/development/features.json"
    let text = try TextFile.text(of: path)
    try AtomicFile.write(text.replacing("\"povey\"", with: "\"hann\""), to: path)
    let fault = #expect(throws: ExperimentFault.self) { try experiment.trainMember(0) }
    #expect(fault?.description.hasSuffix("window povey, not hann") == true)
  }

  @Test("samples too large for finite features are left out")
  func notFinite() throws {
    let corpus = try SampleCorpus()
    AudioFixture.write(
      generatedWaveform(count: 4000).map { 1e20 * $0 },
      to: corpus.folder.file("audio/train-5.wav"), format: AudioFixture.float, sampleRate: 8000)
    let (ledger, _) = try experiment(corpus).run(until: .features)
    #expect(ledger.leftOut.map(\.utterance) == ["train-5"])
    #expect(ledger.leftOut.first?.reason?.contains("expected finite features") == true)
  }

  @Test("a part without a usable utterance is a fault that says where to look")
  func emptyPart() throws {
    let corpus = try SampleCorpus()
    for number in 0..<3 { try corpus.folder.write("", to: "audio/development-\(number).wav") }
    let fault = #expect(throws: ExperimentFault.self) { try experiment(corpus).run() }
    guard case .emptyPart("development", _) = fault else {
      Issue.record("expected an empty part, found \(String(describing: fault))")
      return
    }
  }

  @Test("a model is scored as the experiment scored it, and refuses other features and classes")
  func scoring() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    let path = corpus.experimentPath
    let student = path + "/models/student.safetensors"
    let scoring = ModelScoring(
      features: FeatureFolder(path: path + "/features/test"),
      targets: TargetFolder(path: path + "/targets/test"))
    let (score, ledger) = try scoring.score(modelPath: student, options: .init())
    #expect(ledger.leftOut.isEmpty)
    let expected = try experiment.readScores().systems.last?.test
    #expect(score.accuracy == expected?.accuracy)

    try corpus.folder.write("A 0\nSIL 1\nB 2\n", to: "exp/targets/test/classes.txt")
    #expect(throws: ExperimentFault.self) {
      try scoring.score(modelPath: student, options: .init())
    }
    let description = path + "/features/test/features.json"
    let changed = try TextFile.text(of: description).replacing(
      "\"melBins\" : 10", with: "\"melBins\" : 11")
    try AtomicFile.write(changed, to: description)
    let fault = #expect(throws: ModelFault.self) {
      try scoring.score(modelPath: student, options: .init())
    }
    #expect(fault?.description.contains("melBins 10, not 11") == true)
  }
}
