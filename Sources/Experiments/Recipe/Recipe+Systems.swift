import Distillation

/// The systems that a recipe asks for.
extension Recipe {
  /// The ensemble's members, in order.
  var memberSystems: [System] { (0..<ensemble.members).map { .member($0) } }

  /// The students, the recipe's `student` first, the others by their names, each with its baseline.
  var pairs: [(student: System, baseline: System, options: StudentPair)] {
    let own = (System.student(nil), System.baseline(nil), StudentPair(student, baseline))
    return [own]
      + students.sorted { $0.key < $1.key }.map { (.student($0.key), .baseline($0.key), $0.value) }
  }

  /// The systems that have a model when a stage is done, without those of searches, studies and specialists.
  package func systems(until last: Stage) -> [System] {
    let trained = memberSystems + pairs.map(\.baseline)
    return switch last {
    case .features, .targets: []
    case .train, .search: trained
    case .distill, .specialists, .score: trained + pairs.map(\.student)
    }
  }

  /// The systems whose training a single verb takes or does.
  ///
  /// - Parameter stage: `distill` or `specialists`; of the others all systems until then.
  /// - Returns: a part of `systems(until:)`.
  package func systems(of stage: Stage) -> [System] {
    switch stage {
    case .distill: memberSystems + pairs.map(\.student)
    case .specialists:
      [.generalist] + (specialists?.student == nil ? [] : memberSystems.prefix(comparedMembers))
    case .features, .targets, .train, .search, .score: systems(until: stage)
    }
  }

  /// The networks that learn from a share of the utterances, for each share that of classes alone first.
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

  /// The specialists that are asked for, of which fewer may be found.
  var specialistSystems: [System] {
    (0..<(specialists?.clustering.clusters ?? 0)).map { .specialist($0) }
  }

  /// The systems of the specialists' stage besides the specialists: the students, by what taught them.
  var specialistStudents: [System] {
    specialists?.student == nil ? [] : System.Teacher.allCases.map { .distilled(from: $0) }
  }

  /// The systems of studies and of the specialists' stage that are scored one by one.
  var studiedSystems: [System] { subsetSystems.map(\.system) + specialistStudents }

  /// How many members the ensemble has at most that specialists are compared with.
  var comparedMembers: Int {
    guard let specialists else { return 0 }
    return min(specialists.members ?? specialists.clustering.clusters + 1, ensemble.members)
  }
}

/// A network that learns from a share of the utterances.
struct SubsetSystem {
  let system: System
  let share: Double
  /// Draws the utterances.
  let seed: UInt64
  /// Whether it has soft targets besides.
  let hasSoftTargets: Bool
  let options: Recipe.SystemOptions
}
