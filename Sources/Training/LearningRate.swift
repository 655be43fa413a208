import Foundation

/// The learning rate as a function of the step.
package struct LearningRateOptions: Sendable, Equatable {
  /// The shapes.
  package enum Schedule: String, Sendable, Codable, CaseIterable {
    /// The same at every step.
    case constant
    /// Falls by the same factor at each step, from `learningRate` to `finalLearningRate`.
    case exponential
    /// Falls as half a wave, from `learningRate` to `finalLearningRate` (Loshchilov and Hutter 2017).
    case cosine
    /// Multiplied by `halving` after each epoch whose development loss is not lower than the lowest before by a
    /// share of `improvement` (QuickNet's newbob).
    case newbob
  }

  package var schedule = Schedule.exponential
  /// That of the first step, but for the warm-up, for the mean loss over a batch.
  package var learningRate = 0.05
  /// That of the last step, of exponential and cosine; a hundredth of `learningRate` where it is absent.
  package var finalLearningRate = 0.0005
  /// Steps in which the rate rises from zero in equal parts.
  package var warmUp = 0
  /// Of newbob, in (0, 1).
  package var halving = 0.5
  /// Of newbob, in [0, 1).
  package var improvement = 0.01

  package init() {}

  /// The rate of a step.
  ///
  /// With p = step / (steps − 1): exponential `a · (b / a)^p`, cosine `b + (a − b) · (1 + cos πp) / 2`, where a
  /// and b are the first and the final rate; in the warm-up times `(step + 1) / (warmUp + 1)`.
  ///
  /// - Parameters:
  ///   - step: from 0.
  ///   - steps: the number of steps of the whole training.
  ///   - halvings: how often newbob has taken the rate down.
  /// - Returns: a positive number.
  package func rate(atStep step: Int, of steps: Int, halvings: Int = 0) -> Double {
    let progress = steps > 1 ? Double(step) / Double(steps - 1) : 0
    let rate =
      switch schedule {
      case .constant: learningRate
      case .exponential: learningRate * pow(finalLearningRate / learningRate, progress)
      case .cosine:
        finalLearningRate + (learningRate - finalLearningRate) * (1 + cos(.pi * progress)) / 2
      case .newbob: learningRate * pow(halving, Double(halvings))
      }
    return step < warmUp ? rate * Double(step + 1) / Double(warmUp + 1) : rate
  }

  /// Decides on newbob's rate after an epoch.
  ///
  /// - Parameters:
  ///   - loss: the epoch's development loss.
  ///   - lowest: the lowest of the epochs before; nil after the first.
  /// - Returns: whether it is taken down.
  package func halves(after loss: Double, lowest: Double?) -> Bool {
    guard schedule == .newbob, let lowest else { return false }
    return loss > lowest * (1 - improvement)
  }
}
