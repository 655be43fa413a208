package import Features
package import LinearAlgebra

/// Frames to train on or to score: the features of whole utterances, their contexts and targets.
///
/// Features are held once; a frame is joined with its context when a batch asks for it.
package struct FrameSet: Sendable {
  /// One utterance of a set.
  package struct Utterance: Sendable {
    package let id: String
    /// Log-mel frames, not normalised.
    package let features: Matrix
    /// A class id a frame.
    package let labels: [Int32]

    package init(id: String, features: Matrix, labels: [Int32]) {
      precondition(
        features.rows == labels.count,
        "FrameSet: \(labels.count) labels for \(features.rows) frames of \(id)")
      (self.id, self.features, self.labels) = (id, features, labels)
    }
  }

  /// The normalised features of all utterances, in order.
  private let features: Matrix
  /// A class id a frame.
  package let labels: [Int32]
  /// The id of each utterance and its rows.
  package let utterances: [(id: String, rows: Range<Int>)]
  /// For each frame, the index of its utterance.
  private let utteranceOfFrame: [Int32]
  private let context: ContextWindow

  /// - Parameters:
  ///   - utterances: all of the same number of features a frame.
  ///   - normalizer: applied to every frame.
  ///   - context: what a classifier sees around each frame.
  package init(_ utterances: [Utterance], normalizer: FeatureNormalizer, context: ContextWindow) {
    var features = Matrix(rows: 0, columns: normalizer.mean.count)
    var ranges: [(id: String, rows: Range<Int>)] = []
    var owners: [Int32] = []
    for (index, utterance) in utterances.enumerated() {
      ranges.append((utterance.id, features.rows..<features.rows + utterance.features.rows))
      features.append(utterance.features)
      owners += repeatElement(Int32(index), count: utterance.features.rows)
    }
    self.features = normalizer.applied(to: features)
    self.context = context
    self.utterances = ranges
    utteranceOfFrame = owners
    labels = utterances.flatMap(\.labels)
  }

  /// The number of frames.
  package var count: Int { labels.count }

  /// The number of inputs of a network that sees a frame with its context.
  package var inputs: Int { context.frames * features.columns }

  /// Writes frames with their contexts, one a row.
  ///
  /// - Parameters:
  ///   - frames: indices below `count`, in any order.
  ///   - input: `frames.count × inputs` afterwards.
  ///   - workers: share the frames.
  package func gather(
    _ frames: ArraySlice<Int32>, into input: inout Matrix, workers: Workers = .one
  ) {
    input.setRowCount(frames.count)
    input.forEachRow(workers) { index, row in
      let frame = Int(frames[frames.startIndex + index])
      let utterance = utterances[Int(utteranceOfFrame[frame])].rows
      context.splice(frame, of: utterance, in: features, into: &row)
    }
  }
}
