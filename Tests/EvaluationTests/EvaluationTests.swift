import Corpus
import Evaluation
import LinearAlgebra
import Storage
import TestSupport
import Testing

/// A tally of an utterance whose first frames are right.
private func tally(_ correct: Int, of frames: Int, silence: Int = 0) -> FrameTally {
  FrameTally(
    predicted: (0..<frames).map { $0 < correct ? Int32($0 < silence ? 1 : 0) : 2 },
    labels: (0..<frames).map { $0 < silence ? 1 : 0 }, isSilence: [false, true, false])
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

  @Test("the table shows accuracies in per cent with half of their intervals")
  func table() {
    let tallies = [tally(50, of: 100, silence: 20), tally(50, of: 100, silence: 20)]
    let bootstrap = Bootstrap(utterances: 2, resamples: 40, seed: 1)
    let score = SetScore(meanOf: [tallies], speakers: 3, bootstrap: bootstrap)
    let report = ScoreReport(
      rules: "Rules.",
      systems: [
        SystemScore(
          system: "baseline", parameters: 1_234_567, framesPerSecond: 12345.6, development: score,
          test: score)
      ],
      comparisons: [
        ComparisonScore("student - baseline", utterances: 2, bootstrap: bootstrap) { _ in 0.0125 }
      ].compactMap { $0 })
    #expect(
      report.table == """
        | system   | parameters | frames/s | development % |       test % | test % without silence |
        | -------- | ---------: | -------: | ------------: | -----------: | ---------------------: |
        | baseline |  1,234,567 |   12,300 |  50.00 ± 0.00 | 50.00 ± 0.00 |           37.50 ± 0.00 |

        | on the test set, paired | value | 95 % interval |
        | ----------------------- | ----: | ------------: |
        | student - baseline      |  1.25 |  1.25 to 1.25 |

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
    let tally = rules.tally(predicted: [0, 1, 2], labels: [0, 0, 2])
    #expect(
      tally
        == FrameTally(predicted: [0, 1, 2], labels: [0, 0, 2], isSilence: [false, false, true]))
  }

  @Test("a fold makes classes one, by their symbol or by the label of their states")
  func folded() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("ih ih\nix ih\ncl sil\nvcl_1 sil_9\nvcl sil\n", to: "48-39.map")
    let classes = ClassInventory(
      symbols: ["ih_1", "ih_2", "ix_1", "ix_2", "cl_1", "vcl_1", "vcl_2"])
    let rules = try ScoringRules(classes, fold: path)
    #expect(rules.classes.symbols == ["ih_1", "ih_2", "sil_1", "sil_2", "sil_9"])
    let tally = rules.tally(predicted: [2, 3, 4, 5, 6], labels: [0, 0, 6, 5, 6])
    #expect(tally.frames == 5 && tally.correct == 3 && tally.speechFrames == 2)
    #expect(rules.text.contains("Classes: 5, the model's 7 folded by 48-39.map before"))
    #expect(
      throws: FileFault.malformed(
        path: path, expected: "what the class aa_1 stands for", found: "none")
    ) { try ScoringRules(ClassInventory(symbols: ["aa_1"]), fold: path) }
  }

  @Test("a score says what it is of")
  func extent() {
    let tallies = [tally(1, of: 2), tally(8, of: 8)]
    let bootstrap = Bootstrap(utterances: 2, resamples: 40, seed: 1)
    func extent(_ speakers: Int?) -> String {
      SetScore(meanOf: [tallies], speakers: speakers, bootstrap: bootstrap).extent
    }
    #expect(extent(2) == "10 frames of 2 utterances by 2 speakers")
    #expect(extent(1) == "10 frames of 2 utterances by 1 speaker")
    #expect(extent(nil) == "10 frames of 2 utterances, speakers unknown")
  }
}
