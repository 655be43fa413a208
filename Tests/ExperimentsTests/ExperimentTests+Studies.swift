import Models
import Corpus
import Distillation
import Evaluation
import Foundation
import KaldiIO
import LinearAlgebra
import Networks
import Experiments
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

/// Networks that learn from a part of the frames.
extension ExperimentTests {
  private func run(_ corpus: SampleCorpus, _ section: String) throws -> ScoreReport {
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(recipe + section + "\n", to: "recipe.yaml")
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    return try experiment.readScores()
  }

  @Test(
    "networks on a share of the utterances learn from these alone, with and without soft targets")
  func subsets() throws {
    let corpus = try SampleCorpus()
    let small = "{hidden: {layers: 1, units: 8}, training: {epochs: 3, patience: 1}}"
    let report = try run(
      corpus, "subsets: {shares: [0.25, 0.5, 1], seed: 4, soft: \(small), hard: \(small)}")
    let subsets = try #require(report.subsets)
    #expect(
      subsets.map(\.system)
        == [25, 50, 100].flatMap {
          ["subset-\($0)pct-hard", "subset-\($0)pct-soft"]
        })
    // Utterances of the sample have 58 frames each.
    #expect(subsets.map(\.utterances) == [2, 2, 4, 4, 8, 8])
    #expect(subsets.map(\.frames) == [2, 2, 4, 4, 8, 8].map { $0 * 58 })
    for subset in subsets {
      let path = corpus.experimentPath.appending("models/\(subset.system).log.jsonl")
      let log = try TextFile.lines(of: path)
      #expect(log.contains { $0.text.contains("\"frames\":\(subset.frames)") })
    }
    #expect(report.table.contains("| subset-25pct-hard"))
    #expect(subsets.allSatisfy { $0.test.frames == 4 * 58 })
    // Of all utterances, hard targets teach what they teach a baseline of the same options, and soft ones more.
    let whole = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(whole + "students: {same: {student: \(small)}}\n", to: "recipe.yaml")
    _ = try experiment(corpus).run()
    let weights = try ["baseline-same", "subset-100pct-hard", "subset-100pct-soft"].map {
      try AcousticModel(path: corpus.experimentPath.appending("models/\($0).safetensors")).network
        .layers[0].weights.values
    }
    #expect(weights[0] == weights[1] && weights[0] != weights[2])
  }

  @Test(
    "a student that lacks a class has not one of its frames, and its biases are set on the development set"
  )
  func missingClass() throws {
    let corpus = try SampleCorpus()
    let student = "{hidden: {layers: 1, units: 12}, training: {epochs: 2, batchSize: 32}}"
    let report = try run(corpus, "missingClass: {label: A, student: \(student)}")
    let missing = try #require(report.missingClass)
    #expect(
      missing.systems.map(\.system) == ["student", "missing-A", "missing-A, biases set"])
    #expect(Set(missing.systems.map(\.ofLabel.frames)).count == 1)
    // The frames of A are neither counted nor learnt from; those of the others are.
    let log = try TextFile.lines(of: corpus.experimentPath.appending("models/missing-A.log.jsonl"))
    let all = 8 * 58
    let frames = try log.compactMap { line in
      try JSONDecoder().decode(FrameCount.self, from: Data(line.text.utf8)).frames
    }
    #expect(frames.count == 2 && frames.allSatisfy { $0 == frames[0] && $0 > all / 2 && $0 < all })
    let own = missing.systems.map(\.ofAll.accuracy)
    let whole = try #require(report.systems.first { $0.system == "student" })
    #expect(own[0] == whole.test.accuracy)
    #expect(report.table.contains("| missing-A, biases set"))
  }

  private struct FrameCount: Decodable {
    let frames: Int?
  }

  @Test(
    "what cannot be studied is named",
    arguments: [
      ("subsets: {shares: [0], soft: {}, hard: {}}", "shares: expected shares above 0"),
      ("subsets: {shares: [0.1]}", "the option subsets.soft"),
      ("missingClass: {label: A}", "the option missingClass.student"),
    ])
  func studyFaults(section: String, expected: String) throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    let path = try corpus.folder.write(recipe + section + "\n", to: "recipe.yaml")
    let fault = #expect(throws: FileFault.self) { try Recipe(path: path) }
    #expect("\(try #require(fault))".contains(expected))
  }

  @Test("members that lack a fold label it, and the accounts know what each was trained on")
  func folds() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    _ = try experiment(corpus).run()
    let plain = try results(corpus.experimentPath)
    try corpus.folder.write(
      recipe.replacing("  members: 2", with: "  members: 2\n  folds: 2"), to: "recipe.yaml")
    _ = try experiment(corpus).run()
    let own = try results(corpus.experimentPath)
    // Half of 8 utterances for each member, all for the baseline.
    for (system, count) in [("member-00", 4), ("member-01", 4), ("baseline", 8), ("student", 8)] {
      let path = corpus.experimentPath.appending("models/\(system).log.jsonl")
      let log = try TextFile.lines(of: path)
      #expect(log.contains { $0.text.contains("\"frames\":\(count * 58),") }, "\(system)")
    }
    #expect(own["models/baseline.safetensors"] == plain["models/baseline.safetensors"])
    // The soft targets of an utterance are those of the one member that does not know it.
    let folds = try #require(try Folds(experiment: corpus.experimentPath))
    let stored = try MatrixArchive(
      path: corpus.experimentPath.appending("soft-targets/arithmetic-T2.0/train.ark"))
    let features = try MatrixArchive(
      path: corpus.experimentPath.appending("features/train/feats.ark"))
    for (entry, source) in zip(stored.entries, features.entries) {
      let member = folds.isTrained(member: 0, on: entry.key) ? 1 : 0
      let model = try AcousticModel(
        path: corpus.experimentPath.appending("models/member-0\(member).safetensors"))
      let (targets, frames) = (
        SharedMatrix(rows: entry.rows, columns: entry.columns),
        SharedMatrix(rows: source.rows, columns: source.columns)
      )
      try stored.read(0..<entry.rows, of: entry, into: targets.tile)
      try features.read(0..<source.rows, of: source, into: frames.tile)
      var expected = model.logits(of: frames.matrix)
      expected.replaceRowsBySoftmax(temperature: 2)
      let found = targets.values.map { exp($0) }
      #expect(mismatch(found, expected.values, absolute: 1e-4) == nil)
    }
    // Without folds again, everything is as it was.
    try corpus.folder.write(recipe, to: "recipe.yaml")
    _ = try experiment(corpus).run()
    #expect(try results(corpus.experimentPath) == plain)
  }

  @Test("folds are of utterances that have targets, and of as many as folds at least")
  func foldsOfJoined() throws {
    let corpus = try SampleCorpus(utterances: ["train": 4, "development": 1, "test": 1])
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe.replacing("  members: 2", with: "  members: 2\n  folds: 2"), to: "recipe.yaml")
    try corpus.folder.write(
      "train-0 a\ntrain-1 a\ntrain-2 b\ntrain-3 b\n", to: "exp/data/train/utt2spk")
    let ctm = try TextFile.text(of: corpus.experimentPath.appending("data/phones.ctm"))
    func keep(_ prefixes: [String]) throws {
      let lines = ctm.split(separator: "\n").filter { line in
        prefixes.contains { line.hasPrefix($0) }
      }
      try corpus.folder.write(lines.joined(separator: "\n"), to: "exp/data/phones.ctm")
    }
    // Speaker b has no targets, so that speakers are fewer than folds.
    try keep(["train-0", "train-1", "dev", "test"])
    #expect(try experiment(corpus).run().ledger.leftOut.map(\.utterance) == ["train-2", "train-3"])
    try keep(["train-0", "dev", "test"])
    let fault = #expect(throws: FileFault.self) { try self.experiment(corpus).run() }
    #expect(
      "\(try #require(fault))".contains("at least one utterance for each of 2 folds, found 1"))
  }

  @Test("shares whose networks would have one name are refused")
  func equalShares() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    let path = try corpus.folder.write(
      recipe + "subsets: {shares: [0.333333331, 0.333333332], soft: {}, hard: {}}\n",
      to: "recipe.yaml")
    let fault = #expect(throws: FileFault.self) { try Recipe(path: path) }
    #expect("\(try #require(fault))".contains("shares that differ in six digits"))
  }

  @Test("speakers stay whole in their fold, and no fold is left empty")
  func foldsOfSpeakers() {
    let utterances = (0..<30).map { "u\($0)" }
    let speakers = Dictionary(
      uniqueKeysWithValues: utterances.enumerated().map { ($1, "s\($0 % 7)") })
    let folds = Folds(utterances: utterances, speakers: speakers, count: 3, seed: 5)
    for member in 0..<3 {
      let missing = utterances.filter { !folds.isTrained(member: member, on: $0) }
      let people = Set(missing.compactMap { speakers[$0] })
      #expect(!missing.isEmpty && (2...3).contains(people.count))
      #expect(missing == utterances.filter { people.contains(speakers[$0] ?? "") })
      // Member 4 has the fold of member 1.
      #expect(missing == utterances.filter { !folds.isTrained(member: member + 3, on: $0) })
    }
    // What is in no fold is known to no member.
    #expect((0..<3).allSatisfy { !folds.isTrained(member: $0, on: "another") })
    // Fewer speakers than folds: by utterances.
    let one = Dictionary(uniqueKeysWithValues: utterances.map { ($0, "s") })
    let byUtterance = Folds(utterances: utterances, speakers: one, count: 3, seed: 5)
    for member in 0..<3 {
      #expect(utterances.count { !byUtterance.isTrained(member: member, on: $0) } == 10)
    }
  }

  @Test("a label that the targets lack is named with those they have")
  func unknownLabel() throws {
    let corpus = try SampleCorpus()
    let fault = #expect(throws: OptionFault.self) {
      try run(corpus, "missingClass: {label: AA, student: {}}")
    }
    #expect(
      "\(try #require(fault))"
        == "missingClass.label: expected a label of the targets, such as A, found AA")
    // Nothing was trained for it.
    let models = corpus.experimentPath.appending("models")
    #expect(
      !FileManager.default.fileExists(atPath: models.appending("member-00.safetensors").string))
  }
}
