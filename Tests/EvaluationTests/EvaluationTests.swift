import Classes
import Corpus
import Evaluation
import Foundation
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

/// A tally of an utterance whose first frames are right.
private func tally(_ correct: Int, of frames: Int, silence: Int = 0) -> FrameTally {
  FrameTally(
    predicted: (0..<frames).map { $0 < correct ? Int32($0 < silence ? 1 : 0) : 2 },
    labels: (0..<frames).map { $0 < silence ? 1 : 0 }, isSilence: [false, true, false])
}

/// Posteriors that are sure of some classes.
private func oneHot(_ classes: [Int], of count: Int) -> Matrix {
  Matrix(
    rows: classes.count, columns: count,
    values: classes.flatMap { own in (0..<count).map { $0 == own ? 1 : 0 } })
}

@Suite("Tallies and intervals")
struct EvaluationTests {
  @Test("frames are counted with and without silence")
  func tallies() {
    let tally = FrameTally(
      predicted: [0, 1, 1, 2, 2], labels: [0, 1, 0, 1, 2], isSilence: [false, true, false])
    #expect(tally.frames == 5)
    #expect(tally.correct == 3)
    #expect(tally.speechFrames == 3)
    #expect(tally.speechCorrect == 2)
  }

  @Test("accuracy weighs utterances by their frames and their draws")
  func accuracies() {
    let tallies = [tally(1, of: 2), tally(8, of: 8)]
    #expect(accuracy(of: tallies, weights: [1, 1]) == 0.9)
    #expect(accuracy(of: tallies, weights: [2, 0]) == 0.5)
    #expect(
      meanAccuracy(of: [tallies, [tally(0, of: 2), tally(0, of: 8)]], weights: [1, 1]) == 0.45)
    #expect(accuracy(of: tallies, weights: [0, 0]).isNaN)
  }

  @Test("one unit has no interval, and tables say so")
  func oneUnit() throws {
    let bootstrap = Bootstrap(utterances: 1, resamples: 40, seed: 1)
    let set = SetScore(meanOf: [[tally(3, of: 9)]], speakers: nil, bootstrap: bootstrap)
    #expect(set.low == nil && set.high == nil && set.halfWidth == nil)
    let difference = try #require(
      ComparisonScore(
        "student - baseline", [[tally(3, of: 9)]], minus: [[tally(2, of: 9)]],
        bootstrap: bootstrap))
    #expect(difference.low == nil && difference.pValue == nil)
    let score = SystemScore(
      system: "student", parameters: 1, framesPerSecond: nil, development: set, test: set)
    let report = ScoreReport(rules: "", systems: [score], comparisons: [difference])
    #expect(report.table.contains("33.33") && !report.table.contains("±"))
    #expect(report.table.contains("none (a single utterance or speaker)"))
    let again = try JSONDecoder().decode(
      ScoreReport.self, from: Data(JSONText.document(report).utf8))
    #expect(again == report)
  }

  @Test("the interval of a mean is the normal one's for many utterances")
  func interval() throws {
    // Seed 91: 400 utterances of 10 frames with binomial counts.
    var generator = SeededGenerator(91)
    let tallies = (0..<400).map { _ in
      tally((0..<10).count { _ in generator.uniform() < 0.6 }, of: 10)
    }
    let bootstrap = Bootstrap(utterances: 400, resamples: 4000, seed: 92)
    let interval = try #require(bootstrap.interval { accuracy(of: tallies, weights: $0) })
    let value = accuracy(of: tallies, weights: Array(repeating: 1, count: 400))
    let deviation = (0.24 / 4000).squareRoot()
    // The bounds of 4,000 resamples are known to about 5 % of their distance.
    #expect(mismatch(interval.low, value - 1.96 * deviation, absolute: 0.2 * deviation) == nil)
    #expect(mismatch(interval.high, value + 1.96 * deviation, absolute: 0.2 * deviation) == nil)
  }

  @Test("speakers are drawn whole when they are known")
  func speakers() throws {
    // Two speakers whose utterances are all alike: a resample has one, the other, or both.
    let tallies = (0..<20).map { tally($0 < 10 ? 2 : 8, of: 10) }
    let speakers = Speakers((0..<20).map { $0 < 10 ? "a" : "b" })
    #expect(speakers.count == 2)
    let bootstrap = Bootstrap(utterances: 20, speakers: speakers, resamples: 400, seed: 96)
    var seen: Set<Double> = []
    let interval = try #require(
      bootstrap.interval { weights in
        #expect(Set(weights[..<10]).count == 1 && Set(weights[10...]).count == 1)
        seen.insert(accuracy(of: tallies, weights: weights))
        return accuracy(of: tallies, weights: weights)
      })
    #expect(seen == [0.2, 0.5, 0.8])
    #expect(interval.low == 0.2 && interval.high == 0.8)
    #expect(bootstrap.unit == .speakers)
    // One speaker has no spread.
    let alone = Bootstrap(
      utterances: 2, speakers: Speakers(["a", "a"]), resamples: 40, seed: 1)
    #expect(alone.unit == .utterances)
  }

  @Test("the p-value is the share of signs that reach the difference")
  func pValues() {
    // Ten units with a difference of 1: of 1,024 signs two reach it, 0.00195.
    let ten = Bootstrap(utterances: 10, resamples: 20_000, seed: 97)
    let p = ten.pValue(ofDifferences: Array(repeating: 1, count: 10))
    #expect(mismatch(p, 2.0 / 1024, absolute: 5 * (2.0 / 1024 / 20_000).squareRoot()) == nil)
    // Three of them are one speaker's: eight units, whose signs reach it twice in 256.
    let names = ["a", "a", "a", "b", "c", "d", "e", "f", "g", "h"]
    let eight = Bootstrap(
      utterances: 10, speakers: Speakers(names), resamples: 20_000, seed: 97)
    let other = eight.pValue(ofDifferences: Array(repeating: 1, count: 10))
    #expect(mismatch(other, 2.0 / 256, absolute: 5 * (2.0 / 256 / 20_000).squareRoot()) == nil)
    #expect(ten.pValue(ofDifferences: Array(repeating: 0, count: 10)) == 1)
  }

  @Test("p-values of systems that are alike are spread evenly")
  func pValuesUnderNull() {
    // Seeds from 2000: 400 pairs of systems whose differences are at random.
    let small = (0..<400).count { trial in
      var generator = SeededGenerator(2000 + UInt64(trial))
      let differences = (0..<25).map { _ in generator.uniform() - 0.5 }
      let bootstrap = Bootstrap(utterances: 25, resamples: 200, seed: UInt64(trial))
      return bootstrap.pValue(ofDifferences: differences) <= 0.1
    }
    // 40 are expected, give or take five standard deviations of 6.
    #expect((10...70).contains(small))
  }

  @Test("likelihood and calibration come from the posteriors")
  func confidence() throws {
    let posteriors = Matrix(
      rows: 4, columns: 2, values: [0.9, 0.1, 0.9, 0.1, 0.4, 0.6, 1, 0])
    var own = FrameTally(
      predicted: [0, 0, 1, 0], labels: [0, 1, 1, 0], isSilence: [false, false])
    own.addConfidence(of: posteriors, labels: [0, 1, 1, 0])
    let expected = -(log(0.9) + log(0.1) + log(0.6) + log(1.0))
    #expect(mismatch(own.logLoss, expected, absolute: 1e-6) == nil)
    // Two of confidence 0.9, of which one is right: 0.4 off; one of 0.6, right; one of 1, right.
    let calibration = Calibration([own], weights: [1])
    #expect(mismatch(calibration.expectedError, (0.8 + 0.4 + 0) / 4, absolute: 1e-6) == nil)
    #expect(calibration.bins.map(\.frames).reduce(0, +) == 4)
    #expect(calibration.bins[13].frames == 2 && calibration.bins[13].correct == 1)
    #expect(calibration.bins[14].frames == 1)
    #expect(Calibration([own, own], weights: [0, 3]).bins[13].frames == 6)
    let bootstrap = Bootstrap(utterances: 2, resamples: 40, seed: 1)
    let score = SetScore(meanOf: [[own, own]], speakers: nil, bootstrap: bootstrap)
    let likelihood = try #require(score.negativeLogLikelihood)
    #expect(mismatch(likelihood.value, expected / 4, absolute: 1e-6) == nil)
    #expect(likelihood.low == likelihood.value && likelihood.high == likelihood.value)
    // Nothing is less probable than 1e-30.
    own.addConfidence(of: Matrix(rows: 1, columns: 2, values: [1, 0]), labels: [1])
    #expect(mismatch(own.logLoss, expected + 30 * log(10), absolute: 1e-6) == nil)
  }

  @Test("the interval of 95 % covers the truth about 95 times in 100")
  func coverage() throws {
    // Seeds from 1000: 200 corpora of 60 utterances whose accuracies vary around 0.5.
    var covered = 0
    for trial in 0..<200 {
      var generator = SeededGenerator(1000 + UInt64(trial))
      let tallies = (0..<60).map { _ in tally(generator.integer(below: 21), of: 20) }
      let bootstrap = Bootstrap(utterances: 60, resamples: 400, seed: UInt64(trial))
      let interval = try #require(bootstrap.interval { accuracy(of: tallies, weights: $0) })
      if (interval.low...interval.high).contains(0.5) { covered += 1 }
    }
    // Five standard deviations of 200 draws at 0.95, on the low side.
    #expect(covered >= 175)
  }

  @Test("the seed decides, and the same draws pair two systems")
  func paired() throws {
    var generator = SeededGenerator(93)
    let counts = (0..<50).map { _ in generator.integer(below: 10) }
    let weak = counts.map { tally($0, of: 10) }
    let strong = counts.map { tally($0 + 1, of: 10) }
    let bootstrap = Bootstrap(utterances: 50, resamples: 200, seed: 94)
    let difference = try #require(
      bootstrap.interval { accuracy(of: strong, weights: $0) - accuracy(of: weak, weights: $0) })
    // Each utterance gains one frame of ten, so every resample gains exactly that.
    #expect(mismatch(difference.low, 0.1, absolute: 1e-12) == nil)
    #expect(mismatch(difference.high, 0.1, absolute: 1e-12) == nil)
    let same = Bootstrap(utterances: 50, resamples: 200, seed: 94)
    let other = Bootstrap(utterances: 50, resamples: 200, seed: 95)
    let statistic: ([Int32]) -> Double = { accuracy(of: weak, weights: $0) }
    #expect(bootstrap.interval(statistic) == same.interval(statistic))
    #expect(bootstrap.interval(statistic) != other.interval(statistic))
  }

  @Test("a statistic that is never finite has no interval")
  func noInterval() {
    #expect(Bootstrap(utterances: 3, resamples: 40, seed: 1).interval { _ in .nan } == nil)
  }

  @Test(
    "rates have three digits at least, and hundreds at most",
    arguments: [
      (58.34, "58"), (582.6, "583"), (2638, "2,640"), (199_412, "199,400"), (0.254, "0.25"),
    ])
  func rates(framesPerSecond: Double, expected: String) throws {
    let tallies = [tally(50, of: 100, silence: 20), tally(50, of: 100, silence: 20)]
    let bootstrap = Bootstrap(utterances: 2, resamples: 40, seed: 1)
    let score = SetScore(meanOf: [tallies], speakers: nil, bootstrap: bootstrap)
    let report = ScoreReport(
      rules: "",
      systems: [
        SystemScore(
          system: "s", parameters: 1, framesPerSecond: framesPerSecond, development: score,
          test: score)
      ], comparisons: [])
    #expect(report.systemTable?.rows[1][2] == expected)
  }

  @Test("the table shows accuracies in per cent with half of their intervals")
  func table() {
    let tallies = [tally(50, of: 100, silence: 20), tally(50, of: 100, silence: 20)]
    let bootstrap = Bootstrap(utterances: 2, resamples: 40, seed: 1)
    let score = SetScore(meanOf: [tallies], speakers: nil, bootstrap: bootstrap)
    let report = ScoreReport(
      rules: "Rules.",
      systems: [
        SystemScore(
          system: "baseline", parameters: 1_234_567, framesPerSecond: 12345.6, development: score,
          test: score)
      ],
      comparisons: [
        ComparisonScore("share", utterances: 2, bootstrap: bootstrap) { _ in 0.0125 },
        ComparisonScore("a - b", [tallies], minus: [tallies], bootstrap: bootstrap),
      ].compactMap { $0 })
    #expect(
      report.table == """
        | system   | parameters | frames/s | development % |       test % | test % without silence | test NLL | test ECE % |
        | -------- | ---------: | -------: | ------------: | -----------: | ---------------------: | -------: | ---------: |
        | baseline |  1,234,567 |   12,300 |  50.00 ± 0.00 | 50.00 ± 0.00 |           37.50 ± 0.00 |    0.000 |            |

        | on the test set, paired | value | 95 % interval |      p |
        | ----------------------- | ----: | ------------: | -----: |
        | share                   |  1.25 |  1.25 to 1.25 |        |
        | a - b                   |  0.00 |  0.00 to 0.00 | 1.0000 |

        Rules.

        """)
  }
}

