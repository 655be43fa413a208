import Training
import Corpus
import Evaluation
import Foundation
import Storage
import SystemPackage

/// The data flow of an experiment's utterances and frames from the audio to the scores, read from
/// its ledger and checked for losses.
struct Accounts {
  private let experiment: FilePath
  private let parts: [Part]

  /// The entries of one part of the corpus, or of one copy of the training part, by stage.
  private struct Part {
    let name: String
    var stages: [Ledger.Stage: [String: Ledger.Entry]] = [:]

    /// Whether it is a perturbed copy rather than a part of the corpus.
    var isCopy: Bool { CorpusPart(rawValue: name) == nil }

    /// The stages after the audio that the ledger has; each takes what the one before passes on.
    var chain: [Ledger.Stage] {
      [.features, .targets, .train, .score].filter { stages[$0] != nil }
    }
  }

  /// Reads `ledger.jsonl` in an experiment's folder.
  ///
  /// - Throws: `FileFault` when the ledger is empty, or has an entry without a known part or the
  ///   same utterance and stage twice.
  init(experiment: FilePath) throws(FileFault) {
    self.experiment = experiment
    let path = experiment.appending("ledger.jsonl")
    let ledger = try Ledger(path: path)
    var parts = CorpusPart.allCases.map { Part(name: $0.rawValue) }
    for entry in ledger.entries {
      if let name = entry.part, UtteranceSet.isCopy(name),
        !parts.contains(where: { $0.name == name })
      {
        parts.append(Part(name: name))
      }
      guard let index = parts.firstIndex(where: { $0.name == entry.part }) else {
        throw .malformed(
          path: path, expected: "entries of train, development and test",
          found: "\(entry.part ?? "no part") for \(entry.utterance)")
      }
      let earlier = parts[index].stages[entry.stage, default: [:]]
        .updateValue(entry, forKey: entry.utterance)
      guard earlier == nil else {
        throw .malformed(
          path: path, expected: "an entry for each utterance and stage",
          found: "two for \(entry.utterance) at \(entry.stage)")
      }
    }
    guard !ledger.entries.isEmpty else {
      throw .malformed(path: path, expected: "an entry for each utterance", found: "none")
    }
    self.parts = parts
  }

  /// Checks that no frame is lost between the audio and the scores.
  ///
  /// Each stage must have taken exactly what the one before passed on. Every frame that enters a
  /// stage must leave it or have a reason. No part may lack a stage, and training logs and scores
  /// must count as many frames as the ledger.
  ///
  /// - Parameter systems: the systems whose training logs are checked, each with the number of
  ///   copies that it is trained on.
  /// - Throws: `ExperimentFault.unaccounted` for the first utterance or count that does not match.
  func check(systems: [(system: System, copies: Int)]) throws {
    for part in parts {
      let stages = expectedStages(of: part)
      for (before, after) in zip(stages, stages.dropFirst()) {
        try check(part, from: before, to: after)
      }
      if stages.contains(.score) { try checkScores(part.name, part.stages[.score] ?? [:]) }
    }
    let folds = try Folds(experiment: experiment)
    for (system, copies) in systems {
      let learnt = Set((0..<copies).map { UtteranceSet.copy($0 + 1).name })
      let own = parts.filter { !$0.isCopy || learnt.contains($0.name) }
      let member = folds == nil ? nil : system.memberNumber
      let frames = own.reduce(0) { sum, part in
        let entries = (part.stages[.train] ?? [:]).filter { id, _ in
          member == nil || folds?.isTrained(member: member ?? 0, on: id) ?? true
        }
        return sum + Accounts.sum(entries)
      }
      try checkTraining(of: system, frames: frames)
    }
  }

  /// The stages that a part must have been through, given the stages that any part has been
  /// through.
  private func expectedStages(of part: Part) -> [Ledger.Stage] {
    let isLearnt = part.isCopy || part.name == CorpusPart.train.rawValue
    let use: Ledger.Stage = isLearnt ? .train : .score
    let isUsed = parts.contains { $0.stages[use] != nil } || isScored
    let hasTargets =
      isUsed || parts.contains { $0.stages[.targets] != nil || $0.stages[.train] != nil }
    return [.features] + (hasTargets ? [.targets] : []) + (isUsed ? [use] : [])
  }

