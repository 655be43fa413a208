import Classes
import Corpus
package import Distillation
import Foundation
import Models
import Networks
package import Storage
import Training

/// A specialist about to be trained.
struct Specialist: Sendable {
  /// The ids of its own classes.
  let own: [Int32]
  /// The network that its training starts from.
  let start: AcousticNetwork
  /// The classes of its logits.
  let classes: ClassInventory
  /// The logits of other classes: the dustbin's, or those of all classes but its own.
  let others: [Int]
  let sampling: ClassSampling

  /// A specialist with its own classes and a dustbin.
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

  /// A specialist with all classes.
  init(whole own: [Int32], of generalist: AcousticModel, counts: [Int], seed: UInt64) {
    let isOwn = Set(own)
    self.own = own
    (start, classes) = (generalist.network, generalist.classes)
    others = counts.indices.filter { !isOwn.contains(Int32($0)) }
    sampling = ClassSampling(
      own: own, learnt: counts.indices.map { Int32($0) }, counts: counts, seed: seed)
  }

  /// A trained network, corrected for the sampling of classes so that it suits frames at their
  /// natural frequencies.
  func corrected(_ network: AcousticNetwork) -> AcousticNetwork {
    network.raising(others, by: sampling.correction)
  }
}

extension Experiment {
  /// The specialists' classes; nil when the recipe has no specialists.
  ///
  /// - Throws: `FileFault` when they have not been found yet.
  package func clusters() throws(FileFault) -> ClusterReport? {
    recipe.specialists == nil ? nil : try ClusterReport(path: clustersPath)
  }

  /// The specialists that clustering found, possibly fewer than in the recipe.
  func foundSpecialists() throws(FileFault) -> [System] {
    (0..<(try clusters()?.clusters.count ?? 0)).map { .specialist($0) }
  }

  /// The ensemble of the first members that specialists are compared with; nil when the recipe has
  /// no specialists.
  func comparedEnsemble() throws(FileFault) -> (name: String, members: Int)? {
    guard let options = recipe.specialists else { return nil }
    let wanted: Int
    if let members = options.members {
      wanted = members
    } else {
      wanted = try foundSpecialists().count + 1
    }
    let members = min(wanted, recipe.ensemble.members)
    return ("ensemble of \(members)", members)
  }

  /// The generalist, whose classes must not include the dustbin.
  func openGeneralist() throws -> AcousticModel {
    let path = modelPath(System.generalist)
    let model = try AcousticModel(path: path)
    try model.requireFloat32(path: path)
    guard model.classes.id(of: dustbinSymbol) == nil else {
      throw FileFault.malformed(
        path: targets(.train).classesPath,
        expected: "classes without \(dustbinSymbol), which specialists add", found: "that class")
    }
    return model
  }

  /// The ids of each specialist's classes.
  ///
  /// - Throws: `FileFault` for clusters of other classes, or clusters that no specialist can be
  ///   trained for.
  func specialistSets() throws(FileFault) -> [[Int32]] {
    try specialistSets(
      try ClusterReport(path: clustersPath), try ClassInventory(path: targets(.train).classesPath))
  }

  private func specialistSets(
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

  /// Prepares the training of a specialist.
  ///
  /// - Parameters:
  ///   - number: its number, from 0.
  ///   - seed: the seed of the sampling of its frames.
  /// - Returns: what its training starts from.
  /// - Throws: a fault of the clusters, the generalist or the targets.
  func openSpecialist(_ number: Int, seed: UInt64) throws -> Specialist {
    let report = try ClusterReport(path: clustersPath)
    let generalist = try openGeneralist()
    let own = try specialistSets(report, generalist.classes)[number]
    let development = try classCounts(.development, classes: generalist.classes.count)
    let known = own.reduce(0) { $0 + development.counts[Int($1)] }
    if known < Experiment.fewFrames {
      reporter.log.warning(
        """
        \(System.specialist(number)): the development set has only \(known) frames of its classes to choose the \
        epoch by
        """)
    }
    return recipe.specialists?.fullSoftmax == nil
      ? Specialist(narrow: own, of: generalist, counts: report.counts, seed: seed)
      : Specialist(whole: own, of: generalist, counts: report.counts, seed: seed)
  }

  /// The number of development frames of its classes below which a specialist's accuracy is
  /// unreliable.
  private static let fewFrames = 100

  private func classCounts(_ part: CorpusPart, classes: Int) throws -> ClassCounts {
    let frames = try openFrames(.part(part))
    var counts = ClassCounts(classes: classes)
    for index in 0..<frames.count { counts.add(try frames.labels(of: index)) }
    return counts
  }

  /// The generalist with its trained specialists.
  func specialistEnsemble() throws -> SpecialistEnsemble {
    try SpecialistEnsemble(
      generalist: try openGeneralist(),
      specialists: try specialistSets().enumerated().map { number, own in
        SpecialistEnsemble.Specialist(
          model: try AcousticModel(path: modelPath(.specialist(number))), own: own)
      }, active: recipe.specialists?.active ?? 1)
  }
}
