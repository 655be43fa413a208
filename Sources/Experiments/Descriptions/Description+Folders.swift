import Distillation
import Classes
import Audio
import Corpus
import Evaluation
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Logging
import Storage
import SystemPackage

extension Description {
  /// Describes a folder of features or targets, an experiment, or a data directory.
  static func folder(_ path: FilePath) throws -> String {
    let names = try FileSystem.names(in: path)
    if names.contains("features.json") { return try features(FeatureFolder(path: path)) }
    if names.contains("posteriors.json") { return try posteriors(PosteriorFolder(path: path)) }
    if names.contains("targets.json") { return try targets(TargetFolder(path: path)) }
    if names.contains("wav.scp") { return try data(path) }
    let marks: [FilePath.Component] = [Experiment.recordsName, "models", "scores.json"]
    if names.contains(where: marks.contains) { return try experiment(path) }
    let parts = try names.filter { try isKnown(path.appending($0)) }
    if !parts.isEmpty {
      return try parts.map { "\($0.text)\n" + (try text(of: path.appending($0))) }
        .joined(separator: "\n")
    }
    let shown = names.prefix(5).map(\.text).joined(separator: " ") + (names.count > 5 ? " …" : "")
    throw FileFault.malformed(
      path: path, expected: "an experiment, features, targets, posteriors or a data directory",
      found: names.isEmpty ? "an empty folder" : "a folder with \(shown)")
  }

  /// Whether a file or folder in a folder is part of an experiment.
  private static func isKnown(_ path: FilePath) throws -> Bool {
    let whole = [".ark", ".safetensors", ".log.jsonl", ".tfevents.limbeck"]
    let endings = whole + [".log.jsonl.part", ".tfevents.limbeck.part"]
    guard try FileSystem.isFolder(path) else {
      if endings.contains(where: path.string.hasSuffix) { return true }
      return try FileSystem.facts(of: path)?.kind == .file
        && isRecord(ByteStream(path).peek(recordMark))
    }
    return try FileSystem.names(in: path).contains { name in
      name == "features.json" || name == "targets.json"
        || endings.contains { name.string.hasSuffix($0) }
    }
  }

  private static func features(_ folder: FeatureFolder) throws -> String {
    let description = try folder.description()
    let counts = try folder.frameCounts()
    let frames = counts.values.reduce(0, +)
    let grid = description.options.grid
    let options = description.options.listed.map { "\($0.name) \($0.value)" }
    return """
      features     \(folder.path.text)
      utterances   \(counts.count), \(try Ledger(path: folder.ledgerPath).leftOutCount) skipped
      frames       \(frames), \(String(format: "%.1f", Double(frames) * grid.shiftInSeconds / 60)) min
      columns      \(description.options.columns)
      options      \(options.joined(separator: ", "))
      version      limbeck \(description.version)

      """
  }

  private static func targets(_ folder: TargetFolder) throws -> String {
    let counts = try folder.labelCounts()
    let classes = try ClassInventory(path: folder.classesPath)
    let options = try folder.options().listed.map { "\($0.name) \($0.value)" }
    return """
      targets      \(folder.path.text)
      utterances   \(counts.count), \(try Ledger(path: folder.ledgerPath).leftOutCount) skipped
      frames       \(counts.values.reduce(0, +))
      classes      \(classes.count): \(classes.symbols.prefix(6).joined(separator: " ")) …
      options      \(options.joined(separator: ", "))

      """
  }

  private static func posteriors(_ folder: PosteriorFolder) throws -> String {
    let description = try folder.description()
    let ledger = try Ledger(path: folder.ledgerPath)
    let own = ledger.passed(.posteriors)
    let classes = description.classes
    return """
      posteriors   \(folder.path.text)
      values       \(description.values), temperature \(description.temperature)
      model        \(description.model), \(description.modelDigest)
      utterances   \(own.count), \(ledger.leftOutCount) skipped
      frames       \(own.reduce(0) { $0 + ($1.framesOut ?? 0) })
      classes      \(classes.count): \(classes.prefix(6).joined(separator: " ")) …
      version      limbeck \(description.version)

      """
  }

  private static func data(_ path: FilePath) throws -> String {
    let data = try DataDirectory(path: path, commands: .allowed)
    return """
      data         \(path.text)
      utterances   \(data.utterances.count), \(data.faults.leftOutCount) unusable
      recordings   \(data.recordings.count)
      limbeck validate reports its faults.

      """
  }

  static func experiment(_ path: FilePath) throws -> String {
    let folder = path.appending("models")
    let models = try (FileSystem.exists(folder) ? FileSystem.names(in: folder) : [])
      .map(\.text).filter { $0.hasSuffix(".safetensors") }.sorted()
    var text = "models       \(models.isEmpty ? "none" : models.joined(separator: " "))\n"
    let prepared = path.appending("data/ledger.jsonl")
    if try FileSystem.exists(prepared) {
      let leftOut = try Ledger(path: prepared).leftOutCount
      text += "prepare      \(leftOut) utterances skipped before wav.scp; see \(prepared.text)\n"
    }
    let scored = try scoredExperiment(path)
    var scores: ScoreReport?
    if try FileSystem.exists(path.appending("scores.json")) {
      scores = try ScoreReport(path: path.appending("scores.json"))
    } else {
      text += "scores       none yet\n"
    }
    let hasLedger = try FileSystem.exists(path.appending("ledger.jsonl"))
    if scores != nil || hasLedger {
      let accounts = try Accounts(experiment: path)
      let systems = (scores?.systems ?? []).map(\.system)
        .filter { models.contains("\($0).safetensors") }.compactMap { System(name: $0) }
      try accounts.check(
        systems: try accounts.isScored
          ? systems.map { ($0, try scored?.copies(of: $0) ?? 0) } : [])
      if scores != nil, !accounts.isScored {
        text += "ledger       of a run that stopped before scoring; the scores are older\n"
      }
      let grid = try FeatureFolder(path: path.appending("features/train")).options().grid
      text += "\n" + accounts.table(secondsPerFrame: grid.shiftInSeconds)
    }
    let baselines = path.appending("baseline-search.json")
    if try FileSystem.exists(baselines) {
      text += "\n" + (try BaselineSearchReport(path: baselines)).table.markdown
    }
    let clusters = path.appending("specialists/clusters.json")
    if try FileSystem.exists(clusters) {
      text += "\n" + (try ClusterReport(path: clusters)).table.markdown
    }
    if try FileSystem.exists(path.appending("search.json")) {
      text += "\n" + (try SearchReport(path: path.appending("search.json"))).table.markdown
    }
    // While another recipe runs, the search of this one may be gone.
    if let report = try? scored?.softTargetReport() { text += "\n" + report.table.markdown }
    return text + (scores.map { "\n" + $0.table } ?? "")
  }

  /// The experiment of the recipe that was scored; nil when none was, or it cannot be read.
  private static func scoredExperiment(_ path: FilePath) throws(FileFault) -> Experiment? {
    let file = path.appending("recipe.yaml")
    guard try FileSystem.exists(file), let recipe = try? Recipe(path: file) else { return nil }
    return Experiment(
      recipe: recipe, path: path, workers: .one,
      reporter: Reporter(log: Logger(label: "limbeck")) { _ in })
  }
}
