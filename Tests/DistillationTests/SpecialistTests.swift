import Distillation
import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Distributions of random logits.
private func distributions(_ rows: Int, _ columns: Int, seed: UInt64, scale: Double = 2) -> Matrix {
  var matrix = Matrix.random(rows: rows, columns: columns, seed: seed, scale: scale)
  matrix.replaceRowsBySoftmax()
  return matrix
}

/// One frame's distributions: the generalist's, and those of the active specialists with their classes.
private struct Frame {
  let generalist: [Double]
  let specialists: [(classes: [Int32], distribution: [Double])]

  /// `KL(p^g, q) + Σ KL(p^m, q)`.
  func objective(_ q: [Double]) -> Double {
    func divergence(_ p: [Double], _ q: [Double]) -> Double {
      zip(p, q).reduce(0) { $1.0 > 0 ? $0 + $1.0 * log($1.0 / $1.1) : $0 }
    }
    return divergence(generalist, q)
      + specialists.reduce(0) { sum, own in
        let inside = own.classes.map { q[Int($0)] }
        return sum + divergence(own.distribution, inside + [1 - inside.reduce(0, +)])
      }
  }

  /// One multiplicative update of all classes, as method and paper have it.
  func updated(_ q: [Double]) -> [Double] {
    var sums = generalist
    for own in specialists {
      let inside = Set(own.classes)
      let outside = q.indices.reduce(0) { inside.contains(Int32($1)) ? $0 : $0 + q[$1] }
      let dustbin = own.distribution[own.classes.count]
      for (place, id) in own.classes.enumerated() { sums[Int(id)] += own.distribution[place] }
      for index in q.indices where !inside.contains(Int32(index)) {
        sums[index] += outside > 0 ? dustbin * q[index] / outside : 0
      }
    }
    return sums.map { $0 / Double(specialists.count + 1) }
  }

  /// The minimum by gradient descent on logits, as in the paper.
  func descended() -> [Double] {
    var logits = generalist.map { log($0) }
    func softmax(_ logits: [Double]) -> [Double] {
      let largest = logits.max() ?? 0
      let powers = logits.map { exp($0 - largest) }
      return powers.map { $0 / powers.reduce(0, +) }
    }
    for _ in 0..<20_000 {
      let q = softmax(logits)
      // The gradient of the objective is M · q less the sum of the fitted distributions.
      let target = updated(q)
      for index in logits.indices {
        logits[index] -= 0.5 * Double(specialists.count + 1) * (q[index] - target[index])
      }
    }
    return softmax(logits)
  }
}

@Suite("Generalist and specialists")
struct SpecialistTests {
  private static let sets: [[[Int32]]] = [
    [[0, 1, 2], [3, 4]],
    [[0, 1, 2], [2, 3, 4], [4, 5, 0]],
    [[0, 1, 2, 3], [1, 2], [1, 2]],
    [[7], [0, 1, 2, 3, 4, 5, 6]],
  ]

  private func frame(
    _ combination: SpecialistCombination, _ row: Int, _ generalist: Matrix, _ parts: [Matrix],
    n: Int
  ) -> Frame {
    Frame(
      generalist: Array(generalist.doubles[row]),
      specialists: combination.active(generalist.row(row), n: n).map {
        (combination.specialists[$0], Array(parts[$0].doubles[row]))
      })
  }

  @Test(
    "q is the minimum, by gradient descent and by the full update, for any sets",
    arguments: sets.indices, [1, 3, 8])
  func minimum(sets: Int, n: Int) {
    // Seeds 101 to 105: 12 frames of 8 classes.
    let own = SpecialistTests.sets[sets]
    let combination = SpecialistCombination(classes: 8, specialists: own)
    let generalist = distributions(12, 8, seed: 101)
    let parts = own.enumerated().map {
      distributions(12, $1.count + 1, seed: 102 + UInt64($0))
    }
    let q = combination.combined(generalist, parts, n: n).doubles.map(Array.init)
    for row in 0..<12 {
      let frame = frame(combination, row, generalist, parts, n: n)
      #expect(mismatch(q[row].reduce(0, +), 1, absolute: 1e-6) == nil)
      if frame.specialists.isEmpty {
        #expect(q[row] == frame.generalist)
        continue
      }
      let descended = frame.descended()
      #expect(frame.objective(q[row]) <= frame.objective(descended) + 1e-6)
      var updated = [Double](repeating: 1.0 / 8, count: 8)
      var last = Double.infinity
      for _ in 0..<5000 {
        updated = frame.updated(updated)
        // The objective never rises.
        let now = frame.objective(updated)
        #expect(now <= last + 1e-12)
        last = now
      }
      for (found, expected) in zip(q[row], updated) {
        #expect(mismatch(found, expected, absolute: 2e-4) == nil)
      }
      for (found, expected) in zip(descended, updated) {
        #expect(mismatch(found, expected, absolute: 1e-3) == nil)
      }
    }
  }

