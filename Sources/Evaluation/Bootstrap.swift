import LinearAlgebra

/// Intervals from resampling whole utterances with replacement, since the frames of one utterance
/// are not independent (Efron, 1979; Bisani and Ney, "Bootstrap estimates for confidence intervals
/// in ASR performance evaluation", 2004).
package struct Bootstrap: Sendable {
  /// The bounds between which 95 % of the resampled values lie (percentiles 2.5 and 97.5).
  package struct Interval: Sendable, Equatable, Codable {
    package let low: Double
    package let high: Double
  }

  /// How often each utterance is drawn, for each resample.
  private let draws: [[Int32]]

  /// - Parameters:
  ///   - utterances: the number of utterances, at least one.
  ///   - resamples: the number of resamples, at least 40.
  ///   - seed: two bootstraps with the same seed draw the same utterances, so that differences
  ///     between systems are paired.
  package init(utterances: Int, resamples: Int, seed: UInt64) {
    precondition(utterances > 0 && resamples >= 40, "Bootstrap: \(utterances), \(resamples)")
    draws = (0..<resamples).map { resample in
      var generator = SeededGenerator(seed, UInt64(resample))
      var counts = [Int32](repeating: 0, count: utterances)
      for _ in 0..<utterances { counts[generator.integer(below: utterances)] += 1 }
      return counts
    }
  }

  /// The interval of a statistic.
  ///
  /// - Parameter statistic: gets how often each utterance counts; resamples for which it is not
  ///   finite are left out.
  /// - Returns: nil when the statistic is finite for fewer than 40 resamples.
  package func interval(_ statistic: (_ weights: [Int32]) -> Double) -> Interval? {
    let values = draws.map(statistic).filter(\.isFinite).sorted()
    guard values.count >= 40 else { return nil }
    func percentile(_ share: Double) -> Double {
      let position = share * Double(values.count - 1)
      let below = Int(position)
      let above = min(below + 1, values.count - 1)
      return values[below] + (position - Double(below)) * (values[above] - values[below])
    }
    return Interval(low: percentile(0.025), high: percentile(0.975))
  }
}

/// The frame accuracy over utterances that count as often as their weights say.
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

/// The mean of several systems' accuracies over the same weighted utterances.
package func meanAccuracy(
  of systems: [[FrameTally]], weights: [Int32], _ scope: FrameTally.Scope = .all
) -> Double {
  systems.reduce(0) { $0 + accuracy(of: $1, weights: weights, scope) } / Double(systems.count)
}
