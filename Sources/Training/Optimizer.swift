import Foundation
import LinearAlgebra
package import Networks

/// How parameters are moved against their gradient.
package struct OptimizerOptions: Sendable, Equatable {
  /// The rules.
  package enum Kind: String, Sendable, Codable, CaseIterable {
    /// Gradient descent with momentum (0 for none).
    case sgd
    /// Kingma and Ba 2015, with `weightDecay` added to the gradient.
    case adam
    /// Loshchilov and Hutter 2019: `weightDecay` shrinks the weights by themselves.
    case adamw
  }

  package var kind = Kind.sgd
  /// Of sgd: the share of the last step that is taken again, in [0, 1).
  package var momentum = 0.9
  /// Of sgd: whether the gradient is taken as if at the place that momentum leads to (Nesterov).
  package var nesterov = false
  /// Of adam and adamw: how much of the gradient's mean is kept from step to step, in [0, 1).
  package var beta1 = 0.9
  /// Of adam and adamw: how much of the squared gradient's mean is kept, in [0, 1).
  package var beta2 = 0.999
  /// Of adam and adamw: added to the root of the squared gradient's mean.
  package var epsilon = 1e-8
  /// A penalty on weights, not on biases and normalisations: this times the weight is added to its gradient.
  package var weightDecay = 0.0

  package init() {}

  /// How many values are kept of each parameter.
  package var moments: Int { kind == .sgd ? 1 : 2 }

  /// The move of one step.
  ///
  /// - Parameters:
  ///   - step: from 0.
  ///   - rate: the learning rate.
  /// - Returns: what moves a part of a parameter.
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
