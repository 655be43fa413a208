import Classes
import Corpus
import Evaluation
import Foundation
import LinearAlgebra
import Networks
import Storage
import TestSupport
import Testing

@Suite("Members of an ensemble, and a class that is held out")
struct StudyScoreTests {
  private let rules: ScoringRules

  init() throws {
    rules = try ScoringRules(ClassInventory(symbols: ["A_1", "A_2", "B_1", "C_1"]), fold: nil)
  }

  /// Logits of so many frames, three times as likely to be largest at the true class.
  private func logits(_ generator: inout SeededGenerator, _ labels: [Int32]) -> Matrix {
    Matrix(
      rows: labels.count, columns: 4,
      values: labels.flatMap { truth in
        (0..<4).map { Float(generator.normal()) + ($0 == Int(truth) ? 1 : 0) }
      })
  }

  @Test("the curve is that of ensembles made one by one, and the measures are the definitions")
  func memberCurve() throws {
    // Seed 61: 5 utterances of 30 frames, 3 members.
    var generator = SeededGenerator(61)
    let labels = (0..<5).map { _ in (0..<30).map { _ in Int32(generator.integer(below: 4)) } }
    let posteriors = labels.map { own in
      (0..<3).map { _ in
        var matrix = logits(&generator, own)
        matrix.replaceRowsBySoftmax(temperature: 1)
        return matrix
      }
    }
    let tallies = zip(labels, posteriors).map {
      MemberTally(posteriors: $1, terms: $1, labels: $0, by: rules)
    }
    let bootstrap = Bootstrap(utterances: 5, resamples: 50, seed: 1)
    // Another set for development: its first utterance alone, which must not be taken for the test's.
    let one = Bootstrap(utterances: 1, resamples: 50, seed: 1)
    let curve = try #require(
      MemberCurve(development: Array(tallies.prefix(1)), one, test: tallies, bootstrap))
    #expect(curve.points.allSatisfy { $0.development.frames == 30 && $0.test.frames == 150 })
    #expect(curve.points.map(\.members) == [1, 2, 3])
    // Each size by hand: the mean over the rings.
    for (size, rings) in [
      (1, [[0], [1], [2]]), (2, [[0, 1], [1, 2], [2, 0]]), (3, [[0, 1, 2]]),
    ] {
      var correct = 0
      for (own, members) in zip(labels, posteriors) {
        for ring in rings {
          for frame in 0..<30 {
            var sums = [Float](repeating: 0, count: 4)
            for member in ring {
              for index in 0..<4 { sums[index] += members[member].values[4 * frame + index] }
            }
            correct += sums.firstIndex(of: sums.max() ?? 0) == Int(own[frame]) ? 1 : 0
          }
        }
      }
      let expected = Double(correct) / Double(150 * rings.count)
      #expect(mismatch(curve.points[size - 1].test.accuracy, expected, absolute: 1e-12) == nil)
    }
    var (differing, divergence) = (0, 0.0)
    for members in posteriors {
      let choices = members.map { $0.largestColumns() }
      for frame in 0..<30 {
        for (a, b) in [(0, 1), (0, 2), (1, 2)] where choices[a][frame] != choices[b][frame] {
          differing += 1
        }
        for index in 0..<4 {
          let values = members.map { Double($0.values[4 * frame + index]) }
          let mean = values.reduce(0, +) / 3
          divergence += values.reduce(0) { $0 + $1 * log($1 / mean) } / 3
        }
      }
    }
    let disagreement = try #require(curve.disagreement)
    #expect(mismatch(disagreement.value, Double(differing) / 450, absolute: 1e-12) == nil)
    #expect(mismatch(try #require(curve.divergence).value, divergence / 150, absolute: 1e-5) == nil)
  }

  @Test("members that are alike do not disagree, and a single one has no other")
  func alikeMembers() throws {
    // Seed 62.
    var generator = SeededGenerator(62)
    let labels = (0..<20).map { _ in Int32(generator.integer(below: 4)) }
    var matrix = logits(&generator, labels)
    matrix.replaceRowsBySoftmax(temperature: 1)
    let bootstrap = Bootstrap(utterances: 2, resamples: 40, seed: 1)
    func curve(_ members: Int) -> MemberCurve? {
      let all = Array(repeating: matrix, count: members)
      let tally = MemberTally(posteriors: all, terms: all, labels: labels, by: rules)
      return MemberCurve(
        development: [tally, tally], bootstrap, test: [tally, tally], bootstrap)
    }
    let two = try #require(curve(2))
    #expect(two.disagreement?.value == 0)
    #expect(abs(try #require(two.divergence).value) < 1e-6)
    #expect(two.points[0].test == two.points[1].test)
    let one = try #require(curve(1))
    #expect(one.points.count == 1 && one.disagreement == nil && one.divergence == nil)
  }

  @Test("the best offset of a label's logits is that of a search over a fine grid")
  func bestOffset() {
    // Seed 63: 40 frames; the label A is rarely chosen, as by a network that never saw it.
    var generator = SeededGenerator(63)
    let labels = (0..<40).map { _ in Int32(generator.integer(below: 4)) }
    var matrix = logits(&generator, labels)
    matrix.withRows(0..<40) { _, row in
      row[0] -= 3
      row[1] -= 3
    }
    let own: Set<Int32> = [0, 1]
    func correct(_ offset: Float) -> Int {
      var raised = matrix
      raised.withRows(0..<40) { _, row in
        row[0] += offset
        row[1] += offset
      }
      return zip(raised.largestColumns(), labels).count { $0 == $1 }
    }
    let choices = [LabelChoices(matrix, labels: labels, own: own, by: rules)]
    let found = LabelChoices.bestOffset(choices)
    let grid = (-800...800).map { Float($0) / 100 }
    #expect(correct(Float(found)) == grid.map(correct).max())
    #expect(correct(Float(found)) > correct(0))
    let bootstrap = Bootstrap(utterances: 1, resamples: 40, seed: 1)
    for offset in [0, found] {
      let score = MissingClassScore.System("s", choices, offset: offset, bootstrap)
      #expect(score?.ofAll.accuracy == Double(correct(Float(offset))) / 40)
      #expect(score?.ofLabel.frames == labels.count { own.contains($0) })
    }
    // Logits that need none get none.
    let right = Matrix(rows: 2, columns: 4, values: [5, 0, 0, 0, 0, 0, 5, 0])
    #expect(
      LabelChoices.bestOffset([LabelChoices(right, labels: [0, 2], own: own, by: rules)]) == 0)
    // A label that is never right is best held below all others.
    let wrong = LabelChoices(right, labels: [2, 2], own: own, by: rules)
    #expect(LabelChoices.bestOffset([wrong]) < -5)
  }

  @Test("frames are counted by how many specialists have their class")
  func coverage() throws {
    let rules = try ScoringRules(ClassInventory(symbols: ["A", "B", "C", "D"]), fold: nil)
    // A has no specialist, B one, C and D two.
    func tally(_ generalist: [Int32], _ combined: [Int32], _ labels: [Int32], _ active: Int)
      -> CoverageTally
    {
      CoverageTally(
        generalist: generalist, combined: combined, labels: labels, coverage: [0, 1, 2, 2],
        activeSpecialists: active, by: rules)
    }
    let score = SpecialistScore(
      [
        tally([0, 1, 0, 3], [0, 1, 2, 2], [0, 1, 2, 3], 7),
        tally([0, 0, 2, 2, 2], [1, 1, 2, 3, 2], [0, 1, 2, 3, 2], 2),
      ], bootstrap: Bootstrap(utterances: 2, resamples: 40, seed: 1), costs: [], comparisons: [])
    #expect(score.activeAFrame == 1)
    #expect(score.coverage.map(\.specialists) == [0, 1, 2])
    #expect(score.coverage.map(\.generalist.frames) == [2, 2, 5])
    #expect(score.coverage.map(\.generalist.accuracy) == [1, 0.5, 0.6])
    #expect(score.coverage.map(\.combined.accuracy) == [0.5, 1, 0.8])
    #expect(score.whole.map(\.generalist.frames) == [9, 7])
    #expect(mismatch(score.whole[1].gain.value, 6.0 / 7 - 4.0 / 7, absolute: 1e-12) == nil)
  }
}
