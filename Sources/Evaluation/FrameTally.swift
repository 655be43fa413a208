import Foundation
package import LinearAlgebra

/// How many frames were classified rightly, and how surely, over one utterance or many.
package struct FrameTally: Sendable, Equatable {
  package var frames = 0
  package var correct = 0
  /// The same without the frames whose true class is silence.
  package var speechFrames = 0
  package var speechCorrect = 0
  /// The sum of −ln p over the frames, with p the probability of the true class, in nats.
  package var logLoss = 0.0
  /// The frames by the probability of the class that was chosen; `Calibration.binCount` bins.
  package var calibration = Calibration()

  package init() {}

  /// Counts the frames of one utterance.
  ///
  /// - Parameters:
  ///   - predicted: a class id a frame.
  ///   - labels: the true class ids, as many.
  ///   - isSilence: by class id.
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

  /// Counts how sure a system was of each frame.
  ///
  /// - Parameters:
  ///   - posteriors: frames × classes, each row a distribution. A probability below 1e-30 counts as that.
  ///   - labels: the true class ids, one a frame.
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

  /// Which frames a score counts.
  package enum Scope: Sendable {
    case all
    case withoutSilence
  }

  /// The frames of a scope.
  package func frames(_ scope: Scope) -> Int { scope == .all ? frames : speechFrames }

  /// The rightly classified frames of a scope.
  package func correct(_ scope: Scope) -> Int { scope == .all ? correct : speechCorrect }
}
