package import Storage
package import SystemPackage
package import Training

/// An experiment that cannot go on.
package enum ExperimentFault: Fault, Equatable {
  case emptyPart(String, ledger: FilePath)
  case otherClasses(FilePath, FilePath)
  /// Features or targets made with other options than the recipe's; each difference in words.
  case otherOptions(FilePath, of: Stage, differences: [String])
  case noMember(Int, members: Int)
  case noUtterance(String, part: String)
  /// A network of another recipe or other data.
  case staleModel(FilePath)
  /// Scores that are missing, or of other models, data or another recipe than are there.
  case staleScores(FilePath)
  /// The training of one network, by its name.
  case training(String, TrainingFault)
  /// All networks that were tried for a baseline or a student, by its name.
  case allDiverged(String)
  /// Frames or utterances that a stage lost without a reason.
  case unaccounted(FilePath, what: String, expected: Int?, found: Int?)

  package var exitStatus: ExitStatus {
    switch self {
    case .noMember, .noUtterance: .usage
    case .training(_, let fault): fault.exitStatus
    default: .data
    }
  }

  package var description: String {
    switch self {
    case .emptyPart(let part, let ledger):
      "\(part): expected at least one utterance with features and targets, found none; see \(ledger.text)"
    case .otherClasses(let path, let other):
      "\(path.text): expected the classes of \(other.text), found others"
    case .otherOptions(let path, let stage, let differences):
      "\(path.text): expected the recipe's \(stage): \(differences.joined(separator: "; "))"
    case .unaccounted(let path, let what, let expected, let found):
      "\(path.text): \(what): expected \(expected.map { "\($0)" } ?? "none"), found "
        + "\(found.map { "\($0)" } ?? "none"): frames are neither used nor skipped with a reason"
    case .training(let system, let fault): "\(system): \(fault)"
    case .allDiverged(let system):
      "\(system): expected a network of its search that is trained to its end, found that all diverged"
    case .noMember(let member, let members):
      "expected a member from 0 to \(members - 1), found \(member)"
    case .staleModel(let path):
      "\(path.text): expected the network of this recipe and data, found another; run limbeck train"
    case .staleScores(let path):
      "\(path.text): expected the scores of this recipe's models and data, found none or others; run the recipe"
    case .noUtterance(let utterance, let part):
      "expected an utterance of the \(part) set, found \(utterance)"
    }
  }
}