  @Test("one active specialist has the closed form, and none leaves the generalist as it is")
  func closedForm() {
    let combination = SpecialistCombination(classes: 5, specialists: [[1, 3]])
    let generalist = Matrix(
      rows: 2, columns: 5, values: [0.1, 0.4, 0.1, 0.2, 0.2, 0.6, 0.1, 0.1, 0.1, 0.1])
    let part = Matrix(rows: 2, columns: 3, values: [0.5, 0.1, 0.4, 0.2, 0.3, 0.5])
    let q = combination.combined(generalist, [part])
    // Inside: the mean of both; outside: the generalist's proportions of (0.4 + 0.4) / 2.
    let expected: [Float] = [0.1, 0.45, 0.1, 0.15, 0.2]
    #expect(mismatch(Array(q.values[..<5]), expected, absolute: 1e-6) == nil)
    #expect(q.values[5...] == generalist.values[5...])
  }

  @Test("probabilities of zero, and all mass in a dustbin, leave a distribution")
  func degenerate() {
    let combination = SpecialistCombination(classes: 4, specialists: [[0, 1], [0], [0, 1, 2]])
    let generalist = Matrix(rows: 3, columns: 4, values: [1, 0, 0, 0, 1, 0, 0, 0, 0.5, 0, 0, 0.5])
    let parts = [
      Matrix(rows: 3, columns: 3, values: [0, 0, 1, 1, 0, 0, 0, 1, 0]),
      Matrix(rows: 3, columns: 2, values: [0, 1, 1, 0, 0.5, 0.5]),
      Matrix(rows: 3, columns: 4, values: [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0]),
    ]
    let q = combination.combined(generalist, parts)
    for row in q.doubles {
      #expect(row.allSatisfy { $0.isFinite && $0 >= 0 })
      #expect(mismatch(row.reduce(0, +), 1, absolute: 1e-5) == nil)
    }
    // What all agree on is so.
    #expect(mismatch(Array(q.values[4..<8]), [1, 0, 0, 0], absolute: 1e-4) == nil)
    // A class that two of four leave to the dustbin, of which nothing else is said.
    #expect(q[0, 0] < 0.5 && q[0, 3] > 0.3)
  }

  @Test("the active specialists are those that have one of the n most probable classes")
  func active() {
    let combination = SpecialistCombination(classes: 5, specialists: [[0, 1], [2], [1, 4]])
    let generalist = Matrix(rows: 1, columns: 5, values: [0.1, 0.3, 0.2, 0.35, 0.05])
    #expect(combination.active(generalist.row(0), n: 1) == [])
    #expect(combination.active(generalist.row(0), n: 2) == [0, 2])
    #expect(combination.active(generalist.row(0), n: 3) == [0, 1, 2])
  }
}

@Suite("Clusters of classes")
struct ClassClusterTests {
  @Test("the covariance is that of a naive sum, in one pass or in several")
  func covariance() {
    // Seed 111: 200 frames of 7 classes.
    let posteriors = distributions(200, 7, seed: 111)
    var whole = PredictionCovariance(classes: 7)
    whole.add(posteriors)
    var first = PredictionCovariance(classes: 7)
    first.add(posteriors.rows(Array(0..<60)))
    first.add(posteriors.rows(Array(60..<200)), workers: Workers(count: 2))
    let rows = posteriors.doubles.map(Array.init)
    for a in 0..<7 {
      for b in 0..<7 {
        let means = [a, b].map { index in rows.reduce(0) { $0 + $1[index] } / 200 }
        let expected = rows.reduce(0) { $0 + ($1[a] - means[0]) * ($1[b] - means[1]) } / 200
        #expect(mismatch(whole.columns[a][b], expected, absolute: 1e-12) == nil)
        #expect(mismatch(first.columns[a][b], expected, absolute: 1e-12) == nil)
      }
    }
  }

