package import Storage
package import SystemPackage
package import Training

/// An experiment that cannot continue.
package enum ExperimentFault: Fault, Equatable {
  /// A part of the corpus, by name, with no utterance that has both features and targets.
  case emptyPart(String, ledger: FilePath)
  case otherClasses(FilePath, FilePath)
  /// Features or targets made with options other than the recipe's; `differences` describes each.
  case otherOptions(FilePath, of: Stage, differences: [String])
  /// A member's number that the recipe does not have.
  case noMember(Int, members: Int)
  /// An utterance id that is not in the part.
  case noUtterance(String, part: String)
  /// A network trained with another recipe or other data.
  case staleModel(FilePath)
  /// Scores that are missing, or do not match the present recipe, models or data.
  case staleScores(FilePath)
  /// A fault in the training of one network, with the network's name.
  case training(String, TrainingFault)
  /// A baseline or student, by name, for which every network of the search diverged.
  case allDiverged(String)
  /// Frames or utterances that a stage lost without a reason.
  case unaccounted(FilePath, what: String, expected: Int?, found: Int?)

  /// A usage error for a wrong name or number on the command line, else that of the cause.
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
      "\(system): expected at least one network of its search to finish training, found that all diverged"
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
