import Models
import Corpus
import Distillation
import Evaluation
import Foundation
import LinearAlgebra
import Logging
import Networks
import Experiments
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

/// A reporter that keeps its lines to itself.
let silent = Reporter(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { _ in
}

@Suite("Experiments")
struct ExperimentTests {
  func experiment(
    _ corpus: SampleCorpus, at path: FilePath? = nil, workers: Workers = .one
  ) throws -> Experiment {
    Experiment(
      recipe: try Recipe(path: corpus.recipePath), path: path ?? corpus.experimentPath,
      workers: workers, reporter: silent)
  }

  /// The bytes of every file that an experiment leaves and that is to be repeatable: all but the
  /// scores and TensorBoard's events, which hold rates and times.
  func results(_ path: FilePath) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path.string)
    where !name.hasPrefix("data") && !name.hasPrefix("tensorboard")
      && !["scores.json", "scores.md"].contains(name)
    {
      files[name] = FileManager.default.contents(atPath: path.appending(name).string)
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
    try FileManager.default.createDirectory(
      atPath: second.string, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: corpus.experimentPath.appending("data").string,
      toPath: second.appending("data").string)
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
      try ScoreReport(path: path.appending("scores.json"))
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
        atPath: corpus.experimentPath.appending(name).string)
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
      atPath: corpus.experimentPath.appending("models/member-01.log.jsonl").string)
    try corpus.folder.write("", to: "exp/soft-targets/arithmetic-T2.0/train.ark")
    try corpus.folder.write("", to: "exp/scores.json")
    // As many bytes: the same alignment in another order.
    let turned = FileManager.default.createFile(
      atPath: corpus.experimentPath.appending("targets/train/targets.ark").string,
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
    #expect("\(try #require(fault))".contains("at least one epoch's record"))
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
    let log = try TextFile.lines(
      of: corpus.experimentPath.appending("models/member-00.log.jsonl.part"))
    #expect(log.contains { $0.text.contains("\"epoch\":2,") })
    try corpus.folder.write(recipe, to: "recipe.yaml")
    _ = try self.experiment(corpus).run()
  }

  @Test("targets follow the segments of their recordings")
  func movedSegments() throws {
    let corpus = try SampleCorpus()
    func targets(from start: Double) throws -> Data? {
      for part in ["train", "development", "test"] {
        let script = try TextFile.text(of: corpus.experimentPath.appending("data/\(part)/wav.scp"))
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
    try FileManager.default.removeItem(atPath: corpus.experimentPath.appending("targets").string)
    #expect(first != moved)
    #expect(try targets(from: 0.1) == moved)
  }

  @Test("a data directory that is mended is taken as it is")
  func mendedData() throws {
    let corpus = try SampleCorpus()
    let script = try TextFile.text(of: corpus.experimentPath.appending("data/test/wav.scp"))
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
    let path = corpus.experimentPath.appending("models/student.safetensors")
    var file = try SafetensorsFile(path: path)
    file.tensors["layers.0.bias"] = .init(Array(repeating: 10, count: 12))
    file.tensors["layers.1.weight"] = .init(
      Matrix(rows: 3, columns: 12, values: Array(repeating: 3e38, count: 36)))
    try file.write(to: path)
    let fault = #expect(throws: FileFault.self) {
      try ModelScoring(
        features: FeatureFolder(path: corpus.experimentPath.appending("features/test")),
        targets: TargetFolder(path: corpus.experimentPath.appending("targets/test"))
      ).score(modelPath: path, options: experiment.recipe.scoring)
    }
    #expect("\(try #require(fault))".contains("test-0 that give finite logits"))
    #expect(throws: FileFault.self) { try experiment.score() }
  }

  @Test("recordings start at the corpus's root, and that at the experiment's folder")
  func relativeRoot() throws {
    let corpus = try SampleCorpus()
    for part in ["train", "development", "test"] {
      let path = "exp/data/\(part)/wav.scp"
      let script = try TextFile.text(of: corpus.folder.file(path))
      try corpus.folder.write(
        script.replacing(corpus.folder.file("audio").string + "/", with: ""), to: path)
    }
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe.replacing("test: data/test}", with: "test: data/test, root: ../audio}"),
      to: "recipe.yaml")
    #expect(try experiment(corpus).run(until: .features).ledger.leftOut.isEmpty)
  }

  @Test("a model is scored as the experiment scored it, and refuses other features and classes")
  func scoring() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    let path = corpus.experimentPath
    let student = path.appending("models/student.safetensors")
    func open() throws -> ModelScoring {
      try ModelScoring(
        features: FeatureFolder(path: path.appending("features/test")),
        targets: TargetFolder(path: path.appending("targets/test")))
    }
    let scoring = try open()
    let (score, ledger, _) = try scoring.score(modelPath: student, options: .init())
    #expect(ledger.leftOut.isEmpty)
    let expected = try experiment.readScores().systems.last?.test
    #expect(score.score.accuracy == expected?.accuracy)
    #expect(score.score.extent == expected?.extent)

    try corpus.folder.write("A 0\nSIL 1\nB 2\n", to: "exp/targets/test/classes.txt")
    #expect(throws: FileFault.self) {
      try scoring.score(modelPath: student, options: .init())
    }
    let description = path.appending("features/test/features.json")
    let changed = try TextFile.text(of: description).replacing(
      "\"melBins\" : 10", with: "\"melBins\" : 11")
    try AtomicFile.write(changed, to: description)
    let fault = #expect(throws: ModelFault.self) {
      try open().score(modelPath: student, options: .init())
    }
    #expect(fault?.description.contains("melBins 10, not 11") == true)
  }
}
