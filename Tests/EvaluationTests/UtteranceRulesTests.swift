import Classes
import Evaluation
import Foundation
import LinearAlgebra
import TestSupport
import Testing

@Suite("Decisions on whole utterances")
struct UtteranceRulesTests {
  private func rules(_ symbols: [String]) throws -> UtteranceRules {
    UtteranceRules(try ScoringRules(ClassInventory(symbols: symbols), fold: nil))
  }

  @Test("the label with the largest sum of log posteriors, its states summed, silence excluded")
  func decision() throws {
    let symbols = ["one_1", "one_2", "SIL_1", "two_1", "two_2"]
    let rules = try rules(symbols)
    #expect(rules.labels == ["one", "two"])
    // Silence is the most probable; two is best in most frames, but one in sum.
    let posteriors = Matrix(
      rows: 3, columns: 5,
      values: [
        0.10, 0.05, 0.60, 0.10, 0.15,
        0.05, 0.10, 0.60, 0.20, 0.05,
        0.30, 0.00, 0.60, 0.01, 0.09,
      ])
    #expect(rules.decision(posteriors) == 0)
    // A naive twin on random distributions.
    var generator = SeededGenerator(7)
    for _ in 0..<50 {
      var values = (0..<60).map { _ in Float(generator.integer(below: 1000) + 1) }
      for frame in 0..<12 {
        let sum = values[5 * frame..<5 * frame + 5].reduce(0, +)
        for place in 0..<5 { values[5 * frame + place] /= sum }
      }
      let sums = [[0, 1], [3, 4]].map { classes in
        (0..<12).reduce(0.0) { sum, frame in
          sum + log(classes.reduce(0.0) { $0 + Double(values[5 * frame + $1]) })
        }
      }
      let decided = rules.decision(Matrix(rows: 12, columns: 5, values: values))
      #expect(decided == (sums[1] > sums[0] ? 1 : 0))
    }
  }

  @Test("an utterance has a label if its frames have one besides silence")
  func truth() throws {
    let rules = try rules(["A", "SIL", "B"])
    #expect(try rules.truth([1, 2, 2, 1]) == 1)
    let several = #expect(throws: UndecidedLabel.self) { try rules.truth([0, 2]) }
    #expect(several?.description.hasSuffix("found 2: A, B") == true)
    let none = #expect(throws: UndecidedLabel.self) { try rules.truth([1, 1]) }
    #expect(none?.description.hasSuffix("found none") == true)
  }

  @Test("the accuracy is the share of right decisions, with an interval over speakers")
  func score() throws {
    let decisions = (0..<8).map {
      UtteranceScore.Decision(utterance: "\($0)", label: "a", decision: $0 < 6 ? "a" : "b")
    }
    let bootstrap = Bootstrap(
      utterances: 8, speakers: Speakers((0..<8).map { "\($0 / 2)" }), resamples: 400, seed: 1)
    let score = UtteranceScore(decisions, labels: 2, bootstrap: bootstrap)
    #expect(score.accuracy == 0.75 && score.labels == 2)
    let (low, high) = (try #require(score.low), try #require(score.high))
    #expect(low < 0.75 && high == 1)
  }
}
