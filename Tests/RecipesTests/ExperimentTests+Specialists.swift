import Corpus
import Distillation
import Evaluation
import Foundation
import LinearAlgebra
import Networks
import Recipes
import Storage
import TestSupport
import Testing
import Training

/// Generalist and specialists.
extension ExperimentTests {
  private static let section = """
    specialists:
      clustering: {clusters: 2, size: 2}
      training: {epochs: 2, batchSize: 16, learningRate: 0.01}
      student: {hidden: {layers: 1, units: 12}, training: {epochs: 2, batchSize: 32}}

    """

  private func corpus(_ section: String = section) throws -> SampleCorpus {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(recipe + section, to: "recipe.yaml")
    return corpus
  }

  @Test("specialists are trained from the baseline, combined, scored and distilled back")
  func specialists() throws {
    let corpus = try corpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    let clusters = try #require(try experiment.clusters())
    // Three classes; each frame of the training set stands once in the counts.
    #expect(clusters.counts.count == 3 && clusters.frames == 8 * 58)
    #expect(clusters.clusters.allSatisfy { $0.classes.count == 2 })
    let folder = corpus.experimentPath + "/models"
    for (number, cluster) in clusters.clusters.enumerated() {
      let model = try AcousticModel(path: "\(folder)/specialist-0\(number).safetensors")
      #expect(model.classes.symbols == cluster.classes + [dustbinSymbol])
      #expect(model.network.classes == 3)
    }
    let report = try experiment.readScores()
    let score = try #require(report.specialists)
    #expect(score.coverage.reduce(0) { $0 + $1.generalist.frames } == 4 * 58)
    #expect(score.whole[0].generalist.frames == 4 * 58)
    let baseline = try #require(report.systems.first { $0.system == "baseline" })
    #expect(score.whole[0].generalist.accuracy == baseline.test.accuracy)
    let gain = score.whole[0].combined.accuracy - score.whole[0].generalist.accuracy
    #expect(mismatch(score.whole[0].gain.value, gain, absolute: 1e-12) == nil)
    #expect(
      score.costs.map(\.system) == [
        "generalist", "with specialists", "ensemble of 2", "distilled-generalist",
        "distilled-specialists", "distilled-ensemble",
      ])
    #expect(score.costs[0].trainingFrames == 2 * 8 * 58)
    #expect(score.costs[1].test.accuracy == score.whole[0].combined.accuracy)
    #expect(score.costs[1].parameters > score.costs[0].parameters && score.costs[1].networks == 3)
    let ensemble = try #require(report.systems.first { $0.system == "ensemble" })
    #expect(score.costs[2].test.accuracy == ensemble.test.accuracy)
    #expect(report.table.contains("| distilled-specialists - distilled-ensemble"))
    #expect(report.table.contains("| specialists of the true class"))
  }

  @Test("the same bytes on two threads, stopped after a specialist, or by the stage alone")
  func sameSpecialists() throws {
    let corpus = try corpus()
    _ = try experiment(corpus).run()
    let first = try results(corpus.experimentPath)
    #expect(first.keys.contains("models/distilled-specialists.safetensors"))
    let folder = corpus.experimentPath
    for name in [
      "models/specialist-01.safetensors", "models/distilled-specialists.safetensors",
      "specialists/clusters.json",
    ] {
      try FileManager.default.removeItem(atPath: folder + "/" + name)
    }
    try experiment(corpus, workers: Workers(count: 2)).trainSpecialists()
    #expect(try results(folder) == first)
  }

  @Test("specialists that keep all classes are held by the baseline's soft targets")
  func heldSpecialists() throws {
    let corpus = try corpus(
      Self.section + "  fullSoftmax: {temperature: 2, hardWeight: 0.5}\n")
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    let generalist = try AcousticModel(
      path: corpus.experimentPath + "/models/baseline.safetensors")
    let model = try AcousticModel(
      path: corpus.experimentPath + "/models/specialist-00.safetensors")
    #expect(model.classes == generalist.classes && model.network != generalist.network)
    #expect(
      FileManager.default.fileExists(
        atPath: corpus.experimentPath + "/soft-targets/held/train.ark"))
    #expect(try experiment.readScores().specialists?.whole.isEmpty == false)
  }

  @Test("specialists by label have all states of their labels")
  func byLabel() throws {
    let corpus = try corpus(Self.section.replacing("clusters: 2,", with: "clusters: 2, by: label,"))
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(recipe.replacing("states: 1", with: "states: 2"), to: "recipe.yaml")
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .specialists)
    for cluster in try #require(try experiment.clusters()).clusters {
      let labels = Dictionary(grouping: cluster.classes) { $0.split(separator: "_")[0] }
      #expect(labels.count == 2 && labels.values.allSatisfy { $0.count == 2 })
    }
  }

  @Test(
    "clusters that no specialist can be made of are named",
    arguments: [
      ("clustering: {clusters: 2, size: 2}", "clustering: {clusters: 1}", "specialists.clustering"),
      ("clustering: {clusters: 2, size: 2}", "clustering: {clusters: 9}", "at most 3"),
      ("clustering: {clusters: 2, size: 2}", "clustering: {clusters: 2, size: 3}", "not all"),
    ])
  func clusterFaults(old: String, new: String, expected: String) throws {
    let corpus = try corpus(Self.section.replacing(old, with: new))
    let experiment = try experiment(corpus)
    let fault = #expect(throws: OptionFault.self) { try experiment.run(until: .specialists) }
    #expect("\(try #require(fault))".contains(expected), "\(String(describing: fault))")
  }
}
