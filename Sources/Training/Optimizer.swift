import Foundation
import LinearAlgebra
package import Networks

/// The rule that updates parameters from their gradient.
package struct OptimizerOptions: Sendable, Equatable {
  /// The update rules.
  package enum Kind: String, Sendable, Codable, CaseIterable {
    /// Stochastic gradient descent with momentum, which may be 0.
    case sgd
    /// Adam (Kingma and Ba 2015), with `weightDecay` added to the gradient.
    case adam
    /// AdamW (Loshchilov and Hutter 2019), whose `weightDecay` shrinks the weights directly.
    case adamw
  }

  /// The update rule.
  package var kind = Kind.sgd
  /// For `sgd`, the share of the previous step that is repeated, in [0, 1).
  package var momentum = 0.9
  /// For `sgd`, whether to use Nesterov momentum.
  package var nesterov = false
  /// For `adam` and `adamw`, the decay rate of the gradient's running mean, in [0, 1).
  package var beta1 = 0.9
  /// For `adam` and `adamw`, the decay rate of the squared gradient's running mean, in [0, 1).
  package var beta2 = 0.999
  /// For `adam` and `adamw`, a positive constant added to the root of the squared gradient's mean.
  package var epsilon = 1e-8
  /// The weight decay, 0 or more; it applies to weights, not to biases and normalisations.
  ///
  /// For `sgd` and `adam`, this times the weight is added to the weight's gradient.
  package var weightDecay = 0.0

  /// The defaults: stochastic gradient descent with a momentum of 0.9.
  package init() {}

  /// The number of values that the rule keeps for each parameter value.
  package var moments: Int { kind == .sgd ? 1 : 2 }

  /// The update of one step.
  ///
  /// - Parameters:
  ///   - step: the step, from 0.
  ///   - rate: the learning rate.
  /// - Returns: a function that updates a part of a parameter.
  package func update(
    step: Int, rate: Double
  ) -> @Sendable (TrainableNetwork.Update) -> Void {
    let options = self
    func decay(_ kind: TrainableNetwork.Parameter.Kind) -> Double {
      kind == .weights ? options.weightDecay : 0
    }
    if kind == .sgd {
      return { part in
        part.values.takeMomentumStep(
          velocity: part.moments[0], gradient: part.gradient, rate: Float(rate),
          momentum: Float(options.momentum),
          decay: part.kind == .weights ? Float(options.weightDecay) : 0,
          isNesterov: options.nesterov)
      }
    }
    func constants(_ kind: TrainableNetwork.Parameter.Kind) -> AdamConstants {
      AdamConstants(
        step: step + 1, rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon,
        decay: self.kind == .adam ? decay(kind) : 0,
        decoupledDecay: self.kind == .adamw ? decay(kind) : 0)
    }
    let (weights, others) = (constants(.weights), constants(.other))
    return { part in
      part.values.takeAdamStep(
        first: part.moments[0], second: part.moments[1], gradient: part.gradient,
        part.kind == .weights ? weights : others)
    }
  }
}
