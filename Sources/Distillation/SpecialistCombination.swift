import Training
import Foundation
package import LinearAlgebra

/// A generalist and specialists as one distribution over all classes (Hinton, Vinyals and Dean 2015, §5.3).
///
/// A specialist has a probability for each of its own classes, and one, its dustbin's, for all others. Of a frame
/// those specialists are active whose classes meet the n most probable ones of the generalist. The combination is the
/// distribution q that minimises `KL(p^g, q) + Σ_m KL(p^m, q)` over the active specialists m, where q on m's dustbin is
/// the sum over the classes that are not m's (equation 5 there).
///
/// The minimum is found by the multiplicative update `q_i ← (1/M) Σ_m p^m(bin_m(i)) · q_i / q(bin_m(i))`, with M the
/// number of distributions: each step is an average of q as it would be after fitting each distribution alone, so it
/// needs no step size and never raises the objective. Classes that belong to the same active specialists keep their
/// proportions from the first step on; so the update goes over the sums of such groups alone.
package struct SpecialistCombination: Sendable {
  /// The number of classes.
  package let classes: Int
  /// The classes of each specialist, in the order of its probabilities, which its dustbin's follows.
  package let specialists: [[Int32]]
  /// The place of each class among a specialist's own, −1 of one in its dustbin: specialists × classes.
  private let places: [[Int32]]

  /// The objective falls by less than this, in nats, at the last step.
  package static let tolerance = 1e-9
  /// The most steps, should the objective go on falling.
  static let mostSteps = 10_000

  /// - Parameters:
  ///   - classes: how many there are.
  ///   - specialists: the classes of each, at least one, not all, none twice; up to 64 specialists.
  package init(classes: Int, specialists: [[Int32]]) {
    precondition(specialists.count <= 64, "SpecialistCombination: \(specialists.count) specialists")
    (self.classes, self.specialists) = (classes, specialists)
    places = specialists.map { own in
      precondition(
        !own.isEmpty && own.count < classes, "SpecialistCombination: \(own.count) classes of one")
      var places = [Int32](repeating: -1, count: classes)
      for (place, id) in own.enumerated() {
        precondition(places[Int(id)] < 0, "SpecialistCombination: class \(id) stands twice")
        places[Int(id)] = Int32(place)
      }
      return places
    }
  }

  /// The specialists whose classes meet the n most probable ones of a generalist.
  ///
  /// - Parameters:
  ///   - generalist: a distribution over the classes.
  ///   - n: how many of its classes count, at least one; of equal ones the first.
  /// - Returns: their numbers, rising; none when no specialist covers them.
  package func active(_ generalist: Span<Float>, n: Int = 1) -> [Int] {
    let top = indicesOfLargest(n, in: generalist)
    return places.indices.filter { specialist in top.contains { places[specialist][$0] >= 0 } }
  }

  /// The combination for each frame.
  ///
  /// - Parameters:
  ///   - generalist: frames × classes, each row a distribution.
  ///   - specialists: of each specialist, frames × (its classes and the dustbin), each row a distribution.
  ///   - n: how many of the generalist's classes decide on the active specialists.
  ///   - workers: share the frames.
  /// - Returns: frames × classes, each row a distribution; the generalist's where no specialist is active.
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

/// The classes of one frame by which active specialists have them.
private struct Groups {
  /// One group.
  private struct Group {
    /// The bit of each active specialist that has the classes.
    let owners: UInt64
    /// How many classes.
    var count = 0
    /// What the distributions say of the classes by name, all together.
    var named = 0.0
    /// The sum of q.
    var mass = 0.0
  }

  private var groups: [Group]
  /// The group of each class, and what the distributions say of the class by name.
  private let ofClasses: [Int]
  private let named: [Double]
  /// The dustbin's probability of each active specialist.
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

  /// Moves the groups' masses to the minimum.
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

  /// What the objective is but for what does not depend on the groups' masses.
  private func objective(_ dustbinMasses: [Double]) -> Double {
    var sum = 0.0
    for group in groups where group.named > 0 { sum -= group.named * log(group.mass) }
    for (own, mass) in zip(dustbins, dustbinMasses) where own > 0 { sum -= own * log(mass) }
    return sum
  }

  /// The probability of each class: its group's by what is said of it by name, evenly where nothing is.
  func write(to row: inout MutableSpan<Float>) {
    for (id, index) in ofClasses.enumerated() {
      let group = groups[index]
      let share = group.named > 0 ? named[id] / group.named : 1 / Double(group.count)
      row[id] = Float(group.mass * share)
    }
  }
}
