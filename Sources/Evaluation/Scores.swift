package import Storage
import Foundation

/// An accuracy with its interval, as it stands in `scores.json`.
package struct AccuracyScore: Sendable, Equatable, Codable {
  package let accuracy: Double
  /// The bounds of the 95 % bootstrap interval over utterances.
  package let low: Double
  package let high: Double
  package let frames: Int

  /// The mean of the accuracies of some systems; nil when no frame is in scope.
  ///
  /// - Parameters:
  ///   - systems: the tallies of each system, at least one, over the same utterances.
  ///   - scope: which frames count.
  ///   - bootstrap: made for as many utterances.
  init?(_ systems: [[FrameTally]], _ scope: FrameTally.Scope, bootstrap: Bootstrap) {
    frames = systems[0].reduce(0) { $0 + $1.frames(scope) }
    let once = [Int32](repeating: 1, count: systems[0].count)
    guard frames > 0,
      let interval = bootstrap.interval({ meanAccuracy(of: systems, weights: $0, scope) })
    else { return nil }
    accuracy = meanAccuracy(of: systems, weights: once, scope)
    (low, high) = (interval.low, interval.high)
  }

  package var halfWidth: Double { (high - low) / 2 }
}

/// The scores of one system on one set.
package struct SetScore: Sendable, Equatable, Codable {
  package let accuracy: Double
  package let low: Double
  package let high: Double
  package let frames: Int
  package let utterances: Int
  /// Whose they are; nil when it is not known.
  package let speakers: Int?
  /// The same over the frames whose true class is not silence; nil when all are silence or none is.
  package let withoutSilence: AccuracyScore?

  /// The mean of the accuracies of some systems.
  ///
  /// - Parameters:
  ///   - systems: one tally an utterance for each system, at least one, over the same utterances,
  ///     which together have at least one frame; the score is the mean of the systems' accuracies.
  ///   - speakers: whose utterances they are; nil when it is not known.
  ///   - bootstrap: made for as many utterances.
  package init(meanOf systems: [[FrameTally]], speakers: Int?, bootstrap: Bootstrap) {
    self.speakers = speakers
    guard let all = AccuracyScore(systems, .all, bootstrap: bootstrap) else {
      preconditionFailure("SetScore: no frames in \(systems[0].count) utterances")
    }
    (accuracy, low, high, frames) = (all.accuracy, all.low, all.high, all.frames)
    utterances = systems[0].count
    let speech = AccuracyScore(systems, .withoutSilence, bootstrap: bootstrap)
    withoutSilence = speech.flatMap { $0.frames < all.frames ? $0 : nil }
  }

  package var halfWidth: Double { (high - low) / 2 }
}

/// The scores of one system.
package struct SystemScore: Sendable, Equatable, Codable {
  /// `baseline`, `ensemble`, `student`, `member-00` …; `members` stands for their mean accuracy.
  package let system: String
  /// The number of weights and biases.
  package let parameters: Int
  /// Test frames classified in a second by one thread; nil for `members`.
  package let framesPerSecond: Double?
  package let development: SetScore
  package let test: SetScore

  package init(
    system: String, parameters: Int, framesPerSecond: Double?, development: SetScore, test: SetScore
  ) {
    (self.system, self.parameters, self.framesPerSecond) = (system, parameters, framesPerSecond)
    (self.development, self.test) = (development, test)
  }
}

/// A difference of two accuracies on the same utterances, or a ratio of such differences, with the
/// paired interval.
package struct ComparisonScore: Sendable, Equatable, Codable {
  /// What is compared, as in `student - baseline`.
  package let comparison: String
  package let value: Double
  package let low: Double
  package let high: Double

  /// - Returns: nil when the value or its interval is not finite.
  package init?(
    _ comparison: String, utterances: Int, bootstrap: Bootstrap,
    _ statistic: (_ weights: [Int32]) -> Double
  ) {
    let value = statistic(Array(repeating: 1, count: utterances))
    guard value.isFinite, let interval = bootstrap.interval(statistic) else { return nil }
    self.comparison = comparison
    self.value = value
    (low, high) = (interval.low, interval.high)
  }
}

/// What `scores.json` holds.
package struct ScoreReport: Sendable, Equatable, Codable {
  /// The rules that the scores follow, in words.
  package let rules: String
  package let systems: [SystemScore]
  /// Differences on the test set.
  package let comparisons: [ComparisonScore]

  package init(rules: String, systems: [SystemScore], comparisons: [ComparisonScore]) {
    (self.rules, self.systems, self.comparisons) = (rules, systems, comparisons)
  }

  /// Reads a `scores.json`.
  package init(path: String) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(ScoreReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "scores of limbeck", found: "other JSON or none")
    }
  }

  /// Writes a `scores.json`.
  package func write(to path: String) throws(FileFault) {
    try AtomicFile.write(JSONText.document(self), to: path)
  }
}
