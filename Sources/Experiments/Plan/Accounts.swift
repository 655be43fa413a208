import Training
import Corpus
import Evaluation
import Foundation
import Storage
import SystemPackage

/// The way of an experiment's utterances and frames from the audio to the scores, by its ledger, with the
/// check that none is lost on it.
struct Accounts {
  private let experiment: FilePath
  private let parts: [Part]

  /// The entries of one part of the corpus, or of one copy of the training part, by stage.
  private struct Part {
    let name: String
    var stages: [Ledger.Stage: [String: Ledger.Entry]] = [:]

    /// Whether it has no part of its own in the corpus.
    var isCopy: Bool { CorpusPart(rawValue: name) == nil }

    /// The stages after the audio, of which each takes what the one before gives.
    var chain: [Ledger.Stage] {
      [.features, .targets, .train, .score].filter { stages[$0] != nil }
    }
  }

  /// Reads `ledger.jsonl` of an experiment's folder.
  ///
  /// - Throws: `FileFault` for a ledger that is empty, or has an entry of no part or one that stands twice.
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

  /// Checks that each stage took all that the one before gave and nothing else, that frames which came in went
  /// on or have a reason, that no part lacks a stage, and that training and scores counted as many frames as
  /// the ledger.
  ///
  /// - Parameter systems: whose training logs are checked.
  /// - Throws: `ExperimentFault.unaccounted` for the first frames that are lost.
  func check(systems: [System]) throws {
    for part in parts {
      let stages = expectedStages(of: part)
      for (before, after) in zip(stages, stages.dropFirst()) {
        try check(part, from: before, to: after)
      }
      if stages.contains(.score) { try checkScores(part.name, part.stages[.score] ?? [:]) }
    }
    let folds = try Folds(experiment: experiment)
    for system in systems {
      let own = parts.filter { !$0.isCopy || system.isStudent }
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

  /// The stages that a part must have been through, since some part has.
  private func expectedStages(of part: Part) -> [Ledger.Stage] {
    if part.isCopy {
      return [.features] + (isScored || part.stages[.train] != nil ? [.train] : [])
    }
    let use: Ledger.Stage = part.name == CorpusPart.train.rawValue ? .train : .score
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
      // What comes from nowhere may be there with its reason and without frames.
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
          path: path, line: number, expected: "a record with its epoch", found: "\(line)")
      }
      guard let found = record.frames else { continue }
      try require(found, frames, "train: frames of \(system), epoch \(record.epoch)")
      epochs += 1
    }
    guard epochs > 0 else {
      throw FileFault.malformed(
        path: path, expected: "a record of an epoch at least", found: "none")
    }
  }

  /// What is needed of a record: that of an epoch has its frames.
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

  /// Whether the ledger goes as far as the scores.
  var isScored: Bool { parts.contains { $0.stages[.score] != nil } }

  /// A table for people: for each part and stage what came in, what went on, and what was skipped.
  ///
  /// - Parameter secondsPerFrame: the features' frame shift.
  /// - Returns: lines of text.
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
