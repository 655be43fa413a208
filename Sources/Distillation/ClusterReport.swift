import Classes
import Corpus
import Foundation
package import Storage
package import SystemPackage

/// What `specialists/clusters.json` holds: the classes of each specialist, and how the generalist takes them for each
/// other on the training frames.
package struct ClusterReport: Sendable, Equatable, Codable {
  /// The classes of one specialist.
  package struct Cluster: Sendable, Equatable, Codable {
    /// Their symbols, by their ids.
    package let classes: [String]
    /// Their training frames.
    package let frames: Int
    /// The share of these that the generalist classifies rightly.
    package let right: Double
    /// The share that it takes for another class of the cluster.
    package let confusedWithin: Double
    /// The pairs of them that it confuses most, in either direction, with how many frames.
    package let pairs: [Pair]
  }

  /// Two classes, and the frames of either that are taken for the other.
  package struct Pair: Sendable, Equatable, Codable {
    package let classes: [String]
    package let frames: Int
  }

  package let options: ClusteringOptions
  /// All training frames.
  package let frames: Int
  /// The training frames of each class, by its id.
  package let counts: [Int]
  /// The symbols of classes that are in no cluster, since `size` is smaller than theirs.
  package let uncovered: [String]
  /// The sum of the squared distances of the columns, as they were scaled, from their nearest centres.
  package let inertia: Double
  package let clusters: [Cluster]

  /// - Parameters:
  ///   - sets: the ids of each cluster's classes.
  ///   - inertia: of the clustering.
  ///   - options: of the clustering.
  ///   - classes: all of them.
  ///   - confusions: how many frames of each class (row) are taken for each, row by row.
  init(
    _ sets: [[Int32]], inertia: Double, options: ClusteringOptions, classes: ClassInventory,
    confusions: [Int]
  ) {
    func count(_ truth: Int32, _ chosen: Int32) -> Int {
      confusions[Int(truth) * classes.count + Int(chosen)]
    }
    (self.options, self.inertia) = (options, inertia)
    frames = confusions.reduce(0, +)
    let counts = (0..<classes.count).map { row in
      confusions[row * classes.count..<(row + 1) * classes.count].reduce(0, +)
    }
    self.counts = counts
    let covered = Set(sets.flatMap { $0 })
    uncovered = (0..<Int32(classes.count)).filter { !covered.contains($0) }
      .map { classes.symbols[Int($0)] }
    clusters = sets.map { own in
      var (all, right, within) = (0, 0, 0)
      var pairs: [Pair] = []
      for (place, truth) in own.enumerated() {
        all += counts[Int(truth)]
        right += count(truth, truth)
        within += own.reduce(-count(truth, truth)) { $0 + count(truth, $1) }
        for other in own[(place + 1)...] {
          let both = count(truth, other) + count(other, truth)
          guard both > 0 else { continue }
          pairs.append(
            Pair(classes: [truth, other].map { classes.symbols[Int($0)] }, frames: both))
        }
      }
      return Cluster(
        classes: own.map { classes.symbols[Int($0)] }, frames: all,
        right: Double(right) / Double(max(1, all)),
        confusedWithin: Double(within) / Double(max(1, all)),
        pairs: Array(pairs.sorted { $0.frames > $1.frames }.prefix(3)))
    }
  }

  /// Reads a `clusters.json`.
  package init(path: FilePath) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(ClusterReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "clusters of limbeck", found: "other JSON or none")
    }
  }
}
