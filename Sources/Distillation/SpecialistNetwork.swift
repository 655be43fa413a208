import Foundation
import LinearAlgebra
package import Networks
package import Training

/// The symbol of a specialist's dustbin class, which stands for all classes that are not its own.
package let dustbinSymbol = "<other>"

extension AcousticNetwork {
  /// The initial network of a specialist, made from a generalist (Hinton, Vinyals and Dean 2015,
  /// §5.3).
  ///
  /// It has this network's layers. Its classes are some of this network's, and a last one, the
  /// dustbin, for all others.
  ///
  /// The exact logit of the dustbin would be `log Σ exp z_j` over the other classes j, which no
  /// affine layer computes. The initial logit is `Σ π_j (z_j − log π_j)`, where π_j is the share of
  /// class j among their frames. By Jensen's inequality this is never above the exact logit, and
  /// equal to it if the network's distribution over the other classes is π.
  ///
  /// - Parameters:
  ///   - own: the ids of the specialist's own classes, in the order of its outputs.
  ///   - counts: the number of frames in each class; some frames must be of other classes.
  /// - Returns: a network with `own.count + 1` classes.
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

  /// This network with a constant added to the logits of some classes.
  package func raising(_ classes: some Sequence<Int>, by constant: Double) -> AcousticNetwork {
    var result = self
    for id in classes { result.layers[layers.count - 1].bias[id] += Float(constant) }
    return result
  }
}

/// The objective of a specialist that keeps all classes (proposed by Hinton, Vinyals and Dean 2015,
/// §6.1).
///
/// It combines the true class of each frame with the generalist's soft targets for the classes that
/// are not the specialist's own; these keep it from forgetting classes that it is not shown.
///
/// The loss is `λ · CE(y, softmax(z)) + (1−λ) · T² · CE(p', softmax(z'/T))`, where z' are the
/// logits of the classes that are not the specialist's own, and p' is the generalist's distribution
/// over them at T, scaled to a sum of 1.
package struct HeldTargets: TrainingObjective {
  private let hard: HardTargets
  private let temperature: Float
  private let hardWeight: Float
  /// The ids of the classes that are not its own.
  private let others: [Int]

  /// - Parameters:
  ///   - own: the ids of the specialist's own classes; not all.
  ///   - classes: the number of classes.
  ///   - options: λ, and T, at which the soft targets were computed.
  ///   - hard: the hard term, without λ.
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
