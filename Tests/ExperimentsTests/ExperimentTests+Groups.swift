import Corpus
import Evaluation
import Experiments
import Foundation
import LinearAlgebra
import Models
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

/// Ensembles of several groups of members.
extension ExperimentTests {
  /// The sample corpus with another `ensemble` section.
  private func corpus(ensemble: String) throws -> SampleCorpus {
    let corpus = try SampleCorpus()
    try setEnsemble(ensemble, of: corpus)
    return corpus
  }

  private func setEnsemble(_ ensemble: String, of corpus: SampleCorpus) throws {
    let recipe = try Recipe(path: corpus.recipePath, settings: ["ensemble=\(ensemble)"])
    try corpus.folder.write(recipe.text, to: "recipe.yaml")
  }

  private func states(_ corpus: SampleCorpus) throws -> [String: PlanReport.State] {
    Dictionary(
      uniqueKeysWithValues: try experiment(corpus).plan().steps.map { ($0.step, $0.state) })
  }

  private var training: String { "training: {epochs: 2, batchSize: 32, dropout: 0.1}" }

  @Test("two groups: each member has its group's network, and the ensemble has all of them")
  func groups() throws {
    let wide =
      "{members: 2, hidden: {layers: 1, units: 12}, context: {left: 4, right: 3}, \(training)}"
    let deep = "{hidden: {units: 8, timeOffsets: [[-1, 0, 1], [-2, 0]]}, members: 1, \(training)}"
    let corpus = try corpus(ensemble: "[\(wide), \(deep)]")
    _ = try experiment(corpus).run()
    let models = try (0..<3).map {
      try AcousticModel(path: corpus.experimentPath.appending("models/member-0\($0).safetensors"))
    }
    #expect(models.map(\.network.context) == [-4...3, -4...3, -3...1])
    #expect(models.map(\.provenance.seed) == [101, 102, 103])
    let student = try AcousticModel(
      path: corpus.experimentPath.appending("models/student.safetensors"))
    #expect(student.network.context == -2...1)
    let report = try experiment(corpus).readScores()
    #expect(
      report.systems.map(\.system) == [
        "member-00", "member-01", "member-02", "members", "ensemble", "baseline", "student",
      ])
    let parameters = models.map(\.network.parameterCount)
    #expect(parameters[0] != parameters[2])
    #expect(
      Array(report.systems.map(\.parameters).prefix(5))
        == parameters + [parameters.reduce(0, +) / 3, parameters.reduce(0, +)])
    #expect(report.memberCurve?.points.map(\.members) == [1, 2, 3])

    // The same bytes on two threads, one member alone first.
    let before = try results(corpus.experimentPath)
    let second = corpus.folder.file("second")
    try FileManager.default.createDirectory(
      atPath: second.string, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: corpus.experimentPath.appending("data").string,
      toPath: second.appending("data").string)
    let other = try experiment(corpus, at: second, workers: Workers(count: 2))
    _ = try other.run(until: .targets)
    try other.trainMember(2)
    #expect(throws: ExperimentFault.noMember(3, members: 3)) { try other.trainMember(3) }
    _ = try other.run()
    let found = try results(second)
    for (name, bytes) in before where !name.hasSuffix(".scp") {
      #expect(found[name] == bytes, "\(name)")
    }

    // A change of one group leaves the other's members.
    try setEnsemble("[\(wide), \(deep.replacing("units: 8", with: "units: 9"))]", of: corpus)
    let states = try states(corpus)
    #expect(
      ["member-00", "member-01", "member-02", "baseline", "student"].map { states[$0] }
        == [.fresh, .fresh, .toDo, .fresh, .toDo])
  }

  @Test("groups that are alike are one group: nothing is made again")
  func alikeGroups() throws {
    let corpus = try SampleCorpus()
    _ = try experiment(corpus).run()
    let shape = "hidden: {layers: 1, units: 12}, \(training)"
    for ensemble in [
      "[{members: 2, \(shape)}]", "[{members: 1, \(shape)}, {members: 1, \(shape)}]",
      "{members: 2, context: {left: 2, right: 1}, \(shape)}",
    ] {
      try setEnsemble(ensemble, of: corpus)
      #expect(try states(corpus).values.allSatisfy { $0 == .fresh }, "\(ensemble)")
    }
  }

  @Test("folds go through the groups: each utterance is labelled by the members without it")
  func foldsOfGroups() throws {
    let shape = "folds: 2, members: 1, \(training)"
    let corpus = try corpus(
      ensemble:
        "[{hidden: {layers: 1, units: 5}, \(shape)}, {hidden: {layers: 1, units: 6}, \(shape)}]")
    let (ledger, _) = try experiment(corpus).run()
    #expect(ledger.leftOut.isEmpty)
    let frames = try ["member-00", "member-01"].map { name in
      try #require(
        try TextFile.lines(of: corpus.experimentPath.appending("models/\(name).log.jsonl"))
          .compactMap { $0.text.firstMatch(of: #/"frames":(\d+)/#).flatMap { Int($0.1) } }.first)
    }
    // Eight training utterances of 58 frames, half of them for each.
    #expect(frames == [4 * 58, 4 * 58])
  }

  @Test("a setting may name an entry of a list")
  func listSettings() throws {
    let corpus = try corpus(ensemble: "[{members: 1}, {members: 2, hidden: {units: 3}}]")
    let recipe = try Recipe(
      path: corpus.recipePath,
      settings: ["ensemble.1.members=4", "ensemble.0.training.epochs=7"])
    #expect(recipe.ensemble.groups.map(\.members) == [1, 4])
    #expect(recipe.ensemble.groups[1].hidden.units == 3)
    #expect(recipe.ensemble.groups[0].training.epochs == 7)
    for setting in ["ensemble.2.members=4", "ensemble.members=4"] {
      let fault = #expect(throws: FileFault.self) {
        try Recipe(path: corpus.recipePath, settings: [setting])
      }
      #expect(
        "\(try #require(fault))".contains("expected an entry from 0 to 1 of a list"), "\(setting)")
    }
  }
}
