import Models
import Classes
import Corpus
import Distillation
import Evaluation
import Foundation
import LinearAlgebra
import Logging
import Networks
package import Storage
import Training

/// What a specialist is trained from and on.
struct Specialist: Sendable {
  /// The ids of its own classes.
  let own: [Int32]
  /// The network to start from.
  let start: AcousticNetwork
  /// What its logits stand for.
  let classes: ClassInventory
  /// The logits that are not of its own classes: the dustbin's, or those of all other classes.
  let others: [Int]
  let sampling: ClassSampling

  /// One with its own classes and a dustbin.
  init(narrow own: [Int32], of generalist: AcousticModel, counts: [Int], seed: UInt64) {
    var learnt = [Int32](repeating: Int32(own.count), count: counts.count)
    for (place, id) in own.enumerated() { learnt[Int(id)] = Int32(place) }
    self.own = own
    start = generalist.network.specialist(own: own, counts: counts)
    classes = ClassInventory(
      symbols: own.map { generalist.classes.symbols[Int($0)] } + [dustbinSymbol])
    others = [own.count]
    sampling = ClassSampling(own: own, learnt: learnt, counts: counts, seed: seed)
  }

  /// One that keeps all classes.
  init(whole own: [Int32], of generalist: AcousticModel, counts: [Int], seed: UInt64) {
    let isOwn = Set(own)
    self.own = own
    (start, classes) = (generalist.network, generalist.classes)
    others = counts.indices.filter { !isOwn.contains(Int32($0)) }
    sampling = ClassSampling(
      own: own, learnt: counts.indices.map { Int32($0) }, counts: counts, seed: seed)
  }

  /// A network after its training, as it is right for frames as they come.
  func corrected(_ network: AcousticNetwork) -> AcousticNetwork {
    network.raising(others, by: sampling.correction)
  }
}

extension Experiment {
  var clustersPath: String { path + "/specialists/clusters.json" }

  /// Which classes go together; nil when the recipe has no specialists.
  ///
  /// - Throws: `FileFault` when they should have been found and were not.
  package func clusters() throws(FileFault) -> ClusterReport? {
    recipe.specialists == nil ? nil : try ClusterReport(path: clustersPath)
  }

  /// Finds the clusters, trains a specialist for each, and distils generalist and specialists into one model.
  package func trainSpecialists() throws {
    guard let options = recipe.specialists else {
      try FileSystem.remove(clustersPath)
      return
    }
    try check(options.clustering)
    if recipe.baselineSearch == nil {
      try requireModels(Array(baselineJobs.prefix(1)))
    } else {
      try requireModels(baselineTrials.map(\.job))
      try adoptBaselines()
    }
    try findClusters(options)
    let jobs = try specialistJobs(options)
    var transfer: [TransferPart]?
    if let held = options.fullSoftmax,
      let part = try transferParts("soft-targets/held", copies: 0).first
    {
      let own = part.with(part.frames, softTargetsPath: part.softTargetsPath, largest: nil)
      try computeSoftTargets(
        of: [own], temperatures: [held.temperature], by: generalistTeacher(held.mean))
      transfer = [own]
    }
    let prints = try (transfer ?? []).compactMap(\.softTargetsPath)
      .map { try Fingerprint(ofFile: $0).description }
    let generalist = modelPath(System.generalist)
    try train(jobs, on: transfer) { job, inputs in
      inputs.add("classes", job.specialist?.own)
      inputs.add("full softmax", options.fullSoftmax)
      inputs.add("soft targets", prints)
      try inputs.add(file: generalist)
    } objective: { job, classes in
      guard let held = options.fullSoftmax, let own = job.specialist?.own else {
        return HardTargets(smoothing: job.training.labelSmoothing)
      }
      return HeldTargets(
        own: own, classes: classes.count, options: held,
        hard: HardTargets(smoothing: job.training.labelSmoothing))
    }
    try distilSpecialists(options)
  }

  private func generalistTeacher(_ mean: TeacherMean) -> EnsembleTeacher {
    EnsembleTeacher(memberPaths: [modelPath(System.generalist)], mean: mean)
  }

