package import LinearAlgebra
import Networks
import Training

/// The student's objective (Hinton, Vinyals and Dean 2015, §2): per frame
/// `λ · CE(y, softmax(z)) + (1−λ) · T² · CE(p, softmax(z/T))`, a sum over classes.
///
/// The factor T² keeps the share of the soft term in the gradient as T changes.
package struct SoftAndHardTargets: TrainingObjective {
  private let labels: [Int32]
  private let softTargets: Matrix
  private let temperature: Float
  private let hardWeight: Float

  /// The objective for one training set.
  ///
  /// - Parameters:
  ///   - labels: the true class y of each frame of the training set.
  ///   - softTargets: p for each frame of the training set, frames × classes, computed at the
  ///     temperature of `options`.
  ///   - options: T and λ.
  package init(labels: [Int32], softTargets: Matrix, options: DistillationOptions) {
    precondition(
      labels.count == softTargets.rows,
      "SoftAndHardTargets: \(softTargets.rows) soft targets for \(labels.count) frames")
    self.labels = labels
    self.softTargets = softTargets
    temperature = Float(options.temperature)
    hardWeight = Float(options.hardWeight)
  }

  package func replaceByGradient(
    _ logits: inout MutableSpan<Float>, frame: Int, scale: Float
  ) -> Float {
    if hardWeight == 1 {
      return CrossEntropy.hard(&logits, label: labels[frame], scale: scale)
    }
    let softWeight = (1 - hardWeight) * temperature * temperature
    let target = softTargets.row(frame)
    if hardWeight == 0 {
      return softWeight
        * CrossEntropy.soft(
          &logits, target: target, temperature: temperature, scale: scale * softWeight)
    }
    let count = logits.count
    return unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
      for index in 0..<count { unsafe buffer[index] = logits[index] }
      var hard = unsafe MutableSpan(_unsafeElements: buffer)
      let hardLoss = CrossEntropy.hard(&hard, label: labels[frame], scale: scale * hardWeight)
      let softLoss = CrossEntropy.soft(
        &logits, target: target, temperature: temperature, scale: scale * softWeight)
      for index in 0..<count { logits[index] += hard[index] }
      return hardWeight * hardLoss + softWeight * softLoss
    }
  }
}
