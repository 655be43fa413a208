import Foundation
import Networks

/// A loss of one frame's logits; training minimises its mean over frames.
package protocol TrainingObjective: Sendable {
  /// Computes the loss of one frame, and replaces its logits with the gradient.
  ///
  /// - Parameters:
  ///   - logits: the frame's logits; replaced with the gradient of the loss times `scale`.
  ///   - label: the true class id, or `FrameClass.unknown` for a frame with only a soft target.
  ///   - softTarget: the soft target; empty when there are none.
  ///   - scale: a factor applied to the gradient.
  /// - Returns: the loss in nats, not scaled.
  func replaceByGradient(
    _ logits: inout MutableSpan<Float>, label: Int32, softTarget: Span<Float>, scale: Float
  ) -> Float

  /// An upper bound on the weight of a frame's loss.
  ///
  /// The loss of equal logits is at most this times the logarithm of the number of classes.
  var weight: Double { get }
}

/// Softmax cross-entropy with one true class per frame.
package struct HardTargets: TrainingObjective {
  private let smoothing: Float
  /// The factor of each class's loss; empty for 1.
  private let classWeights: [Float]

  /// - Parameters:
  ///   - smoothing: ε of label smoothing, in [0, 1).
  ///   - classWeights: the factor of each class's loss, or empty for 1.
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
