import Distillation
import Foundation

/// One of the networks of an experiment, or an ensemble of them; its name is used for its files and
/// scores.
package enum System: Hashable, Sendable, CustomStringConvertible {
  /// The teacher of a student of the specialists' stage.
  package enum Teacher: String, CaseIterable, Sendable {
    /// The baseline, the baseline with its specialists, or the ensemble that they are compared
    /// with.
    case generalist, specialists, ensemble
  }

  /// A member of the ensemble, counted from 0.
  case member(Int)
  /// All members together.
  case ensemble
  /// The rival of a student: of the recipe's `student` if nil, or of one of its `students` by name.
  case baseline(String?)
  /// The recipe's `student` if nil, or one of its `students` by name.
  case student(String?)
  /// A specialist, counted from 0.
  case specialist(Int)
  /// A student or a baseline trained again with another seed, by the seed's number from 2.
  indirect case repetition(System, Int)
  /// A student of the specialists' stage.
  case distilled(from: Teacher)
  /// A student of a search, by the point that it tries.
  case studentTrial(String)
  /// A baseline of a search, by the student that it would rival and the point that it tries.
  case baselineTrial(String?, String)
  /// A network that trains on a share of the utterances, by the share's name and `hard` or `soft`.
  case subset(String, targets: String)
  /// The student that does not train on a label's frames.
  case missing(label: String)

  /// The network that tries a point of a baseline's search.
  func trial(_ point: String) -> System {
    guard case .baseline(let pair) = self else {
      preconditionFailure("trial: \(self) is no baseline")
    }
    return .baselineTrial(pair, point)
  }

  /// The student that tries a point of a search.
  static func trial(of point: DistillationOptions) -> System {
    .studentTrial("\(point.mean.rawValue)-T\(point.temperature)-L\(point.hardWeight)")
  }

  /// The baseline that specialists start from.
  static let generalist = System.baseline(nil)

  /// The name in file names, scores and options, such as `member-00` or `student-small`.
  package var name: String {
    switch self {
    case .member(let number): "member-\(System.twoDigits(number))"
    case .ensemble: "ensemble"
    case .baseline(let pair): "baseline" + (pair.map { "-\($0)" } ?? "")
    case .student(let pair): "student" + (pair.map { "-\($0)" } ?? "")
    case .specialist(let number): "specialist-\(System.twoDigits(number))"
    case .repetition(let system, let number): "\(system)-seed-\(number)"
    case .distilled(let teacher): "distilled-\(teacher.rawValue)"
    case .studentTrial(let point): "search-\(point)"
    case .baselineTrial(let pair, let point): "search-\(System.baseline(pair).name)-\(point)"
    case .subset(let share, let targets): "subset-\(share)-\(targets)"
    case .missing(let label): "missing-\(label)"
    }
  }

  package var description: String { name }

  /// The member, ensemble, baseline or student with this name; nil for any other name.
  package init?(name: String) {
    if let mark = name.range(of: "-seed-", options: .backwards),
      let number = Int(name[mark.upperBound...]),
      let system = System(name: String(name[..<mark.lowerBound]))
    {
      self = .repetition(system, number)
      return
    }
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

  /// The system with each of some seeds; with the first it keeps its name.
  func repetitions(_ seeds: Int) -> [System] {
    (1...seeds).map { $0 == 1 ? self : .repetition(self, $0) }
  }

  /// The name of the mean over the seeds of a system.
  var nameOfMean: String { "\(self)-mean" }

  /// Whether a student of this name could not be told from a repetition or a mean.
  static func isReserved(_ name: String) -> Bool {
    name.split(separator: "-").contains { $0 == "seed" || $0 == "mean" }
  }

  /// The number of a member; nil for another system.
  var memberNumber: Int? { if case .member(let number) = self { number } else { nil } }

  private static func twoDigits(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
}
