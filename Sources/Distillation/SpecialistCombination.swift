import Training
import Foundation
package import LinearAlgebra

/// Combines a generalist and specialists into one distribution over all classes (Hinton, Vinyals
/// and Dean 2015, §5.3).
///
/// A specialist has a probability for each of its own classes, and one, its dustbin's, for all
/// others together. A specialist is active for a frame if its own classes include one of the
/// generalist's n most probable classes. The combination is the distribution q that minimises
/// `KL(p^g, q) + Σ_m KL(p^m, q)` over the active specialists m, where q of m's dustbin is the sum
/// over the classes that are not m's (equation 5).
///
/// The minimum is found by the multiplicative update `q_i ← (1/M) Σ_m p^m(bin_m(i)) · q_i /
/// q(bin_m(i))`, where M is the number of distributions. Each step averages the versions of q that
/// fit each distribution alone, so it needs no step size and never raises the objective. Classes
/// that belong to the same active specialists keep their proportions after the first step, so only
/// the sums of such groups are updated.
package struct SpecialistCombination: Sendable {
  /// The number of classes.
  package let classes: Int
  /// The class ids of each specialist, in the order of its probabilities; its dustbin's is last.
  package let specialists: [[Int32]]
  /// The index of each class among a specialist's own, −1 for one in its dustbin, [specialists ×
  /// classes].
  private let places: [[Int32]]

  /// The iteration stops when the objective falls by less than this, in nats.
  package static let tolerance = 1e-9
  /// The maximum number of steps.
  static let mostSteps = 10_000

  /// - Parameters:
  ///   - classes: the number of classes.
  ///   - specialists: the class ids of up to 64 specialists, each with at least one class, not all,
  ///     and none twice.
  package init(classes: Int, specialists: [[Int32]]) {
    precondition(specialists.count <= 64, "SpecialistCombination: \(specialists.count) specialists")
    (self.classes, self.specialists) = (classes, specialists)
    places = specialists.map { own in
      precondition(
        !own.isEmpty && own.count < classes, "SpecialistCombination: \(own.count) classes of one")
      var places = [Int32](repeating: -1, count: classes)
      for (place, id) in own.enumerated() {
        precondition(places[Int(id)] < 0, "SpecialistCombination: class \(id) appears twice")
        places[Int(id)] = Int32(place)
      }
      return places
    }
  }

  /// The specialists that are active for a frame.
  ///
  /// - Parameters:
  ///   - generalist: the generalist's distribution.
  ///   - n: the number of its most probable classes to consider, at least one; the first in case of
  ///     ties.
  /// - Returns: the indices of the specialists in ascending order; empty when none has such a
  ///   class.
  package func active(_ generalist: Span<Float>, n: Int = 1) -> [Int] {
    let top = indicesOfLargest(n, in: generalist)
    return places.indices.filter { specialist in top.contains { places[specialist][$0] >= 0 } }
  }

  /// Combines the distributions of each frame.
  ///
  /// - Parameters:
  ///   - generalist: the generalist's distributions, [frames × classes].
  ///   - specialists: each specialist's distributions, [frames × its classes and the dustbin].
  ///   - n: the number of the generalist's most probable classes that decide which specialists are
  ///     active.
  ///   - workers: the threads among which the frames are shared.
  /// - Returns: distributions, [frames × classes]; the generalist's for frames without an active
  ///   specialist.
  package func combined(
    _ generalist: Matrix, _ specialists: [Matrix], n: Int = 1, workers: Workers = .one
  ) -> Matrix {
    var result = generalist
    result.forEachRow(workers) { frame, row in
      let active = active(generalist.row(frame), n: n)
      guard !active.isEmpty else { return }
      var groups = Groups(self, active, frame, generalist, specialists)
      groups.solve()
      groups.write(to: &row)
    }
    return result
  }
}

