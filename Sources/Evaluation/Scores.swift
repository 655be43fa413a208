package import Storage
package import SystemPackage
import Foundation

/// An accuracy with its interval, as in `scores.json`.
package struct AccuracyScore: Sendable, Equatable, Codable {
  /// The accuracy, from 0 to 1.
  package let accuracy: Double
  /// The lower bound of the 95 % bootstrap interval; nil for a single utterance or speaker.
  package let low: Double?
  /// The upper bound of the interval, nil like the lower one.
  package let high: Double?
  /// The number of frames in scope.
  package let frames: Int

  /// The mean accuracy of some systems; nil when no frames, or too few for resampling, are in
  /// scope.
  ///
  /// - Parameters:
  ///   - systems: for each system, at least one, the tallies of the same utterances.
  ///   - scope: the frames to count.
  ///   - bootstrap: a bootstrap for those utterances.
  package init?(_ systems: [[FrameTally]], _ scope: FrameTally.Scope, bootstrap: Bootstrap) {
    frames = systems[0].reduce(0) { $0 + $1.frames(scope) }
    let once = [Int32](repeating: 1, count: systems[0].count)
    let interval = bootstrap.interval { meanAccuracy(of: systems, weights: $0, scope) }
    guard frames > 0, interval != nil || !bootstrap.hasIntervals else { return nil }
    accuracy = meanAccuracy(of: systems, weights: once, scope)
    (low, high) = (interval?.low, interval?.high)
  }

  /// Half the width of the interval; nil when there is no interval.
  package var halfWidth: Double? { width(low, high).map { $0 / 2 } }
}

/// A statistic with its 95 % bootstrap interval.
package struct Estimate: Sendable, Equatable, Codable {
  /// The statistic over all utterances, each counted once.
  package let value: Double
  /// The lower bound of the interval; nil for a single utterance or speaker.
  package let low: Double?
  /// The upper bound of the interval, nil like the lower one.
  package let high: Double?

  /// Computes a statistic; nil when its value or its interval is not finite.
  ///
  /// - Parameters:
  ///   - utterances: the number of utterances.
  ///   - bootstrap: a bootstrap for those utterances.
  ///   - statistic: computes the statistic from how often each utterance counts.
  package init?(
    utterances: Int, bootstrap: Bootstrap, _ statistic: (_ weights: [Int32]) -> Double
  ) {
    value = statistic(Array(repeating: 1, count: utterances))
    let interval = bootstrap.interval(statistic)
    guard value.isFinite, interval != nil || !bootstrap.hasIntervals else { return nil }
    (low, high) = (interval?.low, interval?.high)
  }
}

/// The scores of one system on one set.
package struct SetScore: Sendable, Equatable, Codable {
  /// The accuracy on all frames, from 0 to 1.
  package let accuracy: Double
  /// The lower bound of its 95 % bootstrap interval; nil for a single utterance or speaker.
  package let low: Double?
  /// The upper bound of the interval, nil like the lower one.
  package let high: Double?
  /// The number of frames.
  package let frames: Int
  /// The number of utterances.
  package let utterances: Int
  /// The number of speakers; nil when they are not known.
  package let speakers: Int?
  /// The accuracy on frames whose true class is not silence; nil when all frames are silence or
  /// none are.
  package let withoutSilence: AccuracyScore?
  /// The mean over frames of −ln p of the true class, in nats; nil when it is not finite.
  package let negativeLogLikelihood: Estimate?
  /// The expected calibration error, from 0 to 1; see `Calibration.expectedError`.
  package let calibrationError: Estimate?
  /// The bins behind the calibration error; nil for a mean of several systems.
  package let calibration: Calibration?

  /// The mean scores of some systems.
  ///
  /// - Parameters:
  ///   - systems: for each system, at least one, the tallies of the same utterances, which together
  ///     have at least one frame. Each figure is the mean of the systems' figures.
  ///   - speakers: the utterances' speakers; nil when they are not known.
  ///   - bootstrap: a bootstrap for those utterances.
  package init(meanOf systems: [[FrameTally]], speakers: Speakers?, bootstrap: Bootstrap) {
    self.speakers = speakers?.count
    guard let all = AccuracyScore(systems, .all, bootstrap: bootstrap) else {
      preconditionFailure("SetScore: no frames in \(systems[0].count) utterances")
    }
    (accuracy, low, high, frames) = (all.accuracy, all.low, all.high, all.frames)
    utterances = systems[0].count
    let speech = AccuracyScore(systems, .withoutSilence, bootstrap: bootstrap)
    withoutSilence = speech.flatMap { $0.frames < all.frames ? $0 : nil }
    func mean(_ figure: (_ tallies: [FrameTally], _ weights: [Int32]) -> Double) -> Estimate? {
      Estimate(utterances: systems[0].count, bootstrap: bootstrap) { weights in
        systems.reduce(0) { $0 + figure($1, weights) } / Double(systems.count)
      }
    }
    negativeLogLikelihood = mean(logLossPerFrame(of:weights:))
    calibrationError = mean { Calibration($0, weights: $1).expectedError }
    let once = [Int32](repeating: 1, count: utterances)
    calibration = systems.count == 1 ? Calibration(systems[0], weights: once) : nil
  }

  /// Half the width of the accuracy's interval; nil when there is no interval.
  package var halfWidth: Double? { width(low, high).map { $0 / 2 } }
}

