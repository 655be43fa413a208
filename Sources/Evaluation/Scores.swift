package import Storage
package import SystemPackage
import Foundation

/// An accuracy with its interval, as it stands in `scores.json`.
package struct AccuracyScore: Sendable, Equatable, Codable {
  package let accuracy: Double
  /// The bounds of the 95 % bootstrap interval; nil of one utterance or speaker, which has none.
  package let low: Double?
  package let high: Double?
  package let frames: Int

  /// The mean of the accuracies of some systems; nil when no frame is in scope.
  ///
  /// - Parameters:
  ///   - systems: the tallies of each system, at least one, over the same utterances.
  ///   - scope: which frames count.
  ///   - bootstrap: made for as many utterances.
  package init?(_ systems: [[FrameTally]], _ scope: FrameTally.Scope, bootstrap: Bootstrap) {
    frames = systems[0].reduce(0) { $0 + $1.frames(scope) }
    let once = [Int32](repeating: 1, count: systems[0].count)
    let interval = bootstrap.interval { meanAccuracy(of: systems, weights: $0, scope) }
    guard frames > 0, interval != nil || !bootstrap.hasIntervals else { return nil }
    accuracy = meanAccuracy(of: systems, weights: once, scope)
    (low, high) = (interval?.low, interval?.high)
  }

  package var halfWidth: Double? { width(low, high).map { $0 / 2 } }
}

/// A figure with the bounds of its 95 % bootstrap interval.
package struct Estimate: Sendable, Equatable, Codable {
  package let value: Double
  package let low: Double?
  package let high: Double?

  /// A figure; nil when its value or its interval is not finite.
  ///
  /// - Parameters:
  ///   - utterances: how many there are.
  ///   - bootstrap: made for as many.
  ///   - statistic: gets how often each utterance counts.
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
  package let accuracy: Double
  package let low: Double?
  package let high: Double?
  package let frames: Int
  package let utterances: Int
  /// Whose they are; nil when it is not known.
  package let speakers: Int?
  /// The same over the frames whose true class is not silence; nil when all are silence or none is.
  package let withoutSilence: AccuracyScore?
  /// The mean over the frames of −ln p of the true class, in nats.
  package let negativeLogLikelihood: Estimate?
  /// The expected calibration error, from 0 to 1; see `Calibration`.
  package let calibrationError: Estimate?
  /// The bins that it comes from; nil of a mean of several systems.
  package let calibration: Calibration?

  /// The mean of the accuracies of some systems.
  ///
  /// - Parameters:
  ///   - systems: one tally an utterance for each system, at least one, over the same utterances,
  ///     which together have at least one frame; each figure is the mean of the systems' figures.
  ///   - speakers: whose utterances they are; nil when it is not known.
  ///   - bootstrap: made for as many utterances.
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

  package var halfWidth: Double? { width(low, high).map { $0 / 2 } }
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
  package let low: Double?
  package let high: Double?
  /// Of a difference: the p-value of the paired test that the two are alike; see `Bootstrap.pValue`.
  package let pValue: Double?

  /// A figure that is no difference of two accuracies; nil when it is not finite.
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

  /// The difference of two accuracies, each the mean of some systems; nil when it is not finite.
  ///
  /// - Parameters:
  ///   - comparison: what is compared.
  ///   - first: the tallies of each system, at least one.
  ///   - second: the same of what is subtracted, over the same utterances.
  ///   - bootstrap: made for as many utterances.
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

/// The width of an interval, where there is one.
private func width(_ low: Double?, _ high: Double?) -> Double? {
  low.flatMap { low in high.map { $0 - low } }
}

/// A network that learnt from a share of the training utterances.
package struct SubsetScore: Sendable, Equatable, Codable {
  package let system: String
  package let utterances: Int
  package let frames: Int
  /// The epoch whose weights were kept.
  package let epoch: Int
  /// The accuracy on the frames that it learnt from.
  package let train: Double
  package let development: AccuracyScore
  package let test: AccuracyScore

  /// - Parameters:
  ///   - system: its name.
  ///   - epoch: the epoch whose weights were kept.
  ///   - train: a tally for each utterance that it learnt from, with one frame at least.
  ///   - development: the scores there.
  ///   - test: the scores there.
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

/// What `scores.json` holds.
package struct ScoreReport: Sendable, Equatable, Codable {
  /// The rules that the scores follow, in words.
  package let rules: String
  package let systems: [SystemScore]
  /// Differences on the test set.
  package let comparisons: [ComparisonScore]
  /// The ensembles of fewer members; nil in scores of old.
  package let memberCurve: MemberCurve?
  /// Networks that learnt from a share of the utterances; nil when the recipe has none.
  package let subsets: [SubsetScore]?
  /// Nil when the recipe leaves no class out.
  package let missingClass: MissingClassScore?
  /// Nil when the recipe has no specialists.
  package let specialists: SpecialistScore?
  /// The program, its libraries and the machine, in words; nil in scores of old.
  package let madeBy: String?

  package init(
    rules: String, systems: [SystemScore], comparisons: [ComparisonScore],
    memberCurve: MemberCurve? = nil, subsets: [SubsetScore]? = nil,
    missingClass: MissingClassScore? = nil, specialists: SpecialistScore? = nil,
    madeBy: String? = nil
  ) {
    (self.rules, self.systems, self.comparisons) = (rules, systems, comparisons)
    (self.memberCurve, self.subsets, self.missingClass) = (memberCurve, subsets, missingClass)
    (self.specialists, self.madeBy) = (specialists, madeBy)
  }

  /// Reads a `scores.json`.
  package init(path: FilePath) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(ScoreReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "scores of limbeck", found: "other JSON or none")
    }
  }

  /// Writes a `scores.json`.
  package func write(to path: FilePath) throws(FileFault) {
    try AtomicFile.write(JSONText.document(self), to: path)
  }
}
