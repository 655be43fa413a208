import Foundation
package import LinearAlgebra

/// The numbers of frames and correct frames, and the confidence in them, over one or more
/// utterances.
package struct FrameTally: Sendable, Equatable {
  /// The number of frames.
  package var frames = 0
  /// The number of correctly classified frames.
  package var correct = 0
  /// The number of frames whose true class is not silence.
  package var speechFrames = 0
  /// The number of correctly classified frames whose true class is not silence.
  package var speechCorrect = 0
  /// The sum over the frames of −ln p, where p is the probability of the true class, in nats.
  package var logLoss = 0.0
  /// The frames by the probability of the chosen class.
  package var calibration = Calibration()

  /// No frames yet.
  package init() {}

  /// Counts the frames of one utterance, without confidence.
  ///
  /// - Parameters:
  ///   - predicted: the chosen class id of each frame.
  ///   - labels: the true class id of each frame.
  ///   - isSilence: whether each class is silence, indexed by class id.
  package init(predicted: [Int32], labels: [Int32], isSilence: [Bool]) {
    precondition(
      predicted.count == labels.count,
      "FrameTally: \(predicted.count) predictions for \(labels.count) labels")
    for (guess, truth) in zip(predicted, labels) {
      let hit = guess == truth ? 1 : 0
      frames += 1
      correct += hit
      if !isSilence[Int(truth)] {
        speechFrames += 1
        speechCorrect += hit
      }
    }
  }

  /// Adds the confidence of frames that are already counted.
  ///
  /// - Parameters:
  ///   - posteriors: distributions, [frames × classes]. Probabilities of the true class below 1e-30
  ///     count as 1e-30.
  ///   - labels: the true class id of each frame.
  package mutating func addConfidence(of posteriors: Matrix, labels: [Int32]) {
    precondition(
      posteriors.rows == labels.count,
      "FrameTally: \(posteriors.rows) posteriors for \(labels.count) labels")
    for (row, (guess, truth)) in zip(posteriors.largestColumns(), labels).enumerated() {
      let own = posteriors.row(row)
      logLoss -= log(max(Double(own[Int(truth)]), 1e-30))
      calibration.add(confidence: Double(own[Int(guess)]), isRight: guess == truth)
    }
  }

  /// The frames that a score counts.
  package enum Scope: Sendable {
    /// All frames.
    case all
    /// The frames whose true class is not silence.
    case withoutSilence
  }

  /// The number of frames in a scope.
  package func frames(_ scope: Scope) -> Int { scope == .all ? frames : speechFrames }

  /// The number of correctly classified frames in a scope.
  package func correct(_ scope: Scope) -> Int { scope == .all ? correct : speechCorrect }
}