/// The scores of one system.
package struct SystemScore: Sendable, Equatable, Codable {
  /// The system's name: `baseline`, `ensemble`, `student`, `member-00`, …; `members` for the
  /// members' mean, `student-mean` and its like for a mean over seeds.
  package let system: String
  /// The number of parameters.
  package let parameters: Int
  /// The test frames classified per second by one thread; nil for a mean.
  package let framesPerSecond: Double?
  /// The scores on the development set.
  package let development: SetScore
  /// The scores on the test set.
  package let test: SetScore
  /// How the accuracies vary over the seeds of a mean; nil for any other system.
  package let seeds: SeedVariation?

  /// A score of the given parts.
  package init(
    system: String, parameters: Int, framesPerSecond: Double?, development: SetScore,
    test: SetScore, seeds: SeedVariation? = nil
  ) {
    (self.system, self.parameters, self.framesPerSecond) = (system, parameters, framesPerSecond)
    (self.development, self.test, self.seeds) = (development, test, seeds)
  }
}

/// How the accuracy of a system varies when only the seed of its training differs.
package struct SeedVariation: Sendable, Equatable, Codable {
  /// The number of seeds, at least two.
  package let count: Int
  /// The standard deviation of the accuracies on the development set (n − 1 in the denominator).
  package let development: Double
  /// The standard deviation of the accuracies on the test set.
  package let test: Double

  /// The variation of some accuracies on both sets; nil for fewer than two seeds.
  package init?(development: [Double], test: [Double]) {
    guard development.count > 1, development.count == test.count else { return nil }
    func deviation(_ values: [Double]) -> Double {
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (squares / Double(values.count - 1)).squareRoot()
    }
    count = development.count
    (self.development, self.test) = (deviation(development), deviation(test))
  }
}

/// A difference between two accuracies on the same utterances, or a ratio of such differences, with
/// its paired interval.
package struct ComparisonScore: Sendable, Equatable, Codable {
  /// What is compared, as in `student - baseline`.
  package let comparison: String
  /// The difference or the ratio.
  package let value: Double
  /// The lower bound of the 95 % interval; nil for a single utterance or speaker.
  package let low: Double?
  /// The upper bound of the interval, nil like the lower one.
  package let high: Double?
  /// For a difference, the p-value of the paired test of no difference; see
  /// `Bootstrap.pValue(ofDifferences:)`.
  package let pValue: Double?

  /// The name of the difference between two systems, as in `student - baseline`.
  package static func difference(_ first: String, _ second: String) -> String {
    "\(first) - \(second)"
  }

  /// The name of the share of the ensemble's gain over its baseline that a student keeps.
  package static func share(of student: String) -> String {
    "share of the gain recovered by \(student)"
  }

  /// A figure other than a difference of two accuracies, without p-value; nil when it is not
  /// finite.
  package init?(
    _ comparison: String, utterances: Int, bootstrap: Bootstrap,
    _ statistic: (_ weights: [Int32]) -> Double
  ) {
    guard let estimate = Estimate(utterances: utterances, bootstrap: bootstrap, statistic)
    else { return nil }
    self.comparison = comparison
    (value, low, high) = (estimate.value, estimate.low, estimate.high)
    pValue = nil
  }

  /// The difference between two accuracies, each the mean of some systems; nil when it is not
  /// finite.
  ///
  /// - Parameters:
  ///   - comparison: what is compared.
  ///   - first: for each system, at least one, its tallies.
  ///   - second: for each system to subtract, at least one, its tallies of the same utterances.
  ///   - bootstrap: a bootstrap for those utterances.
  package init?(
    _ comparison: String, _ first: [[FrameTally]], minus second: [[FrameTally]],
    bootstrap: Bootstrap
  ) {
    let utterances = first[0].count
    let estimate = Estimate(utterances: utterances, bootstrap: bootstrap) {
      meanAccuracy(of: first, weights: $0) - meanAccuracy(of: second, weights: $0)
    }
    guard let estimate else { return nil }
    self.comparison = comparison
    (value, low, high) = (estimate.value, estimate.low, estimate.high)
    func meanCorrect(_ systems: [[FrameTally]], _ utterance: Int) -> Double {
      Double(systems.reduce(0) { $0 + $1[utterance].correct }) / Double(systems.count)
    }
    pValue =
      bootstrap.hasIntervals
      ? bootstrap.pValue(
        ofDifferences: (0..<utterances).map { meanCorrect(first, $0) - meanCorrect(second, $0) })
      : nil
  }
}