/// The classes of one frame, grouped by which active specialists have them.
private struct Groups {
  /// The classes that belong to the same active specialists.
  private struct Group {
    /// The bit of each active specialist that has the classes.
    let owners: UInt64
    /// The number of classes.
    var count = 0
    /// The sum of the probabilities that distributions give to these classes individually.
    var named = 0.0
    /// The sum of q over these classes.
    var mass = 0.0
  }

  private var groups: [Group]
  /// The index of each class's group.
  private let ofClasses: [Int]
  /// The sum of the probabilities that distributions give to each class individually.
  private let named: [Double]
  /// The dustbin probability of each active specialist.
  private let dustbins: [Double]
  /// The number of distributions.
  private var count: Double { Double(dustbins.count + 1) }

  init(
    _ combination: SpecialistCombination, _ active: [Int], _ frame: Int, _ generalist: Matrix,
    _ specialists: [Matrix]
  ) {
    dustbins = active.map { Double(specialists[$0][frame, combination.specialists[$0].count]) }
    var owners = [UInt64](repeating: 0, count: combination.classes)
    var named = (0..<combination.classes).map { Double(generalist[frame, $0]) }
    for (bit, specialist) in active.enumerated() {
      let said = specialists[specialist]
      for (place, id) in combination.specialists[specialist].enumerated() {
        owners[Int(id)] |= 1 << UInt64(bit)
        named[Int(id)] += Double(said[frame, place])
      }
    }
    var groups: [Group] = []
    var ofClasses: [Int] = []
    ofClasses.reserveCapacity(owners.count)
    for (id, pattern) in owners.enumerated() {
      let known = groups.firstIndex { $0.owners == pattern }
      if known == nil { groups.append(Group(owners: pattern)) }
      let index = known ?? groups.count - 1
      groups[index].count += 1
      groups[index].named += named[id]
      ofClasses.append(index)
    }
    for index in groups.indices { groups[index].mass = 1 / Double(groups.count) }
    (self.groups, self.ofClasses, self.named) = (groups, ofClasses, named)
  }

  /// Sets the groups' masses to those that minimise the objective.
  mutating func solve() {
    if dustbins.count == 1 {
      for index in groups.indices {
        let outside = groups[index].owners == 0 ? dustbins[0] : 0
        groups[index].mass = (groups[index].named + outside) / 2
      }
      return
    }
    var objective = Double.infinity
    for _ in 0..<SpecialistCombination.mostSteps {
      let masses = dustbins.indices.map { bit in
        groups.reduce(0) { $0 + (has(bit, $1) ? 0 : $1.mass) }
      }
      let now = self.objective(masses)
      guard objective - now >= SpecialistCombination.tolerance || !objective.isFinite else {
        return
      }
      objective = now
      let ratios = dustbins.indices.map { masses[$0] > 0 ? dustbins[$0] / masses[$0] : 0 }
      for index in groups.indices {
        let group = groups[index]
        let outside = dustbins.indices.reduce(0) { $0 + (has($1, group) ? 0 : ratios[$1]) }
        groups[index].mass = (group.named + group.mass * outside) / count
      }
    }
  }

  private func has(_ bit: Int, _ group: Group) -> Bool { group.owners & (1 << UInt64(bit)) != 0 }

  /// The objective, up to terms that do not depend on the groups' masses.
  private func objective(_ dustbinMasses: [Double]) -> Double {
    var sum = 0.0
    for group in groups where group.named > 0 { sum -= group.named * log(group.mass) }
    for (own, mass) in zip(dustbins, dustbinMasses) where own > 0 { sum -= own * log(mass) }
    return sum
  }

  /// Writes the probability of each class.
  ///
  /// A group's mass is divided in proportion to the classes' individual probabilities, or evenly if
  /// these are all zero.
  func write(to row: inout MutableSpan<Float>) {
    for (id, index) in ofClasses.enumerated() {
      let group = groups[index]
      let share = group.named > 0 ? named[id] / group.named : 1 / Double(group.count)
      row[id] = Float(group.mass * share)
    }
  }
}
