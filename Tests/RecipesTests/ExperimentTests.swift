import Corpus
import Evaluation
import Foundation
import LinearAlgebra
import Logging
import Networks
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
  func experiment(
    _ corpus: SampleCorpus, at path: String? = nil, workers: Workers = .one
  ) throws -> Experiment {
    Experiment(
      recipe: try Recipe(path: corpus.recipePath), path: path ?? corpus.experimentPath,
      workers: workers, reporter: silent)
  }

  /// The bytes of every file that an experiment leaves and that is to be repeatable: all but the
  /// scores and TensorBoard's events, which hold rates and times.
  func results(_ path: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path)
    where !name.hasPrefix("data") && !name.hasPrefix("tensorboard") && name != "scores.json" {
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
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe + """
        augmentation: {copies: 2, speed: [0.9, 1.1], volume: 3, signalToNoise: [10, 20], timeMasks: 1,
                       frequencyMasks: 1}

        """, to: "recipe.yaml")
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
    func changed(_ name: String) -> Date? {
      let facts = try? FileManager.default.attributesOfItem(
        atPath: corpus.experimentPath + "/" + name)
      return facts?[.modificationDate] as? Date
    }
    let names = [
      "features/train/feats.ark", "targets/test/targets.ark", "models/member-00.safetensors",
      "models/baseline.safetensors", "soft-targets/arithmetic-T2.0/train.ark",
      "soft-targets/arithmetic-T5.0/train.ark", "models/student.safetensors", "scores.json",
    ]
    let before = names.map(changed)
    #expect(before.map { $0 == nil } == [false, false, false, false, false, true, false, false])
    _ = try experiment(corpus).run()
    #expect(names.map(changed) == before)

    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(recipe + "distillation: {temperature: 5}\n", to: "recipe.yaml")
    _ = try experiment(corpus).run()
    let after = names.map(changed)
    let isNew = zip(before, after).map { $0 != $1 }
    #expect(isNew == [false, false, false, false, false, true, true, true])
  }

  @Test("results that were changed, or emptied, are made again")
  func changedResults() throws {
    let corpus = try SampleCorpus()
    _ = try experiment(corpus).run()
    let before = try results(corpus.experimentPath)
    let targets = try #require(before["targets/train/targets.ark"])
    try FileManager.default.removeItem(
      atPath: corpus.experimentPath + "/models/member-01.log.jsonl")
    try corpus.folder.write("", to: "exp/soft-targets/arithmetic-T2.0/train.ark")
    try corpus.folder.write("", to: "exp/scores.json")
    // As many bytes: the same alignment in another order.
    let turned = FileManager.default.createFile(
      atPath: corpus.experimentPath + "/targets/train/targets.ark",
      contents: Data(targets.dropLast()) + [UInt8(targets.last == 0 ? 1 : 0)])
    #expect(turned)
    _ = try experiment(corpus).run()
    let after = try results(corpus.experimentPath)
    for (name, bytes) in before where !name.hasSuffix(".log.jsonl") && !name.hasPrefix("stages") {
      #expect(after[name] == bytes, "\(name)")
    }
    #expect(after["models/member-01.log.jsonl"] != nil)
    _ = try experiment(corpus).readScores()
    // Without a record of an epoch nobody knows what a network was trained on.
    try corpus.folder.write("", to: "exp/models/member-01.log.jsonl")
    let fault = #expect(throws: FileFault.self) { try self.experiment(corpus).run() }
    #expect("\(try #require(fault))".contains("a record of an epoch at least"))
  }

  @Test("a training that diverged late does not stand in the way of a better recipe")
  func lateDivergence() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    // The rate rises by 0.01 a step, and an epoch has 15.
    try corpus.folder.write(
      recipe.replacing(
        "training: {epochs: 2, batchSize: 32, dropout: 0.1}",
        with:
          "training: {epochs: 300, batchSize: 32, schedule: constant, learningRate: 10000, warmUp: 1000000}"
      ), to: "recipe.yaml")
    let experiment = Experiment(
      recipe: try Recipe(path: corpus.recipePath), path: corpus.experimentPath, workers: .one,
      checkpointPause: .zero, reporter: silent)
    let fault = #expect(throws: ExperimentFault.self) { try experiment.run() }
    guard case .training(let system, let cause) = fault else {
      Issue.record("another fault: \(String(describing: fault))")
      return
    }
    #expect(system.hasPrefix("member") && cause.isDivergence)
    let log = try TextFile.lines(of: corpus.experimentPath + "/models/member-00.log.jsonl.part")
    #expect(log.contains { $0.text.contains("\"epoch\":2,") })
    try corpus.folder.write(recipe, to: "recipe.yaml")
    _ = try self.experiment(corpus).run()
  }

  @Test("targets follow the segments of their recordings")
  func movedSegments() throws {
    let corpus = try SampleCorpus()
    func targets(from start: Double) throws -> Data? {
      for part in ["train", "development", "test"] {
        let script = try TextFile.text(of: "\(corpus.experimentPath)/data/\(part)/wav.scp")
        let segments = script.split(separator: "\n").map { line in
          let id = line.prefix { $0 != " " }
          return "\(id)-part \(id) \(start) \(start + 0.3)\n"
        }
        try corpus.folder.write(segments.joined(), to: "exp/data/\(part)/segments")
      }
      _ = try experiment(corpus).run(until: .targets)
      return try results(corpus.experimentPath)["targets/train/targets.ark"]
    }
    let (first, moved) = (try targets(from: 0), try targets(from: 0.1))
    try FileManager.default.removeItem(atPath: corpus.experimentPath + "/targets")
    #expect(first != moved)
    #expect(try targets(from: 0.1) == moved)
  }

  @Test("a data directory that is mended is taken as it is")
  func mendedData() throws {
    let corpus = try SampleCorpus()
    let script = try TextFile.text(of: corpus.experimentPath + "/data/test/wav.scp")
    func leftOut() throws -> [String] {
      let (ledger, utterances) = try experiment(corpus).run(until: .targets)
      #expect(utterances == 15 + ledger.leftOut.count)
      return ledger.leftOut.map(\.utterance)
    }
    try corpus.folder.write(script + "test-9 true |\n", to: "exp/data/test/wav.scp")
    #expect(try leftOut() == ["test-9"])
    try corpus.folder.write(script, to: "exp/data/test/wav.scp")
    #expect(try leftOut() == [])
    try corpus.folder.write(script + "test-9 true |\n", to: "exp/data/test/wav.scp")
    #expect(try leftOut() == ["test-9"])
  }

  @Test("logits too large for a number are a fault of the utterance, in scores and in soft targets")
  func infiniteLogits() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    let path = corpus.experimentPath + "/models/student.safetensors"
    var file = try SafetensorsFile(path: path)
    file.tensors["layers.0.bias"] = .init(Array(repeating: 10, count: 12))
    file.tensors["layers.1.weight"] = .init(
      Matrix(rows: 3, columns: 12, values: Array(repeating: 3e38, count: 36)))
    try file.write(to: path)
    let fault = #expect(throws: FileFault.self) {
      try ModelScoring(
        features: FeatureFolder(path: corpus.experimentPath + "/features/test"),
        targets: TargetFolder(path: corpus.experimentPath + "/targets/test")
      ).score(modelPath: path, options: experiment.recipe.scoring)
    }
    #expect("\(try #require(fault))".contains("test-0 of which networks make finite logits"))
    #expect(throws: FileFault.self) { try experiment.score() }
  }

  @Test("recordings start at the corpus's root, and that at the experiment's folder")
  func relativeRoot() throws {
    let corpus = try SampleCorpus()
    for part in ["train", "development", "test"] {
      let path = "exp/data/\(part)/wav.scp"
      let script = try TextFile.text(of: corpus.folder.file(path))
      try corpus.folder.write(
        script.replacing(corpus.folder.file("audio") + "/", with: ""), to: path)
    }
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe.replacing("test: data/test}", with: "test: data/test, root: ../audio}"),
      to: "recipe.yaml")
    #expect(try experiment(corpus).run(until: .features).ledger.leftOut.isEmpty)
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
      let ids = try DataDirectory(path: corpus.experimentPath + "/data/\(part)").utterances
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
    let info = try Description(of: corpus.experimentPath).text
    #expect(
      info.contains(
        """
        | part        | stage    | utterances | left out | frames | frames left out | hours |
        | ----------- | -------- | ---------: | -------: | -----: | --------------: | ----: |
        | train       | data     |          8 |        0 |        |                 |       |
        | train       | features |          7 |        1 |    406 |               0 | 0.001 |
        | train       | targets  |          7 |        0 |    406 |               0 | 0.001 |
        | train       | train    |          7 |        0 |    406 |               0 | 0.001 |
        """))
    #expect(
      info.contains(
        "| test        | score    |          4 |        0 |    232 |               0 | 0.001 |"))
    #expect(info.contains("test: 232 frames of 4 utterances by 4 speakers."))
  }

  @Test("a frame that is neither scored nor left out with a reason makes the run fail")
  func unaccounted() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    func fault(_ file: String, _ change: (String) -> String) throws -> String? {
      let path = corpus.experimentPath + "/" + file
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
    #expect(unknown?.contains("test: utterances: expected 5, found 4") == true)
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
    let path = corpus.experimentPath + "/ledger.jsonl"
    let lines = try TextFile.text(of: path).split(separator: "\n")
    func info(_ kept: [Substring]) throws -> String? {
      try AtomicFile.write(kept.map { $0 + "\n" }.joined(), to: path)
      do { return try Description(of: corpus.experimentPath).text } catch { return "\(error)" }
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
      #expect(text.hasPrefix(corpus.experimentPath + folder) && text.hasSuffix(expected), "\(text)")
    }
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
    #expect(!FileManager.default.fileExists(atPath: nowhere.path))
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
    #expect(score.score.accuracy == expected?.accuracy)
    #expect(score.score.extent == expected?.extent)

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
