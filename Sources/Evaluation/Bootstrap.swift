import LinearAlgebra

/// The speakers of the utterances in a set, numbered from 0.
package struct Speakers: Sendable, Equatable {
  /// The speaker of each utterance.
  let ofUtterances: [Int]
  /// The number of speakers.
  package let count: Int

  /// - Parameter names: the speaker's name for each utterance, in order.
  package init(_ names: [String]) {
    var numbers: [String: Int] = [:]
    ofUtterances = names.map { name in
      let number = numbers[name] ?? numbers.count
      numbers[name] = number
      return number
    }
    count = numbers.count
  }
}

/// Confidence intervals and tests from resampling whole speakers (Efron 1979; Bisani and Ney,
/// "Bootstrap estimates for confidence intervals in ASR performance evaluation", 2004).
///
/// Speakers are resampled because neither the frames of an utterance nor the utterances of a
/// speaker are independent.
package struct Bootstrap: Sendable {
  /// A 95 % interval.
  package struct Interval: Sendable, Equatable, Codable {
    /// The 2.5th percentile of the resampled values.
    package let low: Double
    /// The 97.5th percentile of the resampled values.
    package let high: Double
  }

  /// What is resampled as a whole.
  package enum Unit: String, Sendable { case speakers, utterances }

  /// The unit of resampling: speakers, or utterances when there is one speaker or speakers are not
  /// known.
  package let unit: Unit
  /// The unit of each utterance, numbered from 0.
  private let units: [Int]
  /// The number of units.
  package let unitCount: Int
  private let seed: UInt64
  private let resamples: Int

  /// - Parameters:
  ///   - utterances: the number of utterances, at least one.
  ///   - speakers: their speakers; nil when they are not known.
  ///   - resamples: the number of resamples, at least 40.
  ///   - seed: bootstraps with the same seed draw the same units, so that differences between
  ///     systems are paired.
  package init(utterances: Int, speakers: Speakers? = nil, resamples: Int, seed: UInt64) {
    precondition(utterances > 0 && resamples >= 40, "Bootstrap: \(utterances), \(resamples)")
    (self.seed, self.resamples) = (seed, resamples)
    if let speakers, speakers.count > 1 {
      precondition(speakers.ofUtterances.count == utterances, "Bootstrap: \(utterances) utterances")
      (unit, units, unitCount) = (.speakers, speakers.ofUtterances, speakers.count)
    } else {
      (unit, units, unitCount) = (.utterances, Array(0..<utterances), utterances)
    }
  }

  /// Whether there is more than one unit, as intervals require.
  package var hasIntervals: Bool { unitCount > 1 }

  /// How often each utterance occurs in a resample.
  ///
  /// Resamples are drawn on demand, so that memory does not grow with their number.
  private func weights(of resample: Int) -> [Int32] {
    var generator = SeededGenerator(seed, UInt64(resample))
    var counts = [Int32](repeating: 0, count: unitCount)
    for _ in 0..<unitCount { counts[generator.integer(below: unitCount)] += 1 }
    return units.map { counts[$0] }
  }

  /// The interval of a statistic.
  ///
  /// - Parameter statistic: computes the statistic from how often each utterance counts. Resamples
  ///   for which it is not finite are excluded.
  /// - Returns: nil when the statistic is finite for fewer than 40 resamples, or when there is only
  ///   one unit, since all resamples are then the same.
  package func interval(_ statistic: (_ weights: [Int32]) -> Double) -> Interval? {
    guard hasIntervals else { return nil }
    let values = (0..<resamples).map { statistic(weights(of: $0)) }.filter(\.isFinite).sorted()
    guard values.count >= 40 else { return nil }
    func percentile(_ share: Double) -> Double {
      let position = share * Double(values.count - 1)
      let below = Int(position)
      let above = min(below + 1, values.count - 1)
      return values[below] + (position - Double(below)) * (values[above] - values[below])
    }
    return Interval(low: percentile(0.025), high: percentile(0.975))
  }

  /// The two-sided p-value of a paired randomisation test (Fisher 1935; Noreen 1989).
  ///
  /// If two systems were equally good, each unit's difference would be equally likely to have the
  /// opposite sign. Random signs are drawn once per resample. The observed signs count as one more
  /// draw, so p is never zero.
  ///
  /// - Parameter differences: each utterance's contribution to the difference between the two
  ///   systems.
  /// - Returns: the share of draws whose sum is at least as far from zero as the observed sum.
  package func pValue(ofDifferences differences: [Double]) -> Double {
    var sums = [Double](repeating: 0, count: unitCount)
    for (unit, difference) in zip(units, differences) { sums[unit] += difference }
    // The same sum in another order may differ in its last bits.
    let observed = abs(sums.reduce(0, +)) * (1 - 1e-12)
    var generator = SeededGenerator(seed, UInt64.max)
    let extreme = (0..<resamples).count { _ in
      abs(sums.reduce(0) { $0 + (generator.integer(below: 2) == 0 ? $1 : -$1) }) >= observed
    }
    return Double(extreme + 1) / Double(resamples + 1)
  }
}

/// The frame accuracy over weighted utterances, from 0 to 1; not a number when no frames are in
/// scope.
package func accuracy(
  of tallies: [FrameTally], weights: [Int32], _ scope: FrameTally.Scope = .all
) -> Double {
  precondition(tallies.count == weights.count, "accuracy: \(weights.count) weights")
  var (correct, frames) = (0, 0)
  for (tally, weight) in zip(tallies, weights) {
    correct += Int(weight) * tally.correct(scope)
    frames += Int(weight) * tally.frames(scope)
  }
  return Double(correct) / Double(frames)
}

/// The mean of several systems' frame accuracies over the same weighted utterances.
package func meanAccuracy(
  of systems: [[FrameTally]], weights: [Int32], _ scope: FrameTally.Scope = .all
) -> Double {
  systems.reduce(0) { $0 + accuracy(of: $1, weights: weights, scope) } / Double(systems.count)
}

/// The mean of −ln p of the true class over the frames of weighted utterances, in nats.
func logLossPerFrame(of tallies: [FrameTally], weights: [Int32]) -> Double {
  var (sum, frames) = (0.0, 0)
  for (tally, weight) in zip(tallies, weights) {
    sum += Double(weight) * tally.logLoss
    frames += Int(weight) * tally.frames
  }
  return sum / Double(frames)
}
