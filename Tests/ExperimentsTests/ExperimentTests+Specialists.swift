import Classes
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
    let folder = corpus.experimentPath.appending("models")
    for (number, cluster) in clusters.clusters.enumerated() {
      let model = try AcousticModel(path: folder.appending("specialist-0\(number).safetensors"))
      #expect(model.classes.symbols == cluster.classes + [dustbinSymbol])
      #expect(model.network.classes == 3)
    }
    try expectConfusions(clusters, in: corpus)
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

  /// Holds what the clusters say of the baseline against its choices on the training frames.
  private func expectConfusions(_ report: ClusterReport, in corpus: SampleCorpus) throws {
    let folder = corpus.experimentPath
    let model = try AcousticModel(path: folder.appending("models/baseline.safetensors"))
    let features = try MatrixArchive(path: folder.appending("features/train/feats.ark"))
    let targets = try IntegerArchive(path: folder.appending("targets/train/targets.ark"))
    var pairs: [(truth: String, chosen: String)] = []
    for (entry, labels) in zip(features.entries, targets.entries) {
      try #require(entry.key == labels.key)
      let chosen = model.logits(of: try features.read(0..<entry.rows, of: entry)).largestColumns()
      let truth = try targets.read(0..<labels.count, of: labels)
      pairs += zip(truth, chosen).map {
        (model.classes.symbols[Int($0)], model.classes.symbols[Int($1)])
      }
    }
    for cluster in report.clusters {
      let own = pairs.filter { cluster.classes.contains($0.truth) }
      let right = own.count { $0.truth == $0.chosen }
      let within = own.count { $0.truth != $0.chosen && cluster.classes.contains($0.chosen) }
      #expect(cluster.frames == own.count)
      #expect(mismatch(cluster.right, Double(right) / Double(own.count), absolute: 1e-12) == nil)
      #expect(
        mismatch(cluster.confusedWithin, Double(within) / Double(own.count), absolute: 1e-12) == nil
      )
      // Two classes are one pair.
      #expect(cluster.pairs.reduce(0) { $0 + $1.frames } == within)
    }
  }

  @Test("the dustbin of a specialist that learns nothing is the start's, raised by the odds")
  func corrected() throws {
    let corpus = try corpus(
      Self.section.replacing("learningRate: 0.01", with: "learningRate: 1.0e-20"))
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .specialists)
    let folder = corpus.experimentPath.appending("models")
    let generalist = try AcousticModel(path: folder.appending("baseline.safetensors"))
    let priors = try TextFile.text(
      of: corpus.experimentPath.appending("targets/train/log_priors"))
    #expect(" [ " + (generalist.logPriors ?? []).map { "\($0) " }.joined() + "]\n" == priors)
    let clusters = try #require(try experiment.clusters())
    for (number, cluster) in clusters.clusters.enumerated() {
      let own = cluster.classes.compactMap { generalist.classes.id(of: $0) }
      let start = generalist.network.specialist(own: own, counts: clusters.counts)
      let model = try AcousticModel(path: folder.appending("specialist-0\(number).safetensors"))
      #expect(model.logPriors == nil)
      let (before, after) = (start.layers[1], model.network.layers[1])
      #expect(mismatch(after.weights.values, before.weights.values, absolute: 1e-6) == nil)
      let share = Double(cluster.frames) / Double(clusters.frames)
      for (place, (old, new)) in zip(before.bias, after.bias).enumerated() {
        let raised = place == own.count ? log((1 - share) / share) : 0
        #expect(mismatch(Double(new - old), raised, absolute: 1e-5) == nil)
      }
    }
  }

  @Test("clusters that somebody has changed, and a baseline of other targets, are faults")
  func changedFiles() throws {
    let corpus = try corpus()
    let experiment = try experiment(corpus)
    _ = try experiment.run(until: .specialists)
    let path = corpus.experimentPath.appending("specialists/clusters.json")
    let text = try TextFile.text(of: path)
    let first = try #require(try experiment.clusters()).clusters[0].classes[0]
    for (old, new) in [
      ("\"\(first)\"", "\"\(first)x\""), ("\"counts\" : [", "\"counts\" : [\n    5,"),
    ] {
      try #require(text.contains(old))
      try AtomicFile.write(text.replacing(old, with: new), to: path)
      let fault = #expect(throws: FileFault.self) { try experiment.score() }
      #expect("\(try #require(fault))".hasPrefix(path.string))
    }
    // They are found again.
    try experiment.trainSpecialists()
    #expect(try TextFile.text(of: path) == text)
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(recipe.replacing("states: 1", with: "states: 2"), to: "recipe.yaml")
    let other = try self.experiment(corpus)
    _ = try other.run(until: .targets)
    let fault = #expect(throws: ExperimentFault.self) { try other.trainSpecialists() }
    #expect(fault == .staleModel(corpus.experimentPath.appending("models/baseline.safetensors")))
  }

  @Test(
    "sections that contradict the ensemble are named",
    arguments: [
      ("  members: 3\n", "", "specialists.members"), ("  members: 0\n", "", "members"),
      ("", "  folds: 2\n", "specialists.student"),
    ])
  func contradictions(own: String, ensemble: String, expected: String) throws {
    let corpus = try corpus(Self.section + own)
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe.replacing("  members: 2\n", with: "  members: 2\n" + ensemble), to: "recipe.yaml")
    let fault = #expect(throws: FileFault.self) { try Recipe(path: corpus.recipePath) }
    #expect("\(try #require(fault))".contains(expected))
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
      try FileManager.default.removeItem(atPath: folder.appending(name).string)
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
      path: corpus.experimentPath.appending("models/baseline.safetensors"))
    let model = try AcousticModel(
      path: corpus.experimentPath.appending("models/specialist-00.safetensors"))
    #expect(model.classes == generalist.classes && model.network != generalist.network)
    #expect(
      FileManager.default.fileExists(
        atPath: corpus.experimentPath.appending("soft-targets/held/train.ark").string))
    #expect(try experiment.readScores().specialists?.whole.isEmpty == false)
  }

  @Test("each student's soft targets are those of its teacher")
  func teachers() throws {
    let corpus = try corpus()
    _ = try experiment(corpus).run(until: .specialists)
    let path = corpus.experimentPath
    let features = try MatrixArchive(path: path.appending("features/train/feats.ark"))
    func stored(_ folder: String) throws -> Matrix {
      let archive = try MatrixArchive(path: path.appending("soft-targets/\(folder)/train.ark"))
      return try matrix(archive, archive.entries[0])
    }
    let logMel = try matrix(features, features.entries[0])
    func distributions(_ systems: [String]) throws -> Matrix {
      let models = try systems.map {
        try AcousticModel(path: path.appending("models/\($0).safetensors"))
      }
      return Ensemble.average(
        models.map { $0.logits(of: logMel) }, temperature: 2, mean: .arithmetic)
    }
    for (found, expected) in [
      (try stored("distilled-generalist"), try distributions(["baseline"])),
      (try stored("arithmetic-T2.0"), try distributions(["member-00", "member-01"])),
    ] {
      #expect(mismatch(found.values.map { exp($0) }, expected.values, absolute: 1e-4) == nil)
    }
    #expect(try stored("distilled-specialists") != stored("distilled-generalist"))
  }

  private func matrix(_ archive: MatrixArchive, _ entry: MatrixArchive.Entry) throws -> Matrix {
    let matrix = SharedMatrix(rows: entry.rows, columns: entry.columns)
    try archive.read(0..<entry.rows, of: entry, into: matrix.tile)
    return matrix.matrix
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
      ("clusters: 9", "clustering.clusters: expected at most the 3 classes, found 9"),
      ("clusters: 2, size: 3", "clustering.size: expected fewer than the 3 classes, found 3"),
      ("clusters: 3, by: label, size: 3", "clustering.size: expected fewer than the 3 labels"),
    ])
  func clusterFaults(clustering: String, expected: String) throws {
    let corpus = try corpus(Self.section.replacing("clusters: 2, size: 2", with: clustering))
    let experiment = try experiment(corpus)
    let fault = #expect(throws: OptionFault.self) { try experiment.run(until: .specialists) }
    #expect("\(try #require(fault))".contains(expected), "\(String(describing: fault))")
    #expect(
      !FileManager.default.fileExists(atPath: corpus.experimentPath.appending("models").string))
  }

  @Test("a single cluster of all classes is no option of a recipe")
  func oneCluster() throws {
    let corpus = try corpus(Self.section.replacing("clusters: 2, size: 2", with: "clusters: 1"))
    let fault = #expect(throws: (any Error).self) { try experiment(corpus) }
    let text = "\(try #require(fault))"
    #expect(text.contains("specialists.clustering.clusters: expected 2 or more"), "\(text)")
  }
}
