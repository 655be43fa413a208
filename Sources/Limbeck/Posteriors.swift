import LinearAlgebra
import Networks

/// A distribution over the classes for each frame.
public struct Posteriors: Sendable, Equatable {
  /// How many classes there are.
  public let classes: Int
  /// The probabilities, frames × classes, row by row.
  public let values: [Float]

  init(classes: Int, values: [Float]) {
    (self.classes, self.values) = (classes, values)
  }

  /// - Throws: `ModelError.notFinite` for logits that are not.
  init(logits: consuming Matrix) throws(ModelError) {
    guard logits.isFinite else { throw .notFinite }
    logits.replaceRowsBySoftmax(temperature: 1)
    self.init(classes: logits.columns, values: logits.values)
  }

  /// How many frames there are.
  public var frames: Int { values.count / classes }

  /// The probability of each class at a frame, from 0 to below `frames`.
  public subscript(frame: Int) -> ArraySlice<Float> {
    values[frame * classes..<(frame + 1) * classes]
  }

  /// The class of the largest probability at a frame; the first of equals.
  public func mostProbable(at frame: Int) -> Int {
    let row = self[frame]
    var best = row.startIndex
    for place in row.indices where row[place] > row[best] { best = place }
    return best - row.startIndex
  }
}
