import Foundation
import KaldiIO

/// The number of frames in each class, and the log priors that decoders subtract from log
/// posteriors.
package struct ClassCounts: Sendable {
  /// The number of frames in each class, indexed by class id.
  package private(set) var counts: [Int]
  /// The number of utterances added so far.
  package private(set) var utterances = 0

  /// - Parameter classes: the number of classes.
  package init(classes: Int) {
    counts = Array(repeating: 0, count: classes)
  }

  /// Adds the frames of one utterance; every label must be a class id.
  package mutating func add(_ labels: [Int32]) {
    for label in labels { counts[Int(label)] += 1 }
    utterances += 1
  }

  /// The number of frames in all classes.
  package var frames: Int { counts.reduce(0, +) }

  /// The ids of classes that have no frames.
  package var absent: [Int] { counts.indices.filter { counts[$0] == 0 } }

  /// The natural logarithm of each class's share of all frames.
  ///
  /// A class without frames gets √(largest float) instead, so that its posterior divided by its
  /// prior is effectively zero (Kaldi, `nnet/nnet-pdf-prior.cc`).
  package var logPriors: [Float] { ClassCounts.logPriors(of: counts.map(Double.init)) }

  /// The log priors for any counts, at least one of them positive and none negative.
  package static func logPriors(of counts: [Double]) -> [Float] {
    let frames = counts.reduce(0, +)
    return counts.map { count in
      count == 0 ? Float.greatestFiniteMagnitude.squareRoot() : Float(log(count / frames))
    }
  }

  /// The counts as a vector in Kaldi's text format, as `analyze-counts` writes them.
  package var text: String { " [ " + counts.map { "\($0) " }.joined() + "]\n" }

  /// The log priors as a vector in Kaldi's text format.
  package var logPriorsText: String { KaldiValue.vector(logPriors).text }
}
