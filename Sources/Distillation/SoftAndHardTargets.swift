import LinearAlgebra
import Networks
package import Training

/// The student's objective (Hinton, Vinyals and Dean 2015, §2): per frame
/// `λ · CE(y, softmax(z)) + (1−λ) · T² · CE(p, softmax(z/T))`, a sum over classes.
///
/// A frame whose class is not known has the soft term alone, `T² · CE(p, softmax(z/T))`. The factor T² keeps
/// the share of the soft term in the gradient as T changes. Where p is known for the k largest classes alone, all
/// others are one class in the soft term.
package struct SoftAndHardTargets: TrainingObjective {
  private let hard: HardTargets
  private let temperature: Float
  private let hardWeight: Float
  /// Whether soft targets are of the k largest probabilities.
  private let isOfLargest: Bool

  /// - Parameters:
  ///   - options: T, at which the soft targets were computed, and λ.
  ///   - classes: how many there are, which matters when the options store only some of them.
  ///   - hard: the hard term, λ aside.
  package init(
    options: DistillationOptions, classes: Int = .max, hard: HardTargets = HardTargets()
  ) {
    self.hard = hard
    isOfLargest = SoftTargetStore(classes: classes, largest: options.largest).largest != nil
    temperature = Float(options.temperature)
    hardWeight = Float(options.hardWeight)
  }

  /// A frame without a class, as of a perturbed copy, has the soft term alone, whatever λ is.
  package var weight: Double {
    let soft = Double(temperature * temperature)
    return max(soft, Double(hardWeight) * hard.weight + Double(1 - hardWeight) * soft)
  }

  package func replaceByGradient(
    _ logits: inout MutableSpan<Float>, label: Int32, softTarget: Span<Float>, scale: Float
  ) -> Float {
    let hardWeight = label >= 0 ? hardWeight : 0
    if hardWeight == 1 {
      return hard.replaceByGradient(
        &logits, label: label, softTarget: softTarget, scale: scale)
    }
    let softWeight = (1 - hardWeight) * temperature * temperature
    if hardWeight == 0 {
      return softWeight * soft(&logits, softTarget, scale: scale * softWeight)
    }
    let count = logits.count
    return unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
      for index in 0..<count { unsafe buffer[index] = logits[index] }
      var own = unsafe MutableSpan(_unsafeElements: buffer)
      let hardLoss = hard.replaceByGradient(
        &own, label: label, softTarget: softTarget, scale: scale * hardWeight)
      let softLoss = soft(&logits, softTarget, scale: scale * softWeight)
      let gradient = unsafe Span(_unsafeElements: UnsafeBufferPointer(buffer))
      RowKernels.combine(&logits, gradient, factor: 1, otherFactor: 1)
      return hardWeight * hardLoss + softWeight * softLoss
    }
  }

  private func soft(
    _ logits: inout MutableSpan<Float>, _ target: Span<Float>, scale: Float
  ) -> Float {
    isOfLargest
      ? CrossEntropy.soft(&logits, largest: target, temperature: temperature, scale: scale)
      : CrossEntropy.soft(&logits, target: target, temperature: temperature, scale: scale)
  }
}
