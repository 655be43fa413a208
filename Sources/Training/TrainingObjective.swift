import Foundation
import Networks

/// What a network is trained to minimise: the mean over frames of a loss of the logits.
package protocol TrainingObjective: Sendable {
  /// The loss of one frame.
  ///
  /// - Parameters:
  ///   - logits: of the frame; replaced by the gradient of the loss times `scale`.
  ///   - label: the true class, or `FrameClass.unknown` of a frame that has soft targets alone.
  ///   - softTarget: a distribution over the classes; empty where there are no soft targets.
  ///   - scale: a factor of the gradient.
  /// - Returns: the loss, not scaled.
  func replaceByGradient(
    _ logits: inout MutableSpan<Float>, label: Int32, softTarget: Span<Float>, scale: Float
  ) -> Float

  /// What the loss of a frame is multiplied with at most: that of equal logits is at most this times the
  /// logarithm of the number of classes.
  var weight: Double { get }
}

/// Softmax cross-entropy with one true class a frame.
package struct HardTargets: TrainingObjective {
  private let smoothing: Float
  /// What each class's loss is multiplied by; empty for 1.
  private let classWeights: [Float]

  /// - Parameters:
  ///   - smoothing: ε of label smoothing, in [0, 1).
  ///   - classWeights: one a class, or empty for 1 each.
  package init(smoothing: Double = 0, classWeights: [Float] = []) {
    self.smoothing = Float(smoothing)
    self.classWeights = classWeights
  }

  package var weight: Double { Double(classWeights.max() ?? 1) }

  package func replaceByGradient(
    _ logits: inout MutableSpan<Float>, label: Int32, softTarget: Span<Float>, scale: Float
  ) -> Float {
    precondition(label >= 0, "HardTargets: a frame without a class")
    let weight = classWeights.isEmpty ? 1 : classWeights[Int(label)]
    return weight
      * CrossEntropy.hard(&logits, label: label, smoothing: smoothing, scale: scale * weight)
  }
}