@Suite("Scoring rules")
struct ScoringRuleTests {
  @Test("without a fold classes are compared as they are; the rules say what is silence")
  func plain() throws {
    let rules = try ScoringRules(ClassInventory(symbols: ["A", "B", "SIL"]), fold: nil)
    #expect(
      rules.text == """
        Frame accuracy: the class with the largest posterior against the alignment's. Classes: 3, \
        not folded. Silence (1: SIL) counts, unless it says without.
        """)
    let posteriors = oneHot([0, 1, 2], of: 3)
    var expected = FrameTally(
      predicted: [0, 1, 2], labels: [0, 0, 2], isSilence: [false, false, true])
    expected.addConfidence(of: posteriors, labels: [0, 0, 2])
    #expect(rules.tally(posteriors, labels: [0, 0, 2]) == expected)
  }

  @Test("a fold makes classes one, by their symbol or by the label of their states")
  func folded() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("ih ih\nix ih\ncl sil\nvcl_1 sil_9\nvcl sil\n", to: "48-39.map")
    let classes = ClassInventory(
      symbols: ["ih_1", "ih_2", "ix_1", "ix_2", "cl_1", "vcl_1", "vcl_2"])
    let rules = try ScoringRules(classes, fold: path)
    #expect(rules.classes.symbols == ["ih_1", "ih_2", "sil_1", "sil_2", "sil_9"])
    let tally = rules.tally(oneHot([2, 3, 4, 5, 6], of: 7), labels: [0, 0, 6, 5, 6])
    #expect(tally.frames == 5 && tally.correct == 3 && tally.speechFrames == 2)
    #expect(rules.text.contains("Classes: 5, the model's 7 folded by 48-39.map before"))
    #expect(
      throws: FileFault.malformed(
        path: path, expected: "a line that maps the class aa_1", found: "none")
    ) { try ScoringRules(ClassInventory(symbols: ["aa_1"]), fold: path) }
  }

  @Test("a score says what it is of")
  func extent() {
    let tallies = [tally(1, of: 2), tally(8, of: 8)]
    let bootstrap = Bootstrap(utterances: 2, resamples: 40, seed: 1)
    func extent(_ speakers: [String]?) -> String {
      SetScore(meanOf: [tallies], speakers: speakers.map { Speakers($0) }, bootstrap: bootstrap)
        .extent
    }
    #expect(extent(["a", "b"]) == "10 frames of 2 utterances by 2 speakers")
    #expect(extent(["a", "a"]) == "10 frames of 2 utterances by 1 speaker")
    #expect(extent(nil) == "10 frames of 2 utterances, speakers unknown")
  }
}
