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
    try Accounts(experiment: path).check(systems: systems ?? recipe.systems(until: last))
    return (ledger, utterances)
  }

  @discardableResult
  func writeLedger(until last: Stage) throws(FileFault) -> Ledger {
    var ledger = Ledger()
    for part in CorpusPart.allCases {
      var own = try Ledger(path: features(.part(part)).ledgerPath)
      if last != .features { own.append(try Ledger(path: targets(part).ledgerPath)) }
      let isUsed = part == .train ? ![.features, .targets].contains(last) : last == .score
      if isUsed {
        let known = Set(own.leftOut.map(\.utterance))
        let used = joined(
          try features(.part(part)).frameCounts(), try targets(part).labelCounts(),
          use(of: part))
        for entry in used.entries where !known.contains(entry.utterance) { own.append(entry) }
      }
      for var entry in own.entries {
        entry.part = part.rawValue
        ledger.append(entry)
      }
    }
    let isLearnt = [.distill, .specialists, .score].contains(last)
    // Copies may be absent until students train on them.
    for copy in recipe.copies {
      let folder = features(copy)
      if !isLearnt, try !FileSystem.exists(folder.ledgerPath) { continue }
      var own = try Ledger(path: folder.ledgerPath)
      if isLearnt {
        // Every frame of a copy is used, since its classes need not be known.
        for (id, frames) in try folder.frameCounts().sorted(by: { inByteOrder($0.key, $1.key) }) {
          var entry = Ledger.Entry(id, .train)
          (entry.framesIn, entry.framesOut) = (frames, frames)
          own.append(entry)
        }
      }
      for var entry in own.entries {
        entry.part = copy.name
        ledger.append(entry)
      }
    }
    try ledger.write(to: ledgerPath)
    return ledger
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
