import Foundation
package import LinearAlgebra
import Networks

/// How the soft targets of a frame are stored: as a rule in 16 bits, as logarithms of probabilities.
///
/// Of all classes, the natural logarithms themselves, none below −30, which 16 bits spread over their range
/// hold to within 0.00025, so that a probability is off by 0.05 % at most.
///
/// Of the k largest probabilities, whole numbers from 0 to 65,535, which 16 bits hold exactly:
/// `2000 · (ln p + 30)` of the k probabilities in falling order and of the sum of all others, the tail, then the k
/// class ids. Ids of more than 65,536 classes are whole numbers beyond that, and all numbers are then stored in 32
/// bits, which hold those up to 2²⁴ exactly. The tail's mass belongs to the temperature at which the distribution was made.
package struct SoftTargetStore: Sendable, Equatable, Codable {
  /// The classes of a distribution.
  package let classes: Int
  /// k; nil for all classes.
  package let largest: Int?

  /// The least logarithm; what is less probable counts as this.
  package static let floor: Float = -30
  /// The codes of one nat of the k largest.
  private static let codesANat: Float = 2000

  /// - Parameters:
  ///   - classes: how many there are.
  ///   - largest: how many of them are stored; nil, or as many as there are, for all.
  package init(classes: Int, largest: Int?) {
    self.classes = classes
    self.largest = largest.flatMap { $0 < classes ? $0 : nil }
  }

  /// The bits of a stored number.
  package var bits: Int { largest != nil && classes > 1 << 16 ? 32 : 16 }

  /// The numbers of a frame.
  package var columns: Int { largest.map { 2 * $0 + 1 } ?? classes }

  /// What is stored of distributions.
  ///
  /// - Parameter distributions: frames × classes, each row a distribution.
  /// - Returns: frames × `columns`.
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

  /// Replaces a stored row by its distribution: over all classes; or over the k and the tail, before the ids.
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

  /// The distribution over all classes that restored rows stand for, the tail's mass spread evenly.
  ///
  /// - Parameter restored: frames × `columns`, each row as `restore` leaves it.
  /// - Returns: frames × classes.
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

  /// What frames lose by being stored.
  package struct Loss: Sendable, Equatable, Codable {
    package private(set) var frames = 0
    /// The sum over the frames of KL(p, p as restored), in nats.
    private var divergence = 0.0
    /// The frames whose most probable class is the same.
    private var agreed = 0

    package init() {}

    /// Counts some frames.
    ///
    /// - Parameters:
    ///   - distributions: frames × classes.
    ///   - restored: the same frames as they are read back, over all classes.
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

    /// Counts what another one has counted.
    package mutating func add(_ other: Loss) {
      frames += other.frames
      divergence += other.divergence
      agreed += other.agreed
    }

    /// The mean over the frames of the Kullback-Leibler divergence, in nats.
    package var meanDivergence: Double { divergence / Double(max(1, frames)) }

    /// The share of frames whose most probable class is kept.
    package var agreement: Double { Double(agreed) / Double(max(1, frames)) }
  }
}

/// The places of the k largest values, in falling order; of equals the first one first.
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
