import Distillation

/// The systems of a recipe.
extension Recipe {
  /// The ensemble's members, in order.
  var memberSystems: [System] { (0..<ensemble.members).map { .member($0) } }

  /// The students with their baselines: the recipe's `student` first, then the others by name.
  var pairs: [(student: System, baseline: System, options: StudentPair)] {
    let own = (System.student(nil), System.baseline(nil), StudentPair(student, baseline))
    return [own]
      + students.sorted { $0.key < $1.key }.map { (.student($0.key), .baseline($0.key), $0.value) }
  }

  /// The systems that have a model after a stage, except those of searches, studies and
  /// specialists.
  package func systems(until last: Stage) -> [System] {
    let trained = memberSystems + pairs.flatMap { $0.baseline.repetitions(seeds) }
    return switch last {
    case .features, .targets: []
    case .train, .search: trained
    case .distill, .specialists, .score: trained + pairs.flatMap { $0.student.repetitions(seeds) }
    }
  }

  /// The systems whose training a single command reads or runs.
  ///
  /// - Parameter stage: `distill` or `specialists`; for any other stage, all systems up to it.
  /// - Returns: a subset of `systems(until:)`.
  package func systems(of stage: Stage) -> [System] {
    switch stage {
    case .distill: memberSystems + pairs.flatMap { $0.student.repetitions(seeds) }
    case .specialists:
      [.generalist] + (specialists?.student == nil ? [] : memberSystems.prefix(comparedMembers))
    case .features, .targets, .train, .search, .score: systems(until: stage)
    }
  }

  /// The networks that train on a share of the utterances, for each share the one with hard targets
  /// alone first.
  var subsetSystems: [SubsetSystem] {
    guard let subsets else { return [] }
    return subsets.shares.flatMap { share in
      let name = SubsetOptions.name(of: share)
      return [("hard", false, subsets.hard), ("soft", true, subsets.soft)].map {
        SubsetSystem(
          system: .subset(name, targets: $0), share: share, seed: subsets.seed, hasSoftTargets: $1,
          options: $2)
      }
    }
  }

  /// The specialists of the recipe; clustering may find fewer.
  var specialistSystems: [System] {
    (0..<(specialists?.clustering.clusters ?? 0)).map { .specialist($0) }
  }

  /// The students of the specialists' stage, one for each teacher.
  var specialistStudents: [System] {
    specialists?.student == nil ? [] : System.Teacher.allCases.map { .distilled(from: $0) }
  }

  /// The systems of the studies and of the specialists' stage that are scored one by one.
  var studiedSystems: [System] { subsetSystems.map(\.system) + specialistStudents }

  /// The greatest number of members in the ensemble that specialists are compared with.
  var comparedMembers: Int {
    guard let specialists else { return 0 }
    return min(specialists.members ?? specialists.clustering.clusters + 1, ensemble.members)
  }
}

/// A network that trains on a share of the utterances.
struct SubsetSystem {
  let system: System
  let share: Double
  /// The seed that selects the utterances.
  let seed: UInt64
  /// Whether it has soft targets as well.
  let hasSoftTargets: Bool
  let options: Recipe.SystemOptions
}
