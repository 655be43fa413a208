import Foundation
package import LinearAlgebra
import Storage

/// How to cluster classes that a model predicts together (Hinton, Vinyals and Dean 2015, §5.2).
package struct ClusteringOptions: Sendable, Equatable, Codable {
  /// The variant of K-means.
  package enum Method: String, Sendable, Codable, CaseIterable {
    /// Assigns all columns, then updates all centres (Lloyd 1982).
    case batch
    /// Updates a centre after each column, in random order (MacQueen 1967).
    case online
  }

  /// What is clustered.
  package enum Element: String, Sendable, Codable, CaseIterable {
    /// Single classes.
    case `class`
    /// Labels, each with all of its classes, such as the states of a phone.
    case label
  }

  /// The matrix whose columns are clustered.
  package enum Scale: String, Sendable, Codable, CaseIterable {
    /// The covariance, in which the columns of rarely predicted classes are all near zero.
    case covariance
    /// The correlation: the covariance divided by the standard deviations of both classes.
    case correlation
  }

  /// The number of sets of classes, 1 to 64.
  package var clusters = 8
  /// What is clustered.
  package var by = Element.class
  /// The matrix whose columns are clustered.
  package var scale = Scale.covariance
  /// The number of classes, or labels, in each set; absent for a partition.
  ///
  /// A set has the members of its cluster, then others, those nearest to its centre first. Sets may
  /// thus overlap.
  package var size: Int?
  /// The variant of K-means.
  package var method = Method.batch
  /// The number of random starts, of which the best is kept, 1 to 1000.
  package var restarts = 10
  /// The seed of the starts and of the order of `online`.
  package var seed: UInt64 = 1

  /// The defaults.
  package init() {}

  /// The option names in a recipe.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case clusters, by, scale, size, method, restarts, seed
  }

  /// Reads the options of a recipe; absent ones keep their defaults.
  ///
  /// - Throws: `OptionFault` for unknown options and values out of range.
  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    clusters = try read(.clusters, default: clusters)
    by = try read(.by, default: by)
    scale = try read(.scale, default: scale)
    size = try read.optional(.size)
    method = try read(.method, default: method)
    restarts = try read(.restarts, default: restarts)
    seed = try read(.seed, default: seed)
    try requireOption((1...64).contains(clusters), "clusters", expected: "1 to 64", found: clusters)
    try requireOption(
      clusters > 1 || size != nil, "clusters",
      expected: "2 or more, as a single set without a size has all classes", found: clusters)
    try requireOption(size ?? 1 > 0, "size", expected: "1 or more classes", found: size ?? 1)
    try requireOption(
      (1...1000).contains(restarts), "restarts", expected: "1 to 1000", found: restarts)
  }
}