  private func check(
    _ part: Part, from before: Ledger.Stage, to after: Ledger.Stage
  ) throws(ExperimentFault) {
    let given = part.stages[before, default: [:]].filter { $0.value.reason == nil }
    let taken = part.stages[after, default: [:]]
    for id in Set(given.keys).union(taken.keys).sorted(by: inByteOrder) {
      let entry = taken[id]
      // An utterance that no earlier stage passed on may have an entry with a reason and no frames.
      try require(
        entry?.framesIn, given[id]?.framesOut ?? (entry?.framesIn == 0 ? 0 : nil),
        "\(part.name), from \(before) to \(after): frames of \(id)")
      guard let entry, entry.reason == nil else { continue }
      try require(
        entry.framesOut, entry.framesIn, "\(part.name), \(after): frames of \(id)")
    }
  }

  private func checkTraining(of system: System, frames: Int) throws {
    let path = experiment.appending("models/\(system).log.jsonl")
    var epochs = 0
    for (number, line) in try TextFile.lines(of: path) {
      guard let record = try? JSONDecoder().decode(FrameCount.self, from: Data(line.utf8)) else {
        throw FileFault.malformedLine(
          path: path, line: number, expected: "a record with an epoch", found: "\(line)")
      }
      guard let found = record.frames else { continue }
      try require(found, frames, "train: frames of \(system), epoch \(record.epoch)")
      epochs += 1
    }
    guard epochs > 0 else {
      throw FileFault.malformed(
        path: path, expected: "at least one epoch's record", found: "none")
    }
  }

  /// The part of a log record that is checked: only an epoch's record has `frames`.
  private struct FrameCount: Decodable {
    let epoch: Int
    let frames: Int?
  }

  private func checkScores(_ part: String, _ scored: [String: Ledger.Entry]) throws {
    let (frames, utterances) = (
      Accounts.sum(scored), scored.values.count { $0.reason == nil }
    )
    for system in try ScoreReport(path: experiment.appending("scores.json")).systems {
      let score = part == CorpusPart.test.rawValue ? system.test : system.development
      try require(score.frames, frames, "\(part), frames scored by \(system.system)")
      try require(score.utterances, utterances, "\(part), utterances scored by \(system.system)")
    }
  }

  private func require(_ found: Int?, _ expected: Int?, _ what: String) throws(ExperimentFault) {
    guard found == expected else {
      throw .unaccounted(
        experiment.appending("ledger.jsonl"), what: what, expected: expected, found: found)
    }
  }

  private static func sum(_ entries: [String: Ledger.Entry]) -> Int {
    entries.values.reduce(0) { $0 + ($1.framesOut ?? 0) }
  }

  /// Whether the ledger reaches the scores.
  var isScored: Bool { parts.contains { $0.stages[.score] != nil } }

  /// A Markdown table: for each part and stage, the utterances and frames used and skipped.
  func table(secondsPerFrame: Double) -> String {
    var rows = [["part", "stage", "utterances", "skipped", "frames", "frames skipped", "hours"]]
    for part in parts {
      let known = part.stages[.data]?.count ?? 0
      let extracted = part.stages[.features]?.count ?? 0
      rows.append([part.name, "data", "\(extracted)", "\(known)", "", "", ""])
      for stage in part.chain {
        guard let entries = part.stages[stage]?.values else { continue }
        let passed = entries.filter { $0.reason == nil }
        let frames = passed.reduce(0) { $0 + ($1.framesOut ?? 0) }
        let lost = entries.reduce(0) { $0 + ($1.reason == nil ? 0 : $1.framesIn ?? 0) }
        let seconds =
          stage == .features
          ? entries.reduce(0) { $0 + ($1.seconds ?? 0) } : Double(frames) * secondsPerFrame
        rows.append([
          part.name, stage.rawValue, "\(passed.count)", "\(entries.count - passed.count)",
          "\(frames)", "\(lost)", String(format: "%.3f", seconds / 3600),
        ])
      }
    }
    return markdownTable(rows, leftColumns: 2)
  }
}