  @Test("the covariance of groups is that of their summed probabilities")
  func groups() {
    // Seed 114: 50 frames of 6 classes.
    let posteriors = distributions(50, 6, seed: 114)
    let groups: [[Int32]] = [[0, 4], [1], [2, 3, 5]]
    var covariance = PredictionCovariance(classes: 6)
    covariance.add(posteriors)
    var summed = PredictionCovariance(classes: 3)
    summed.add(
      Matrix(
        rows: 50, columns: 3,
        values: (0..<50).flatMap { row in
          groups.map { $0.reduce(0) { $0 + posteriors[row, Int($1)] } }
        }))
    for (own, expected) in zip(covariance.columns(ofGroups: groups), summed.columns) {
      #expect(mismatch(own, expected, absolute: 1e-8) == nil)
    }
  }

  @Test("classes that are confused fall into one set", arguments: ClusteringOptions.Method.allCases)
  func sets(method: ClusteringOptions.Method) {
    // Seed 112: 12 classes in three groups of four; the classes of a group share each frame's mass at random.
    var generator = SeededGenerator(112)
    let frames = (0..<3000).map { frame -> [Float] in
      var row = [Float](repeating: 0, count: 12)
      let weights = (0..<4).map { _ in Float(generator.uniform()) }
      for place in 0..<4 { row[3 * place + frame % 3] = weights[place] / weights.reduce(0, +) }
      return row
    }
    var covariance = PredictionCovariance(classes: 12)
    covariance.add(Matrix(rows: 3000, columns: 12, values: frames.flatMap { $0 }))
    var options = ClusteringOptions()
    (options.clusters, options.method) = (3, method)
    let clusters = ClassClusters(covariance.columns, options: options, workers: Workers(count: 2))
    #expect(Set(clusters.sets) == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]])
    #expect(clusters == ClassClusters(covariance.columns, options: options))
    // Sets of a stated size overlap when they are larger than the groups.
    options.size = 6
    let larger = ClassClusters(covariance.columns, options: options)
    #expect(larger.sets.count == 3 && larger.sets.allSatisfy { $0.count == 6 })
    for (own, group) in zip(larger.sets, clusters.sets) { #expect(Set(own).isSuperset(of: group)) }
  }

  @Test(
    "by correlation, classes that are seldom predicted go with those that they are confused with")
  func correlation() {
    // Seed 115: two pairs of classes; those of the second are a hundredth as probable.
    var generator = SeededGenerator(115)
    let frames = (0..<2000).flatMap { frame -> [Float] in
      let share = Float(generator.uniform())
      let rare: Float = frame % 2 == 0 ? 0.01 : 0
      let often: Float = frame % 2 == 0 ? 0 : 0.9
      let row = [often * share, often * (1 - share), rare * share, rare * (1 - share)]
      return row + [1 - often - rare]
    }
    var covariance = PredictionCovariance(classes: 5)
    covariance.add(Matrix(rows: 2000, columns: 5, values: frames))
    var options = ClusteringOptions()
    (options.clusters, options.scale) = (2, .correlation)
    let clusters = ClassClusters(covariance.columns, options: options)
    #expect(Set(clusters.sets) == [[0, 1], [2, 3, 4]])
    // A set of a stated size has its own cluster first.
    options.size = 4
    let larger = ClassClusters(covariance.columns, options: options).sets
    #expect(larger.allSatisfy { $0.count == 4 })
    #expect(larger.contains { Set($0).isSuperset(of: [0, 1]) })
    #expect(larger.contains { Set($0).isSuperset(of: [2, 3, 4]) })
  }

  @Test("more starts are never worse")
  func restarts() {
    // Seed 113: 40 columns at random.
    let columns = Matrix.random(rows: 40, columns: 5, seed: 113).doubles.map(Array.init)
    var last = Double.infinity
    for restarts in [1, 3, 10] {
      var options = ClusteringOptions()
      (options.clusters, options.restarts) = (6, restarts)
      let inertia = ClassClusters(columns, options: options).inertia
      #expect(inertia <= last && inertia > 0)
      last = inertia
    }
  }
}
