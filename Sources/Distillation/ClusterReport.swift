import Classes
import Corpus
import Foundation
package import Storage
package import SystemPackage

/// The contents of `specialists/clusters.json`: the classes of each specialist, and how the
/// generalist confuses them on the training frames.
package struct ClusterReport: Sendable, Equatable, Codable {
  /// The classes of one specialist.
  package struct Cluster: Sendable, Equatable, Codable {
    /// Their symbols, in the order of their ids.
    package let classes: [String]
    /// The number of training frames with these classes.
    package let frames: Int
    /// The share of these frames that the generalist classifies correctly.
    package let right: Double
    /// The share of these frames that it takes for another class of the cluster.
    package let confusedWithin: Double
    /// The pairs of classes that it confuses most, at most three.
    package let pairs: [Pair]
  }

  /// Two classes, with the number of frames of either that are taken for the other.
  package struct Pair: Sendable, Equatable, Codable {
    /// The symbols of the two classes.
    package let classes: [String]
    /// The number of frames confused, in both directions.
    package let frames: Int
  }

  /// The options of the clustering.
  package let options: ClusteringOptions
  /// The number of training frames.
  package let frames: Int
  /// The number of training frames of each class, by its id.
  package let counts: [Int]
  /// The symbols of the classes in no cluster, because the clusters' `size` leaves no room for
  /// them.
  package let uncovered: [String]
  /// The sum of the squared distances of the scaled columns from their nearest centres.
  package let inertia: Double
  /// The clusters, one for each specialist.
  package let clusters: [Cluster]

  /// Counts the confusions within each cluster.
  ///
  /// - Parameters:
  ///   - sets: the ids of each cluster's classes.
  ///   - inertia: the clustering's inertia.
  ///   - options: the clustering's options.
  ///   - classes: all classes.
  ///   - confusions: the number of frames of each class (row) that are taken for each class
  ///     (column), row by row.
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
  ///
  /// - Throws: `FileFault` when it is missing or malformed.
  package init(path: FilePath) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(ClusterReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "clusters that limbeck wrote", found: "other contents")
    }
  }
}
