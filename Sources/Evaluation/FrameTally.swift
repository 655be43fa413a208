/// How many frames were classified rightly, over one utterance or many.
package struct FrameTally: Sendable, Equatable {
  package var frames = 0
  package var correct = 0
  /// The same without the frames whose true class is silence.
  package var speechFrames = 0
  package var speechCorrect = 0

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
