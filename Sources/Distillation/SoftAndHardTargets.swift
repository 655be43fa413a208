import LinearAlgebra
import Networks
package import Training

/// The student's objective (Hinton, Vinyals and Dean 2015, §2).
///
/// The loss of a frame is `λ · CE(y, softmax(z)) + (1−λ) · T² · CE(p, softmax(z/T))`. The factor T²
/// keeps the relative contribution of the soft term to the gradient unchanged as T changes. A frame
/// whose class is not known has only the soft term, `T² · CE(p, softmax(z/T))`. If only the k
/// largest values of p are stored, the soft term treats all other classes as one. The options may
/// standardise the logits of the soft term, or decouple it.
package struct SoftAndHardTargets: TrainingObjective {
  private let hard: HardTargets
  private let soft: SoftTerm
  private let temperature: Float
  private let hardWeight: Float

  /// - Parameters:
  ///   - options: λ, and T, at which the soft targets were computed.
  ///   - classes: the number of classes, needed if the options limit the probabilities stored.
  ///   - hard: the hard term, without λ.
  package init(
    options: DistillationOptions, classes: Int = .max, hard: HardTargets = HardTargets()
  ) {
    self.hard = hard
    soft = SoftTerm(options, classes: classes)
    temperature = Float(options.temperature)
    hardWeight = Float(options.hardWeight)
  }

  /// The larger of the weights of frames with and without a known class.
  ///
  /// Frames without one, such as those of perturbed copies, have only the soft term, whatever λ is.
  package var weight: Double {
    let square = Double(temperature * temperature)
    return max(
      square, Double(hardWeight) * hard.weight + Double(1 - hardWeight) * square * soft.weight)
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
      return softWeight
        * soft.replaceByGradient(&logits, label: label, softTarget, scale: scale * softWeight)
    }
    let count = logits.count
    return unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
      for index in 0..<count { unsafe buffer[index] = logits[index] }
      var own = unsafe MutableSpan(_unsafeElements: buffer)
      let hardLoss = hard.replaceByGradient(
        &own, label: label, softTarget: softTarget, scale: scale * hardWeight)
      let softLoss = soft.replaceByGradient(
        &logits, label: label, softTarget, scale: scale * softWeight)
      let gradient = unsafe Span(_unsafeElements: UnsafeBufferPointer(buffer))
      RowKernels.combine(&logits, gradient, factor: 1, otherFactor: 1)
      return hardWeight * hardLoss + softWeight * softLoss
    }
  }
}
