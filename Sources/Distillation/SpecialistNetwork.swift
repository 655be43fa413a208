import Foundation
import LinearAlgebra
package import Networks
package import Training

/// What the classes of all other specialists are called by one that has its own classes and a dustbin.
package let dustbinSymbol = "<other>"

extension AcousticNetwork {
  /// The start of a specialist: a network with these layers whose classes are some of this one's, and a last one,
  /// the dustbin, for all others (Hinton, Vinyals and Dean 2015, §5.3).
  ///
  /// The dustbin's logit would be `log Σ exp z_j` over the other classes j, which no layer computes. It starts as
  /// `Σ π_j (z_j − log π_j)` with π_j the share of class j among their frames: by Jensen's inequality never above
  /// it, and equal where the network's distribution over them is π.
  ///
  /// - Parameters:
  ///   - own: the ids of the specialist's classes, in the order that they will have.
  ///   - counts: the frames of each class; some are of the others.
  /// - Returns: a network of `own.count + 1` classes.
  package func specialist(own: [Int32], counts: [Int]) -> AcousticNetwork {
    let last = layers[layers.count - 1]
    let others = counts.indices.filter { !own.contains(Int32($0)) && counts[$0] > 0 }
    let total = Float(others.reduce(0) { $0 + counts[$1] })
    var dustbin = [Float](repeating: 0, count: last.weights.columns)
    var bias: Float = 0
    for id in others {
      let share = Float(counts[id]) / total
      let row = last.weights.row(id)
      for column in dustbin.indices { dustbin[column] += share * row[column] }
      bias += share * (last.bias[id] - log(share))
    }
    var weights = last.weights.rows(own.map { Int($0) })
    weights.append(Matrix(rows: 1, columns: dustbin.count, values: dustbin))
    var result = self
    result.layers[layers.count - 1] = AffineLayer(
      weights: weights, bias: own.map { last.bias[Int($0)] } + [bias], offsets: last.offsets)
    return result
  }

  /// The network with a constant added to the logits of some classes.
  package func raising(_ classes: some Sequence<Int>, by constant: Double) -> AcousticNetwork {
    var result = self
    for id in classes { result.layers[layers.count - 1].bias[id] += Float(constant) }
    return result
  }
}

/// The objective of a specialist that keeps all classes: the true class of each frame, and for the classes that
/// are not its own the generalist's soft targets, which keep it from forgetting what it is not shown (proposed by
/// Hinton, Vinyals and Dean 2015, §6.1).
///
/// It is `λ · CE(y, softmax(z)) + (1−λ) · T² · CE(p', softmax(z'/T))`, where z' are the logits of the classes that
/// are not the specialist's own, and p' the generalist's distribution over these at T, adding up to 1.
package struct HeldTargets: TrainingObjective {
  private let hard: HardTargets
  private let temperature: Float
  private let hardWeight: Float
  /// The classes that are not its own.
  private let others: [Int]

  /// - Parameters:
  ///   - own: the ids of the specialist's classes, not all.
  ///   - classes: how many there are.
  ///   - options: T, at which the soft targets were computed, and λ.
  ///   - hard: the hard term, λ aside.
  package init(
    own: [Int32], classes: Int, options: DistillationOptions, hard: HardTargets = HardTargets()
  ) {
    self.hard = hard
    (temperature, hardWeight) = (Float(options.temperature), Float(options.hardWeight))
    let own = Set(own)
    others = (0..<classes).filter { !own.contains(Int32($0)) }
  }

  package var weight: Double {
    Double(hardWeight) * hard.weight + Double((1 - hardWeight) * temperature * temperature)
  }

  package func replaceByGradient(
    _ logits: inout MutableSpan<Float>, label: Int32, softTarget: Span<Float>, scale: Float
  ) -> Float {
    let values = others.map { logits[$0] }
    let masses = others.map { softTarget[$0] }
    let mass = max(masses.reduce(0, +), .leastNormalMagnitude)
    var own = Matrix(rows: 1, columns: others.count, values: values)
    let target = Matrix(rows: 1, columns: others.count, values: masses.map { $0 / mass })
    let softWeight = (1 - hardWeight) * temperature * temperature
    var softLoss: Float = 0
    own.withRow(0) {
      softLoss = CrossEntropy.soft(
        &$0, target: target.row(0), temperature: temperature, scale: scale * softWeight)
    }
    let hardLoss = hard.replaceByGradient(
      &logits, label: label, softTarget: softTarget, scale: scale * hardWeight)
    for (place, id) in others.enumerated() { logits[id] += own[0, place] }
    return hardWeight * hardLoss + softWeight * softLoss
  }
}