/// The width of an interval; nil when there is no interval.
private func width(_ low: Double?, _ high: Double?) -> Double? {
  low.flatMap { low in high.map { $0 - low } }
}

/// The scores of a network trained on a share of the training utterances.
package struct SubsetScore: Sendable, Equatable, Codable {
  /// The network's name.
  package let system: String
  /// The number of utterances that it was trained on.
  package let utterances: Int
  /// The number of frames that it was trained on.
  package let frames: Int
  /// The epoch whose weights were kept.
  package let epoch: Int
  /// The accuracy on the frames that it was trained on, from 0 to 1.
  package let train: Double
  /// The accuracy on the development set.
  package let development: AccuracyScore
  /// The accuracy on the test set.
  package let test: AccuracyScore

  /// - Parameters:
  ///   - system: the network's name.
  ///   - epoch: the epoch whose weights were kept.
  ///   - train: a tally for each utterance that it was trained on, with at least one frame in all.
  ///   - development: the accuracy on the development set.
  ///   - test: the accuracy on the test set.
  package init(
    system: String, epoch: Int, train: [FrameTally], development: AccuracyScore,
    test: AccuracyScore
  ) {
    (self.system, self.epoch, utterances) = (system, epoch, train.count)
    frames = train.reduce(0) { $0 + $1.frames }
    self.train = accuracy(of: train, weights: Array(repeating: 1, count: train.count))
    (self.development, self.test) = (development, test)
  }
}

/// The contents of `scores.json`.
package struct ScoreReport: Sendable, Equatable, Codable {
  /// When and how scores were made.
  package struct Occasion: Sendable, Equatable, Codable {
    /// The date and time in UTC, as in `2026-11-28 07:30 UTC`.
    package let date: String
    /// The command line; nil when no command made them.
    package let command: String?
    /// The seconds from the command's start to the scores.
    package let seconds: Double

    /// An occasion of the given parts.
    package init(date: String, command: String?, seconds: Double) {
      (self.date, self.command, self.seconds) = (date, command, seconds)
    }
  }

  /// The rules of scoring, as text.
  package let rules: String
  /// The scores of each system.
  package let systems: [SystemScore]
  /// The differences between systems on the test set.
  package let comparisons: [ComparisonScore]
  /// The accuracy by the number of members; nil in files of earlier versions.
  package let memberCurve: MemberCurve?
  /// The networks trained on a share of the utterances; nil when the recipe has none.
  package let subsets: [SubsetScore]?
  /// The student trained without a label; nil when the recipe has no `missingClass`.
  package let missingClass: MissingClassScore?
  /// What specialists gain and cost; nil when the recipe has none.
  package let specialists: SpecialistScore?
  /// The program, its libraries and the machine, as text; nil in files of earlier versions.
  package let madeBy: String?
  /// When and by which command they were made; nil in files of earlier versions.
  package let made: Occasion?

  /// A report of the given parts.
  package init(
    rules: String, systems: [SystemScore], comparisons: [ComparisonScore],
    memberCurve: MemberCurve? = nil, subsets: [SubsetScore]? = nil,
    missingClass: MissingClassScore? = nil, specialists: SpecialistScore? = nil,
    madeBy: String? = nil, made: Occasion? = nil
  ) {
    (self.rules, self.systems, self.comparisons) = (rules, systems, comparisons)
    (self.memberCurve, self.subsets, self.missingClass) = (memberCurve, subsets, missingClass)
    (self.specialists, self.madeBy, self.made) = (specialists, madeBy, made)
  }

  /// Reads a `scores.json`.
  ///
  /// - Throws: `FileFault` when it cannot be read or has other contents.
  package init(path: FilePath) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(ScoreReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "scores of limbeck", found: "other JSON or none")
    }
  }

  /// Writes a `scores.json`.
  ///
  /// - Throws: `FileFault` when it cannot be written.
  package func write(to path: FilePath) throws(FileFault) {
    try AtomicFile.write(JSONText.document(self), to: path)
  }
}
