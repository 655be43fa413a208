import LinearAlgebra
import Networks

/// Class probabilities for each frame of an utterance, or of a piece of one.
public struct Posteriors: Sendable, Equatable {
  /// The number of classes.
  public let classes: Int
  /// The probabilities, [frames × classes], row by row; each row sums to 1.
  public let values: [Float]

  init(classes: Int, values: [Float]) {
    (self.classes, self.values) = (classes, values)
  }

  /// - Throws: `ModelError.notFinite` when a logit is not finite.
  init(logits: consuming Matrix) throws(ModelError) {
    guard logits.isFinite else { throw .notFinite }
    logits.replaceRowsBySoftmax(temperature: 1)
    self.init(classes: logits.columns, values: logits.values)
  }

  /// The number of frames.
  public var frames: Int { values.count / classes }

  /// The probability of each class at a frame; frames count from 0.
  public subscript(frame: Int) -> ArraySlice<Float> {
    values[frame * classes..<(frame + 1) * classes]
  }

  /// The index of the most probable class at a frame; the lowest index in case of ties.
  public func mostProbable(at frame: Int) -> Int {
    let row = self[frame]
    var best = row.startIndex
    for place in row.indices where row[place] > row[best] { best = place }
    return best - row.startIndex
  }
}
