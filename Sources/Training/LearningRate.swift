import Foundation

/// The learning rate as a function of the step.
package struct LearningRateOptions: Sendable, Equatable {
  /// The shape of the function.
  package enum Schedule: String, Sendable, Codable, CaseIterable {
    /// The same rate at every step.
    case constant
    /// Falls by the same factor at each step, from `learningRate` to `finalLearningRate`.
    case exponential
    /// Falls along half a cosine wave, from `learningRate` to `finalLearningRate` (Loshchilov and
    /// Hutter 2017).
    case cosine
    /// Is multiplied by `halving` after each epoch whose development loss is not lower than the
    /// previous minimum by at least a share of `improvement` (QuickNet's newbob).
    case newbob
  }

  /// The shape of the function.
  package var schedule = Schedule.exponential
  /// The rate at the first step, apart from the warm-up, for the mean loss over a batch.
  package var learningRate = 0.05
  /// The rate at the last step, for `exponential` and `cosine`.
  ///
  /// If a recipe omits it, it is a hundredth of `learningRate`.
  package var finalLearningRate = 0.0005
  /// The number of steps over which the rate rises linearly from zero.
  package var warmUp = 0
  /// For `newbob`, the factor by which the rate is multiplied, in (0, 1).
  package var halving = 0.5
  /// For `newbob`, the relative improvement in loss that keeps the rate unchanged, in [0, 1).
  package var improvement = 0.01

  /// The defaults.
  package init() {}

  /// The rate at a step.
  ///
  /// With p = step / (steps − 1), and with a and b the first and the final rate, `exponential` is
  /// `a · (b / a)^p` and `cosine` is `b + (a − b) · (1 + cos πp) / 2`. During the warm-up the rate
  /// is multiplied by `(step + 1) / (warmUp + 1)`.
  ///
  /// - Parameters:
  ///   - step: the step, from 0.
  ///   - steps: the number of steps in the whole training.
  ///   - halvings: the number of times that `newbob` has reduced the rate.
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

  /// Whether `newbob` reduces the rate after an epoch; always false for the other schedules.
  ///
  /// - Parameters:
  ///   - loss: the epoch's development loss.
  ///   - lowest: the lowest development loss of the previous epochs; nil after the first epoch.
  /// - Returns: whether the rate is to be multiplied by `halving`.
  package func halves(after loss: Double, lowest: Double?) -> Bool {
    guard schedule == .newbob, let lowest else { return false }
    return loss > lowest * (1 - improvement)
  }
}
