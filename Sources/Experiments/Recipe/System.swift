import Distillation

/// One of the networks of an experiment, or the ensemble of some; its name is that of its files and of its scores.
package enum System: Hashable, Sendable, CustomStringConvertible {
  /// What a student of the specialists' stage has learnt from.
  package enum Teacher: String, CaseIterable, Sendable {
    case generalist, specialists, ensemble
  }

  /// A member of the ensemble, from 0.
  case member(Int)
  /// All members together.
  case ensemble
  /// The rival of a student; of the recipe's `student`, or of one of its `students` by its name.
  case baseline(String?)
  /// The recipe's `student`, or one of its `students` by its name.
  case student(String?)
  /// A specialist, from 0.
  case specialist(Int)
  /// A student of the specialists' stage.
  case distilled(from: Teacher)
  /// A student of a search, by what it tries.
  case studentTrial(String)
  /// A baseline of a search: whose rival it would be, and by what it tries.
  case baselineTrial(String?, String)
  /// A network that learns from a share of the utterances: which, and from what.
  case subset(String, targets: String)
  /// The student that does not learn from a label's frames.
  case missing(label: String)

  /// The network of a search that tries a point for a baseline.
  func trial(_ point: String) -> System {
    guard case .baseline(let pair) = self else {
      preconditionFailure("trial: \(self) is no baseline")
    }
    return .baselineTrial(pair, point)
  }

  /// The student of a search that tries a point.
  static func trial(of point: DistillationOptions) -> System {
    .studentTrial("\(point.mean.rawValue)-T\(point.temperature)-L\(point.hardWeight)")
  }

  /// The baseline that specialists start from.
  static let generalist = System.baseline(nil)

  package var name: String {
    switch self {
    case .member(let number): "member-\(System.twoDigits(number))"
    case .ensemble: "ensemble"
    case .baseline(let pair): "baseline" + (pair.map { "-\($0)" } ?? "")
    case .student(let pair): "student" + (pair.map { "-\($0)" } ?? "")
    case .specialist(let number): "specialist-\(System.twoDigits(number))"
    case .distilled(let teacher): "distilled-\(teacher.rawValue)"
    case .studentTrial(let point): "search-\(point)"
    case .baselineTrial(let pair, let point): "search-\(System.baseline(pair).name)-\(point)"
    case .subset(let share, let targets): "subset-\(share)-\(targets)"
    case .missing(let label): "missing-\(label)"
    }
  }

  package var description: String { name }

  /// The member, the ensemble, the baseline or the student of a name; nil of any other.
  package init?(name: String) {
    let parts = name.split(separator: "-", maxSplits: 1).map(String.init)
    let rest = parts.count > 1 ? parts[1] : nil
    switch parts.first {
    case "member":
      guard let number = rest.flatMap({ Int($0) }) else { return nil }
      self = .member(number)
    case "ensemble" where rest == nil: self = .ensemble
    case "baseline": self = .baseline(rest)
    case "student": self = .student(rest)
    default: return nil
    }
  }

  /// The number of a member; nil of another system.
  var memberNumber: Int? { if case .member(let number) = self { number } else { nil } }

  private static func twoDigits(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
}
