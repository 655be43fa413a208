import Foundation
import LinearAlgebra
import Networks
import Training

/// The term of a student's objective that compares it with the ensemble, without its factor of
/// (1−λ) · T².
struct SoftTerm: Sendable {
  private let temperature: Float
  private let logits: LogitForm
  private let decoupled: DecoupledOptions?
  /// Whether soft targets have only the k largest probabilities.
  private let isOfLargest: Bool

  /// - Parameters:
  ///   - options: T, the form of the logits, and the weights of the decoupled loss.
  ///   - classes: the number of classes, needed if the options limit the probabilities stored.
  init(_ options: DistillationOptions, classes: Int) {
    temperature = Float(options.temperature)
    (logits, decoupled) = (options.logits, options.decoupled)
    isOfLargest = SoftTargetStore(classes: classes, largest: options.largest).largest != nil
  }

  /// An upper bound on the loss of equal logits over log N, for frames whose class is known.
  var weight: Double { decoupled.map { $0.alpha + $0.beta } ?? 1 }

  /// Computes the loss of a frame, and replaces its logits by the gradient times `scale`.
  ///
  /// - Parameters:
  ///   - row: the student's logits.
  ///   - label: the true class; below 0 if it is not known, which leaves the cross-entropy.
  ///   - target: the soft target.
  ///   - scale: a factor for the gradient.
  /// - Returns: the loss, not scaled.
  func replaceByGradient(
    _ row: inout MutableSpan<Float>, label: Int32, _ target: Span<Float>, scale: Float
  ) -> Float {
    guard logits == .standardized else { return compare(&row, label: label, target, scale: scale) }
    let count = row.count
    return unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * count) { buffer in
      unsafe buffer.initialize(repeating: 0)
      let (first, second) = unsafe (
        UnsafeMutableBufferPointer(rebasing: buffer[..<count]),
        UnsafeMutableBufferPointer(rebasing: buffer[count...])
      )
      var teacher = unsafe MutableSpan(_unsafeElements: first)
      var student = unsafe MutableSpan(_unsafeElements: second)
      // The logarithm of a distribution is a logit up to a constant, which the mean removes.
      for place in 0..<count { teacher[place] = log(max(target[place], .leastNormalMagnitude)) }
      _ = LogitStandardization.replace(&teacher)
      replaceBySoftmax(&teacher, temperature: temperature)
      let deviation = LogitStandardization.replace(&row)
      RowKernels.copy(row.span, into: &student)
      let loss = compare(&row, label: label, teacher.span, scale: scale)
      LogitStandardization.replaceBack(&row, standardized: student.span, deviation: deviation)
      return loss
    }
  }

  private func compare(
    _ row: inout MutableSpan<Float>, label: Int32, _ target: Span<Float>, scale: Float
  ) -> Float {
    if isOfLargest {
      return CrossEntropy.soft(&row, largest: target, temperature: temperature, scale: scale)
    }
    guard let decoupled, label >= 0, row.count > 1 else {
      return CrossEntropy.soft(&row, target: target, temperature: temperature, scale: scale)
    }
    return CrossEntropy.decoupled(
      &row, label: label, target: target, temperature: temperature,
      weights: (Float(decoupled.alpha), Float(decoupled.beta)), scale: scale)
  }
}
