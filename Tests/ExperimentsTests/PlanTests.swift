import Corpus
import Experiments
import Foundation
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

/// The plan of a recipe: what is fresh, and what is to be done.
extension ExperimentTests {
  /// The steps of each state.
  private func steps(_ plan: PlanReport, _ state: PlanReport.State) -> [String] {
    plan.steps.filter { $0.state == state }.map(\.step)
  }

  @Test("a plan is made from the recipe alone, and each step stands after those that it needs")
  func planOfNothing() throws {
    let corpus = try SampleCorpus()
    let nowhere = corpus.folder.file("nowhere")
    let plan = try experiment(corpus, at: nowhere).plan()
    #expect(!FileManager.default.fileExists(atPath: nowhere.string))
    #expect(
      plan.steps.map(\.step) == [
        "features/train", "features/development", "features/test", "targets/train",
        "targets/development", "targets/test", "member-00", "member-01", "baseline",
        "soft-targets/arithmetic-T2.0/train", "student", "scores",
      ])
    #expect(plan.steps.allSatisfy { $0.state == .toDo && $0.framesToGo == nil })
    #expect(plan.steps[0].fault?.hasSuffix("wav.scp: no such file") == true)
    for (place, step) in plan.steps.enumerated() {
      let before = Set(plan.steps[..<place].map(\.step))
      #expect(before.isSuperset(of: step.needs), "\(step.step)")
    }
    let student = try #require(plan.steps.first { $0.step == "student" })
    #expect(student.needs.contains("soft-targets/arithmetic-T2.0/train"))
    #expect(student.stage == "distill")
  }

  @Test("what is done is fresh, and of a change only what depends on it is to be done")
  func planOfChange() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .targets)
    let begun = try experiment.plan()
    #expect(steps(begun, .fresh).count == 6)
    // Two passes over 8 utterances of 58 frames.
    #expect(begun.steps.first { $0.step == "member-00" }?.framesToGo == 2 * 8 * 58)
    _ = try experiment.run()
    let done = try experiment.plan()
    #expect(steps(done, .fresh).count == done.steps.count && done.framesToGo == 0)
    #expect(
      done.steps.first { $0.step == "student" }?.makes == [
        "models/student.safetensors", "models/student.log.jsonl",
      ])
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe + "distillation: {temperature: 3, hardWeight: 0.5}\n", to: "recipe.yaml")
    #expect(
      steps(try self.experiment(corpus).plan(), .toDo) == [
        "soft-targets/arithmetic-T3.0/train", "student", "scores",
      ])
  }

  @Test(
    "a change of averaging or of the soft term concerns the networks that have it, for any threads",
    arguments: [
      ("student.training.averaging={decay: 0.9}", ["baseline", "student", "scores"]),
      ("distillation={logits: standardized, decoupled: {beta: 2}}", ["student", "scores"]),
      (
        "ensemble.training.averaging={epochs: 2}",
        ["member-00", "member-01", "soft-targets/arithmetic-T2.0/train", "student", "scores"]
      ),
    ])
  func planOfOptions(setting: String, changed: [String]) throws {
    let corpus = try SampleCorpus()
    _ = try experiment(corpus).run()
    let before = try results(corpus.experimentPath)
    let second = corpus.folder.file("second")
    try FileManager.default.copyItem(
      atPath: corpus.experimentPath.string, toPath: second.string)
    let recipe = try Recipe(path: corpus.recipePath, settings: [setting]).text
    try corpus.folder.write(recipe, to: "recipe.yaml")
    #expect(steps(try experiment(corpus).plan(), .toDo) == changed)
    _ = try experiment(corpus).run()
    _ = try experiment(corpus, at: second, workers: Workers(count: 2)).run()
    let (first, other) = (try results(corpus.experimentPath), try results(second))
    for name in changed where name != "scores" && !name.contains("/") {
      let model = "models/\(name).safetensors"
      #expect(first[model] != nil && first[model] == other[model])
      #expect(first[model] != before[model], "\(name)")
    }
  }

  @Test("an alignment whose name is not UTF-8 is passed over, and a change of it is a change")
  func planOfOtherBytes() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe.replacing("ctm: data/phones.ctm", with: "lab: data/lab"), to: "recipe.yaml")
    for part in ["train", "development", "test"] {
      for line in try TextFile.lines(of: corpus.experimentPath.appending("data/\(part)/wav.scp")) {
        try corpus.folder.write(
          "0 3000000 A\n3000000 6000000 B\n", to: "exp/data/lab/\(line.text.keyAndRest.key).lab")
      }
    }
    let latin = corpus.experimentPath.appending("data/lab").pushing(
      FilePath(platformString: [CChar(bitPattern: 0xE9), 0]).withSuffix(".lab"))
    try AtomicFile.write("0 6000000 A\n", to: latin)
    let experiment = try experiment(corpus)
    #expect(try experiment.run(until: .targets).ledger.leftOut.isEmpty)
    #expect(steps(try experiment.plan(), .fresh).count == 6)
    try AtomicFile.write("0 6000000 B\nmore", to: latin)
    #expect(steps(try experiment.plan(), .fresh).count == 3)
  }

  @Test("a step whose folder another process has is running")
  func planOfRunning() throws {
    let corpus = try SampleCorpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .targets)
    let lock = try FolderLock(corpus.experimentPath.appending("checkpoints/member-01"))
    #expect(steps(try experiment.plan(), .running) == ["member-01"])
    _ = consume lock
    #expect(steps(try experiment.plan(), .running) == [])
  }
}
