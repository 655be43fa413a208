import Features
import KaldiIO
import Models
import Corpus
import Distillation
import Evaluation
import Foundation
import Networks
import Experiments
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

/// Who learns from perturbed copies, and what.
extension ExperimentTests {
  @Test("copies that are too short are no utterances that were skipped")
  func shortCopies() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    // 25 ms are a frame, at twice the speed half a frame.
    AudioFixture.write(
      generatedWaveform(count: 240), to: corpus.folder.file("audio/train-0.wav"), sampleRate: 8000)
    let ctm = try TextFile.text(of: corpus.experimentPath.appending("data/phones.ctm"))
    try corpus.folder.write(
      ctm.split(separator: "\n").filter { !$0.hasPrefix("train-0") }.joined(separator: "\n")
        + "\ntrain-0 1 0 0.03 A\n", to: "exp/data/phones.ctm")
    try corpus.folder.write(
      recipe + "augmentation: {copies: 2, speed: [2]}\n", to: "recipe.yaml")
    let (ledger, _) = try experiment(corpus).run()
    #expect(ledger.leftOut.map(\.utterance) == ["train-0", "train-0"])
    #expect(ledger.withoutCopies.leftOut.isEmpty)
    #expect(ledger.withoutCopies.entries.count { $0.stage == .features } == 15)
  }

  @Test("students learn from perturbed copies, which the ensemble labels")
  func augmentation() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    func run(_ options: String) throws -> [String: Data] {
      try corpus.folder.write(recipe + "augmentation: {\(options)}\n", to: "recipe.yaml")
      let (ledger, utterances) = try experiment(corpus).run()
      #expect(ledger.leftOut.isEmpty && utterances == 15)
      return try results(corpus.experimentPath)
    }
    let frames = { (name: String) in
      try FeatureFolder(path: corpus.experimentPath.appending("features/\(name)")).frameCounts()
    }
    let slow = try run("copies: 2, speed: [0.5]")
    // 0.6 s are 58 frames, 1.2 s are 118.
    #expect(try frames("train").values.allSatisfy { $0 == 58 })
    #expect(try frames("train-copy-1").values.allSatisfy { $0 == 118 })
    #expect(try frames("train-copy-1").keys.sorted() == frames("train").keys.sorted())
    let log = try TextFile.lines(of: corpus.experimentPath.appending("models/student.log.jsonl"))
    #expect(log.contains { $0.text.contains("\"frames\":\(8 * (58 + 2 * 118))") })
    // A search may do without copies.
    try corpus.folder.write(
      recipe + """
        augmentation: {copies: 2, speed: [0.5]}
        search: {temperatures: [2], hardWeights: [0], copies: 0}

        """, to: "recipe.yaml")
    _ = try experiment(corpus).run()
    let tried = try TextFile.lines(
      of: corpus.experimentPath.appending("models/search-arithmetic-T2.0-L0.0.log.jsonl"))
    #expect(tried.contains { $0.text.contains("\"frames\":\(8 * 58)") })
    // Without perturbation a copy has the utterance's own features and soft targets.
    let same = try run("copies: 1, speed: [1]")
    #expect(same["features/train-copy-1/feats.ark"] == same["features/train/feats.ark"])
    let softTargets = "soft-targets/arithmetic-T2.0"
    #expect(same["\(softTargets)/train-copy-1.ark"] == same["\(softTargets)/train.ark"])
    // Members and baseline do not see the copies.
    for name in ["member-00", "baseline"] {
      #expect(slow["models/\(name).safetensors"] == same["models/\(name).safetensors"])
    }
    #expect(slow["models/student.safetensors"] != same["models/student.safetensors"])
    // Students are not taught by copies of another recipe, nor taken for fresh with them.
    try corpus.folder.write(
      recipe + "augmentation: {copies: 1, speed: [1.5]}\n", to: "recipe.yaml")
    let fault = #expect(throws: ExperimentFault.self) { try experiment(corpus).distill() }
    #expect(fault?.description.contains("features/train-copy-1: expected the recipe's") == true)
    // Noise, and masks, each change the features alone.
    let noisy = try run("copies: 1, speed: [1], signalToNoise: [0, 0]")
    let masked = try run("copies: 1, speed: [1], frequencyMasks: 3")
    for other in [noisy, masked] {
      let (found, plain) = (
        other["features/train-copy-1/feats.ark"], same["features/train/feats.ark"]
      )
      #expect(found?.count == plain?.count && found != plain)
    }
  }

  @Test("members and baselines learn from the classes of copies where the recipe says so")
  func copiesWithClasses() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    func run(_ learners: String) throws -> [String: Data] {
      try corpus.folder.write(
        recipe + """
          augmentation: {copies: 2, speed: [0.5], for: [\(learners)]}
          baselineSearch: {copies: [0, 2]}

          """, to: "recipe.yaml")
      #expect(try experiment(corpus).run().ledger.leftOut.isEmpty)
      return try results(corpus.experimentPath)
    }
    func frames(_ system: String) throws -> Bool {
      try TextFile.lines(of: corpus.experimentPath.appending("models/\(system).log.jsonl"))
        .contains { $0.text.contains("\"frames\":\(8 * (58 + 2 * 118))") }
    }
    let first = try run("members")
    #expect(try frames("member-00") && frames("member-01") && !frames("student"))
    let trials = first.keys.filter { $0.hasPrefix("models/search-baseline-") }
    #expect(trials.count { $0.contains("-c2.") } == 2 && trials.count == 4)
    let report = try BaselineSearchReport(path: experiment(corpus).baselineSearchPath)
    #expect(report.points.map { $0.copies ?? 0 } == [0, 2])
    #expect(report.table.rows[0].contains("copies"))
    // Half as fast: two frames of the copy come from each frame.
    let targets = try ["train", "train-copy-1"].map {
      try IntegerArchive(path: corpus.experimentPath.appending("targets/\($0)/targets.ark"))
    }
    let grid = FrameGrid(sampleRate: 8000, frameLength: 25, frameShift: 10)
    for (own, copy) in zip(targets[0].entries, targets[1].entries) {
      #expect(own.key == copy.key && own.count == 58 && copy.count == 118)
      let (labels, copied) = (
        try targets[0].read(0..<58, of: own), try targets[1].read(0..<118, of: copy)
      )
      #expect(
        copied
          == (0..<118).map { labels[grid.source(ofFrame: $0, atSpeed: 0.5, count: 58)] })
      #expect(Set(copied) == Set(labels))
    }
    let second = try run("members, students")
    #expect(second["models/member-00.safetensors"] == first["models/member-00.safetensors"])
    #expect(try frames("student"))
    // A copy of another recipe is not learnt from.
    let info = try Description(of: corpus.experimentPath.string).text
    #expect(info.contains("train-copy-2"))
  }

  @Test("a member learns from no copy of an utterance of its fold")
  func foldedCopies() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe.replacing("  members: 2", with: "  members: 2\n  folds: 2")
        + "augmentation: {copies: 1, speed: [0.5], for: [members]}\n", to: "recipe.yaml")
    #expect(try Recipe(path: corpus.recipePath).ensemble.folds == 2)
    _ = try experiment(corpus).run()
    for member in ["member-00", "member-01"] {
      let log = try TextFile.lines(
        of: corpus.experimentPath.appending("models/\(member).log.jsonl"))
      #expect(log.contains { $0.text.contains("\"frames\":\(4 * (58 + 118))") })
    }
  }

  @Test("the copies of a speaker's utterances are as fast as each other, by utt2spk")
  func speakerCopies() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    let speakers = (0..<8).map { (utterance: "train-\($0)", speaker: "speaker-\($0 / 2)") }
    try corpus.folder.write(
      speakers.map { "\($0.utterance) \($0.speaker)\n" }.joined(), to: "exp/data/train/utt2spk")
    try corpus.folder.write(
      recipe + "augmentation: {copies: 2, speed: [0.5, 1]}\n", to: "recipe.yaml")
    _ = try experiment(corpus).run(until: .features)
    let copies = try (1...2).map {
      try FeatureFolder(path: corpus.experimentPath.appending("features/train-copy-\($0)"))
        .frameCounts()
    }
    for (_, own) in Dictionary(grouping: speakers, by: \.speaker) {
      let frames = copies.map { copy in Set(own.map { copy[$0.utterance] }) }
      #expect(frames.allSatisfy { $0.count == 1 })
      // Half as fast is 118 frames, and the other copy takes the other speed.
      #expect(frames[0].union(frames[1]) == [58, 118])
    }
  }
}
