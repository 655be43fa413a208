/// How well a system's confidence matches its accuracy.
///
/// Frames are sorted into bins of equal width by their confidence, which is the probability of the
/// chosen class.
package struct Calibration: Sendable, Equatable, Codable {
  /// The number of bins between 0 and 1, as in Guo et al., "On calibration of modern neural
  /// networks", 2017, §2.
  package static let binCount = 15

  /// One bin.
  package struct Bin: Sendable, Equatable, Codable {
    /// The number of frames, weighted by their utterances.
    package fileprivate(set) var frames = 0.0
    /// The number of correct frames among them.
    package fileprivate(set) var correct = 0.0
    /// The sum of their confidences.
    package fileprivate(set) var confidence = 0.0
  }

  /// The bins, in ascending order of confidence.
  package private(set) var bins = Array(repeating: Bin(), count: binCount)

  /// Empty bins.
  package init() {}

  /// The weighted sum of several utterances' bins.
  ///
  /// - Parameters:
  ///   - tallies: the tallies of the utterances.
  ///   - weights: how often each utterance counts.
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

  /// The expected calibration error: the mean over frames of their bin's |accuracy − confidence|.
  ///
  /// See Guo et al. 2017, equation 3. It is not a number when there are no frames. Values near 0
  /// are biased upwards, because chance deviations count regardless of their sign. Bootstrap
  /// intervals are biased further, because resampling adds more deviations.
  package var expectedError: Double {
    let frames = bins.reduce(0) { $0 + $1.frames }
    return bins.reduce(0) { $0 + abs($1.correct - $1.confidence) } / frames
  }
}
