import Networks

/// What a network is trained to minimise: the mean over frames of a loss of the logits.
package protocol TrainingObjective: Sendable {
  /// The loss of one frame.
  ///
  /// - Parameters:
  ///   - logits: of the frame; replaced by the gradient of the loss times `scale`.
  ///   - frame: the frame's index in the training set.
  ///   - scale: a factor of the gradient.
  /// - Returns: the loss, not scaled.
  func replaceByGradient(
    _ logits: inout MutableSpan<Float>, frame: Int, scale: Float
  ) -> Float
}

/// Softmax cross-entropy with one true class a frame.
package struct HardTargets: TrainingObjective {
  private let labels: [Int32]

  /// - Parameter labels: the class of each frame of the training set.
  package init(labels: [Int32]) {
    self.labels = labels
  }

  package func replaceByGradient(
    _ logits: inout MutableSpan<Float>, frame: Int, scale: Float
  ) -> Float {
    CrossEntropy.hard(&logits, label: labels[frame], scale: scale)
  }
}
