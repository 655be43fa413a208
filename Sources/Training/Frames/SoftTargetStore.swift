import Foundation
package import LinearAlgebra
import Networks

/// The encoding of a frame's soft target: logarithms of probabilities, usually in 16 bits.
///
/// If all classes are stored, the values are natural logarithms, floored at −30. Spread over that
/// range, 16 bits are accurate to 0.00025, so a probability is off by at most 0.05 %.
///
/// If the k largest probabilities are stored, the values are integers from 0 to 65,535, which 16
/// bits represent exactly: `2000 · (ln p + 30)` for the k probabilities in descending order, then
/// for the tail, which is the sum of all others, then the k class ids. With more than 65,536
/// classes, all values are stored in 32 bits, which represent integers up to 2²⁴ exactly. The
/// tail's mass is that at the temperature of the distribution.
package struct SoftTargetStore: Sendable, Equatable, Codable {
  /// The number of classes in a distribution.
  package let classes: Int
  /// k; nil for all classes.
  package let largest: Int?

  /// The lowest logarithm stored; lower ones are raised to it.
  package static let floor: Float = -30
  /// The number of codes per nat for the k largest.
  private static let codesANat: Float = 2000

  /// - Parameters:
  ///   - classes: the number of classes.
  ///   - largest: k; nil, or any value not below `classes`, to store all classes.
  package init(classes: Int, largest: Int?) {
    self.classes = classes
    self.largest = largest.flatMap { $0 < classes ? $0 : nil }
  }

  /// The number of bits per stored value, 16 or 32.
  package var bits: Int { largest != nil && classes > 1 << 16 ? 32 : 16 }

  /// The number of stored values per frame.
  package var columns: Int { largest.map { 2 * $0 + 1 } ?? classes }

  /// Encodes distributions.
  ///
  /// - Parameter distributions: distributions, [frames × classes].
  /// - Returns: the values to store, [frames × `columns`].
  package func stored(_ distributions: Matrix) -> Matrix {
    guard let largest else {
      var result = distributions
      result.withRows(0..<result.rows) { _, row in
        for index in row.indices {
          row[index] = max(SoftTargetStore.floor, min(0, log(row[index])))
        }
      }
      return result
    }
    var result = Matrix(rows: distributions.rows, columns: columns)
    result.withRows(0..<result.rows) { frame, row in
      let own = distributions.row(frame)
      let ids = indicesOfLargest(largest, in: own)
      var tail: Float = 1
      for (place, id) in ids.enumerated() {
        row[place] = SoftTargetStore.code(own[id])
        row[largest + 1 + place] = Float(id)
        tail -= own[id]
      }
      row[largest] = SoftTargetStore.code(max(0, tail))
    }
    return result
  }

  private static func code(_ probability: Float) -> Float {
    (codesANat * (min(0, max(floor, log(probability))) - floor)).rounded()
  }

  /// Decodes a stored row in place.
  ///
  /// The result is the distribution over all classes, or the distribution over the k largest and
  /// the tail, followed by the k class ids.
  package func restore(_ row: inout MutableSpan<Float>) {
    guard let largest else {
      _ = replaceBySoftmax(&row)
      return
    }
    var sum: Float = 0
    for place in 0...largest {
      row[place] = exp(row[place].rounded() / SoftTargetStore.codesANat + SoftTargetStore.floor)
      sum += row[place]
    }
    for place in 0...largest { row[place] /= sum }
    for place in largest + 1..<row.count { row[place] = row[place].rounded() }
  }

  /// Expands restored rows to distributions over all classes, with the tail's mass spread evenly.
  ///
  /// - Parameter restored: rows as `restore` leaves them, [frames × `columns`].
  /// - Returns: distributions, [frames × classes].
  package func spread(_ restored: Matrix) -> Matrix {
    guard let largest else { return restored }
    var result = Matrix(rows: restored.rows, columns: classes)
    result.withRows(0..<result.rows) { frame, row in
      let own = restored.row(frame)
      for index in row.indices { row[index] = own[largest] / Float(classes - largest) }
      for place in 0..<largest { row[Int(own[largest + 1 + place])] = own[place] }
    }
    return result
  }

  /// The loss of accuracy caused by storing soft targets.
  package struct Loss: Sendable, Equatable, Codable {
    /// The number of frames counted.
    package private(set) var frames = 0
    /// The sum over the frames of KL(p, restored p), in nats.
    private var divergence = 0.0
    /// The number of frames whose most probable class is unchanged.
    private var agreed = 0

    /// No frames yet.
    package init() {}

    /// Adds some frames.
    ///
    /// - Parameters:
    ///   - distributions: the original distributions, [frames × classes].
    ///   - restored: the same frames after storing, expanded to all classes.
    package mutating func add(_ distributions: Matrix, restored: Matrix) {
      for (own, other) in zip(distributions.largestColumns(), restored.largestColumns())
      where own == other { agreed += 1 }
      for row in 0..<distributions.rows {
        let (p, q) = (distributions.row(row), restored.row(row))
        for index in p.indices where p[index] > 0 {
          divergence += Double(p[index]) * (log(Double(p[index])) - log(Double(q[index])))
        }
      }
      frames += distributions.rows
    }

    /// Adds the frames that another value has counted.
    package mutating func add(_ other: Loss) {
      frames += other.frames
      divergence += other.divergence
      agreed += other.agreed
    }

    /// The mean Kullback-Leibler divergence per frame, in nats; 0 when there are no frames.
    package var meanDivergence: Double { divergence / Double(max(1, frames)) }

    /// The share of frames whose most probable class is unchanged; 0 when there are no frames.
    package var agreement: Double { Double(agreed) / Double(max(1, frames)) }
  }
}

/// The indices of the `count` largest values in descending order; ties keep the order of the row.
package func indicesOfLargest(_ count: Int, in row: Span<Float>) -> [Int] {
  var best: [Int] = []
  best.reserveCapacity(count + 1)
  for index in row.indices {
    if best.count == count, row[index] <= row[best[count - 1]] { continue }
    var (low, high) = (0, best.count)
    while low < high {
      let middle = (low + high) / 2
      if row[best[middle]] >= row[index] { low = middle + 1 } else { high = middle }
    }
    best.insert(index, at: low)
    if best.count > count { best.removeLast() }
  }
  return best
}
