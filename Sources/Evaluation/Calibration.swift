/// How often a system is right when it is so sure: frames in bins of equal width by the probability of the
/// class that was chosen.
package struct Calibration: Sendable, Equatable, Codable {
  /// Bins from 0 to 1; 15 as in Guo et al., "On calibration of modern neural networks", 2017, §2.
  package static let binCount = 15

  /// One bin.
  package struct Bin: Sendable, Equatable, Codable {
    /// The number of frames; a sum over weighted utterances may have any number.
    package fileprivate(set) var frames = 0.0
    /// How many of them were right.
    package fileprivate(set) var correct = 0.0
    /// The sum of the probabilities of the classes that were chosen.
    package fileprivate(set) var confidence = 0.0
  }

  package private(set) var bins = Array(repeating: Bin(), count: binCount)

  package init() {}

  /// The sum of some utterances' bins.
  ///
  /// - Parameters:
  ///   - tallies: of the utterances.
  ///   - weights: how often each counts.
  package init(_ tallies: [FrameTally], weights: [Int32]) {
    for (tally, weight) in zip(tallies, weights) where weight != 0 {
      for index in bins.indices {
        let own = tally.calibration.bins[index]
        bins[index].frames += Double(weight) * own.frames
        bins[index].correct += Double(weight) * own.correct
        bins[index].confidence += Double(weight) * own.confidence
      }
    }
  }

  mutating func add(confidence: Double, isRight: Bool) {
    let place = Int(confidence * Double(Calibration.binCount))
    let index = min(Calibration.binCount - 1, max(0, place))
    bins[index].frames += 1
    bins[index].correct += isRight ? 1 : 0
    bins[index].confidence += confidence
  }

  /// The expected calibration error: the mean over the frames of |accuracy − confidence| of their bin.
  ///
  /// Guo et al. 2017, equation 3. Not a number without frames. Near 0 it is too large, since what a bin deviates by
  /// chance counts whatever its sign; and so is its bootstrap interval, by what resamples add.
  package var expectedError: Double {
    let frames = bins.reduce(0) { $0 + $1.frames }
    return bins.reduce(0) { $0 + abs($1.correct - $1.confidence) } / frames
  }
}