  /// Throws for clusters that the targets' classes cannot have.
  func check(_ options: ClusteringOptions) throws {
    let classes = try ClassInventory(path: targets(.train).classesPath)
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

  private func findClusters(_ options: SpecialistOptions) throws {
    var inputs = try trainingInputs()
    inputs.add("clustering", options.clustering)
    try inputs.add(file: modelPath(System.generalist))
    try perform("specialists/clusters", inputs: inputs, outputs: [clustersPath]) {
      try requireMemory(
        forClustersOf: try ClassInventory(path: targets(.train).classesPath).count)
      let report = try ClusterPass(
        frames: try openFrames(.train), featuresPath: features(.train).path,
        generalist: try openGeneralist(),
        options: options.clustering, workers: workers, reporter: reporter
      ).run()
      try AtomicFile.write(JSONText.document(report), to: clustersPath)
      reporter.log.info("\(clustersPath):\n\(report.table.markdown)")
    }
  }

  /// The generalist, whose classes must leave room for the dustbin.
  private func openGeneralist() throws -> AcousticModel {
    let model = try AcousticModel(path: modelPath(System.generalist))
    guard model.classes.id(of: dustbinSymbol) == nil else {
      throw FileFault.malformed(
        path: targets(.train).classesPath,
        expected: "classes without \(dustbinSymbol), which specialists add", found: "one")
    }
    return model
  }

  /// The ids of each specialist's classes.
  ///
  /// - Throws: `FileFault` for clusters that are not of these classes, or that no specialist can be trained for.
  private func sets(
    _ report: ClusterReport, _ classes: ClassInventory
  ) throws(FileFault) -> [[Int32]] {
    func fault(_ expected: String, _ found: String) -> FileFault {
      .malformed(path: clustersPath, expected: expected, found: found)
    }
    guard report.counts.count == classes.count, report.counts.allSatisfy({ $0 >= 0 }) else {
      throw fault("the frames of \(classes.count) classes", "\(report.counts.count) numbers")
    }
    guard (1...64).contains(report.clusters.count) else {
      throw fault("1 to 64 clusters", "\(report.clusters.count)")
    }
    let all = report.counts.reduce(0, +)
    return try report.clusters.map { cluster throws(FileFault) in
      let ids = cluster.classes.compactMap { classes.id(of: $0) }
      let frames = ids.reduce(0) { $0 + report.counts[Int($1)] }
      guard Set(ids).count == cluster.classes.count, frames > 0, frames < all else {
        throw fault(
          "clusters of the model's classes, each once, with some of the frames",
          "\(cluster.classes.joined(separator: " ")), \(frames) of \(all) frames")
      }
      return ids
    }
  }

  private func specialistJobs(_ options: SpecialistOptions) throws -> [TrainingJob] {
    let report = try ClusterReport(path: clustersPath)
    let generalist = try openGeneralist()
    let development = try classCounts(.development, classes: generalist.classes.count)
    return try sets(report, generalist.classes).enumerated().map { number, own in
      let system = System.specialist(number)
      let known = own.reduce(0) { $0 + development.counts[Int($1)] }
      if known < Experiment.fewFrames {
        reporter.log.warning(
          """
          \(system): the development set has \(known) frames of its classes; the epoch that is kept rests \
          on them
          """)
      }
      let seed = options.seed &+ UInt64(number)
      return TrainingJob(
        system: system, seed: seed, hidden: recipe.baseline.hidden, training: options.training,
        specialist: options.fullSoftmax == nil
          ? Specialist(narrow: own, of: generalist, counts: report.counts, seed: seed)
          : Specialist(whole: own, of: generalist, counts: report.counts, seed: seed))
    }
  }

  /// Frames of its classes below which a specialist's development accuracy is doubtful.
  private static let fewFrames = 100

  private func classCounts(_ part: CorpusPart, classes: Int) throws -> ClassCounts {
    let frames = try openFrames(part)
    var counts = ClassCounts(classes: classes)
    for index in 0..<frames.count { counts.add(try frames.labels(of: index)) }
    return counts
  }

  /// Generalist and specialists, which have been trained.
  func specialistEnsemble(_ options: SpecialistOptions) throws -> SpecialistEnsemble {
    let generalist = try openGeneralist()
    let sets = try sets(try ClusterReport(path: clustersPath), generalist.classes)
    return try SpecialistEnsemble(
      generalist: generalist,
      specialists: try sets.enumerated().map { number, own in
        SpecialistEnsemble.Specialist(
          model: try AcousticModel(path: modelPath(.specialist(number))), own: own)
      }, active: options.active)
  }

  /// The ensemble that specialists are compared with, the first members; nil when the recipe has no specialists.
  func comparedEnsemble() throws(FileFault) -> (name: String, members: Int)? {
    guard let options = recipe.specialists, let clusters = try clusters()?.clusters.count
    else { return nil }
    let members = min(options.members ?? clusters + 1, recipe.ensemble.members)
    return ("ensemble of \(members)", members)
  }

  /// The specialists.
  func specialistSystems() throws(FileFault) -> [System] {
    (0..<(try clusters()?.clusters.count ?? 0)).map { .specialist($0) }
  }

  /// The systems of the specialists' stage besides the specialists: the students, by what taught them.
  var specialistStudents: [System] {
    recipe.specialists?.student == nil
      ? [] : System.Teacher.allCases.map { .distilled(from: $0) }
  }

  /// Trains three students alike: of the generalist, of generalist and specialists, and of an ensemble of as many
  /// networks.
  private func distilSpecialists(_ options: SpecialistOptions) throws {
    guard let student = options.student else { return }
    let distillation = try distillation()
    let ensemble = try specialistEnsemble(options)
    let networks = try [System.generalist] + specialistSystems()
    let members = try comparedEnsemble()?.members
    try requireModels(Array(memberJobs.prefix(members ?? 0)))
    // The whole ensemble has labelled the frames already, where there are students of it.
    let isWhole = members == recipe.ensemble.members
    let teachers: [(teacher: any Teacher, folder: String?)] = [
      (generalistTeacher(distillation.mean), nil),
      (
        SpecialistTeacher(
          ensemble: ensemble, active: options.active, paths: networks.map { modelPath($0) }), nil
      ),
      (
        try ensembleTeacher(distillation.mean, members: isWhole ? nil : members),
        isWhole ? softTargetFolder(distillation.mean, distillation.temperature) : nil
      ),
    ]
    for (system, (teacher, folder)) in zip(specialistStudents, teachers) {
      let parts = try transferParts(folder ?? "soft-targets/\(system)", copies: 0)
      guard let part = parts.first else { continue }
      try computeSoftTargets(
        of: [part], temperatures: [distillation.temperature], by: teacher)
      try trainStudents([(TrainingJob(system, student), distillation)], on: [part])
    }
  }
}
