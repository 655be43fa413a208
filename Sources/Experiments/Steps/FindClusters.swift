import Classes
import Corpus
import Distillation
import Evaluation
import Foundation
import LinearAlgebra
import Storage
import Training

/// Finds the classes of each specialist: sets of classes that the generalist confuses.
struct FindClusters: Step {
  let options: ClusteringOptions

  /// One step for a recipe with specialists, otherwise none.
  static func steps(of recipe: Recipe) -> [any Step] {
    (recipe.specialists?.clustering).map { [FindClusters(options: $0)] } ?? []
  }

  var stage: Stage { .specialists }
  var makes: Product { .clusters }
  var reads: [Product] {
    [CorpusPart.train, .development].flatMap { [.features(.part($0)), .targets(.part($0))] }
      + [.model(.generalist)]
  }

  /// Throws when the options do not suit the number of classes in the targets.
  func check(in experiment: Experiment) throws {
    let classes = try ClassInventory(path: experiment.targets(.train).classesPath)
    let (elements, element) =
      switch options.by {
      case .class: (classes.count, "classes")
      case .label: (Set(classes.labels).count, "labels")
      }
    try requireOption(
      options.clusters <= elements, "specialists.clustering.clusters",
      expected: "at most the \(elements) \(element)", found: options.clusters)
    let size = options.size ?? 1
    try requireOption(
      size < elements, "specialists.clustering.size",
      expected: "fewer than the \(elements) \(element)", found: size)
  }

  func files(in experiment: Experiment) throws -> StepFiles {
    StepFiles(
      record: name, folder: experiment.clustersPath.folder,
      exact: [experiment.clustersPath])
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    inputs = try experiment.trainingInputs()
    inputs.add("clustering", options)
    try inputs.add(file: experiment.modelPath(.generalist))
  }

  func framesToGo(in experiment: Experiment) throws -> Int? {
    try experiment.features(.train).frameCounts().values.reduce(0, +)
  }

  func make(in experiment: Experiment) throws {
    let (path, workers) = (experiment.clustersPath, experiment.workers)
    try requireMemory(
      classes: try ClassInventory(path: experiment.targets(.train).classesPath).count, workers)
    let report = try ClusterPass(
      frames: try experiment.openFrames(.train), featuresPath: experiment.features(.train).path,
      generalist: try experiment.openGeneralist(), options: options, workers: workers,
      reporter: experiment.reporter
    ).run()
    try AtomicFile.write(JSONText.document(report), to: path)
    experiment.reporter.log.info("\(path.text): \(report.summary)")
  }

  /// Throws `MemoryFault` when there is not enough memory for the covariance of the classes.
  private func requireMemory(classes: Int, _ workers: Workers) throws(MemoryFault) {
    var need = MemoryNeed()
    // The sums, the covariance and the confusions.
    need.add("covariance of \(classes) classes", 3, classes, classes, size: 8)
    try ThreadMemory.require(
      need, for: name, remedy: "use fewer classes, or raise the limit", workers: workers)
  }
}