/// Sets of classes whose columns in a covariance matrix are similar.
package struct ClassClusters: Sendable, Equatable {
  /// The class ids of each set in ascending order; no set is empty.
  package let sets: [[Int32]]
  /// The sum of the squared distances between the columns and their nearest centres.
  package let inertia: Double

  /// The maximum number of passes over the columns from one start.
  private static let mostPasses = 100

  /// Clusters the columns of a matrix.
  ///
  /// - Parameters:
  ///   - columns: a vector for each class, all of the same length, at least as many as clusters.
  ///     For `Scale.correlation`, the covariance matrix, which is square.
  ///   - options: the method, and the number and size of the sets.
  ///   - workers: the threads among which the starts are shared.
  package init(_ columns: [[Double]], options: ClusteringOptions, workers: Workers = .one) {
    precondition(
      columns.count >= options.clusters, "ClassClusters: \(columns.count) classes for clusters")
    let columns = options.scale == .correlation ? correlations(columns) : columns
    let outcomes = workers.map(options.restarts) {
      start -> (centres: [[Double]], inertia: Double) in
      var generator = SeededGenerator(options.seed, UInt64(start))
      var centres = ClassClusters.start(columns, options.clusters, &generator)
      switch options.method {
      case .batch: ClassClusters.improve(&centres, columns)
      case .online: ClassClusters.follow(&centres, columns, &generator)
      }
      return (centres, columns.reduce(0) { $0 + nearest(to: $1, among: centres).distance })
    }
    var best = outcomes[0]
    for outcome in outcomes where outcome.inertia < best.inertia { best = outcome }
    inertia = best.inertia
    let clusters = columns.map { nearest(to: $0, among: best.centres).index }
    sets = best.centres.indices.filter { clusters.contains($0) }.map { centre in
      let distances = columns.map { squaredDistance($0, best.centres[centre]) }
      func place(_ column: Int) -> (Int, Double, Int) {
        (clusters[column] == centre ? 0 : 1, distances[column], column)
      }
      let size = options.size ?? clusters.count { $0 == centre }
      return columns.indices.sorted { place($0) < place($1) }.prefix(size)
        .map { Int32($0) }.sorted()
    }
  }

  /// Chooses initial centres that are far from each other (k-means++; Arthur and Vassilvitskii
  /// 2007).
  private static func start(
    _ columns: [[Double]], _ count: Int, _ generator: inout SeededGenerator
  ) -> [[Double]] {
    var centres = [columns[generator.integer(below: columns.count)]]
    while centres.count < count {
      let distances = columns.map { nearest(to: $0, among: centres).distance }
      let target = generator.uniform() * distances.reduce(0, +)
      var sum = 0.0
      let chosen = distances.firstIndex {
        sum += $0
        return sum > target
      }
      // All remaining columns may equal a centre.
      centres.append(columns[chosen ?? generator.integer(below: columns.count)])
    }
    return centres
  }

  /// Moves each centre to the mean of the columns nearest to it, until no column changes its
  /// centre.
  private static func improve(_ centres: inout [[Double]], _ columns: [[Double]]) {
    var before: [Int] = []
    for _ in 0..<mostPasses {
      let chosen = columns.map { nearest(to: $0, among: centres).index }
      if chosen == before { return }
      before = chosen
      for centre in centres.indices {
        let own = columns.indices.filter { chosen[$0] == centre }
        // A centre without columns stays.
        guard !own.isEmpty else { continue }
        centres[centre] = centres[centre].indices.map { place in
          own.reduce(0) { $0 + columns[$1][place] } / Double(own.count)
        }
      }
    }
  }

  /// Moves the nearest centre towards each column in turn, by less the more columns it has
  /// received.
  private static func follow(
    _ centres: inout [[Double]], _ columns: [[Double]], _ generator: inout SeededGenerator
  ) {
    var counts = [Double](repeating: 1, count: centres.count)
    for _ in 0..<10 {
      for index in generator.permutation(of: columns.count) {
        let column = columns[Int(index)]
        let centre = nearest(to: column, among: centres).index
        counts[centre] += 1
        for place in column.indices {
          centres[centre][place] += (column[place] - centres[centre][place]) / counts[centre]
        }
      }
    }
  }
}

/// The correlations of a covariance matrix; zero for a class that never varies.
private func correlations(_ covariance: [[Double]]) -> [[Double]] {
  let deviations = covariance.indices.map { max(0, covariance[$0][$0]).squareRoot() }
  return covariance.enumerated().map { row, values in
    values.enumerated().map { column, value in
      let product = deviations[row] * deviations[column]
      return product > 0 ? value / product : 0
    }
  }
}

private func squaredDistance(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices {
    let difference = a[index] - b[index]
    sum += difference * difference
  }
  return sum
}

private func nearest(
  to column: [Double], among centres: [[Double]]
) -> (index: Int, distance: Double) {
  var best = (index: 0, distance: Double.infinity)
  for (index, centre) in centres.enumerated() {
    let distance = squaredDistance(column, centre)
    if distance < best.distance { best = (index, distance) }
  }
  return best
}
