import Foundation
import KaldiIO

/// How many frames each class has, and what decoders subtract from its log posterior.
package struct ClassCounts: Sendable {
  /// The frames of each class, by its id.
  package private(set) var counts: [Int]
  package private(set) var utterances = 0

  /// - Parameter classes: how many there are.
  package init(classes: Int) {
    counts = Array(repeating: 0, count: classes)
  }

  /// Adds the frames of one utterance.
  package mutating func add(_ labels: [Int32]) {
    for label in labels { counts[Int(label)] += 1 }
    utterances += 1
  }

  /// All frames.
  package var frames: Int { counts.reduce(0, +) }

  /// The ids of classes without a frame.
  package var absent: [Int] { counts.indices.filter { counts[$0] == 0 } }

  /// ln(frames of the class / all frames).
  ///
  /// For a class without a frame √(largest float), so that its posterior divided by its prior is as
  /// good as zero (Kaldi, `nnet/nnet-pdf-prior.cc`).
  package var logPriors: [Float] {
    counts.map { count in
      count == 0
        ? Float.greatestFiniteMagnitude.squareRoot() : Float(log(Double(count) / Double(frames)))
    }
  }

  /// The counts as a vector in Kaldi's text, as its `analyze-counts` writes them.
  package var text: String { " [ " + counts.map { "\($0) " }.joined() + "]\n" }

  /// The log priors as a vector in Kaldi's text.
  package var logPriorsText: String { KaldiValue.vector(logPriors).text }
}
