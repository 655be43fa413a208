package import Corpus
import Foundation
import Storage
import Training

/// Gathering an experiment's ledger from its folders.
extension Experiment {
  /// Gathers the ledgers of all parts in one, with a line for each utterance and stage, and checks
  /// that no frame is lost.
  ///
  /// - Parameters:
  ///   - last: the last stage that was run.
  ///   - systems: the systems whose training is checked; nil for all that exist after that stage.
  /// - Returns: the ledger, and the number of utterances in the data directories.
  /// - Throws: `ExperimentFault.unaccounted` for frames that are neither used nor skipped.
  package func collectLedger(
    until last: Stage = .score, systems: [System]? = nil
  ) throws -> (ledger: Ledger, utterances: Int) {
    let ledger = try writeLedger(until: last)
    var utterances = 0
    for part in CorpusPart.allCases {
      let expected = try dataDirectory(part).ids
      let found = Set(
        ledger.entries.filter {
          $0.part == part.rawValue && ($0.stage == .data || $0.stage == .features)
        }.map(\.utterance))
      if let id = expected.symmetricDifference(found).min(by: inByteOrder) {
        throw ExperimentFault.unaccounted(
          ledgerPath, what: "\(part.rawValue): entries of utterance \(id)",
          expected: expected.contains(id) ? 1 : nil, found: found.contains(id) ? 1 : nil)
      }
      utterances += expected.count
    }
    try Accounts(experiment: path).check(
      systems: try (systems ?? recipe.systems(until: last)).map { ($0, try copies(of: $0)) })
    return (ledger, utterances)
  }

  /// How many perturbed copies a system's network learns from, besides the training frames.
  func copies(of system: System) throws -> Int {
    switch Plan(recipe)[.model(system)] {
    case let step as TrainNetwork: step.lesson.copies
    case let step as AdoptBaseline: try step.best(in: self).point.copies
    case let step as RepeatBaseline: try step.chosen.best(in: self).point.copies
    default: 0
    }
  }

  @discardableResult
  func writeLedger(until last: Stage) throws(FileFault) -> Ledger {
    var ledger = Ledger()
    for set in CorpusPart.allCases.map({ UtteranceSet.part($0) }) + recipe.copies {
      for var entry in try ownLedger(of: set, until: last).entries {
        entry.part = set.name
        ledger.append(entry)
      }
    }
    try ledger.write(to: ledgerPath)
    return ledger
  }

  /// What became of the utterances of one set.
  private func ownLedger(of set: UtteranceSet, until last: Stage) throws(FileFault) -> Ledger {
    let (features, targets) = (features(set), targets(set))
    if case .copy = set, last != .score {
      // A single verb may train networks that need no copy.
      let newest = last == .features ? features.ledgerPath : targets.ledgerPath
      guard try FileSystem.exists(newest) else { return Ledger() }
    }
    var own = try Ledger(path: features.ledgerPath)
    if last != .features { own.append(try Ledger(path: targets.ledgerPath)) }
    let isUsed = set.part == .train ? ![.features, .targets].contains(last) : last == .score
    guard isUsed else { return own }
    let known = Set(own.leftOut.map(\.utterance))
    let used = joined(try features.frameCounts(), try targets.labelCounts(), use(of: set.part))
    for entry in used.entries where !known.contains(entry.utterance) { own.append(entry) }
    return own
  }
}

extension Ledger {
  /// The entries of the corpus itself.
  ///
  /// Perturbed copies are excluded, because a faster copy may be too short for a single frame.
  package var withoutCopies: Ledger {
    var own = Ledger()
    for entry in entries where !UtteranceSet.isCopy(entry.part ?? "") { own.append(entry) }
    return own
  }
}
