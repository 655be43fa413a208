/// The files that a step makes and other steps read.
enum Product: Hashable, Sendable, CustomStringConvertible {
  case features(UtteranceSet)
  case targets(UtteranceSet)
  /// The folds of the ensemble's members.
  case folds
  case model(System)
  /// The points tried for the baselines, and the choice.
  case baselineSearch
  /// The soft targets of a set's frames.
  case softTargets(SoftTargets, UtteranceSet)
  /// The points tried for T, λ and the mean, and the choice.
  case search
  /// The classes of each specialist.
  case clusters
  case scores

  /// The name of the step that makes it, in the plan and in the log.
  var description: String {
    switch self {
    case .features(let set): "features/\(set.name)"
    case .targets(let set): "targets/\(set.name)"
    case .folds: "folds"
    case .model(let system): system.name
    case .baselineSearch: "baseline-search"
    case .softTargets(let name, let set): "soft-targets/\(name)/\(set.name)"
    case .search: "search"
    case .clusters: "specialists/clusters"
    case .scores: "scores"
    }
  }
}
