import Classes
package import Corpus
package import Evaluation
import Features
import Foundation
package import LinearAlgebra
import Models
package import Storage
package import SystemPackage
package import Training

/// The stages of an experiment, in order; each reads and writes files.
package enum Stage: String, Sendable, CaseIterable {
  /// Features of the three data directories: log-mel, or from archives of another program.
  case features
  /// Frame targets from the alignments.
  case targets
  /// The ensemble's members and the baselines.
  case train
  /// The choice of T, λ and the mean by development accuracy, if the recipe has a search.
  case search
  /// Soft targets and the students.
  case distill
  /// The baseline's specialists and their students, if the recipe has them.
  case specialists
  /// The scores of all systems.
  case score
}

/// A recipe and the folder in which its stages keep their results.
///
/// ```
/// features/PART/        feats.ark feats.scp utt2num_frames features.json ledger.jsonl
/// targets/PART/         targets.ark classes.txt class_counts log_priors targets.json ledger.jsonl
/// models/               SYSTEM.safetensors, SYSTEM.log.jsonl; folds.json if there are folds
/// tensorboard/SYSTEM/   the same log as TensorBoard events
/// checkpoints/SYSTEM/   checkpoints of unfinished trainings
/// soft-targets/MEAN-T/  the ensemble's soft targets at temperature T: train.ark, train.scp,
///                       train.json; train-copy-N.ark for the copies; held/ and
///                       distilled-TEACHER/ for specialists. Those of other recipes are kept
/// search.json           the points tried for T and λ
/// baseline-search.json  the points tried for the training of baselines
/// specialists/          clusters.json, the classes of each specialist
/// recipe.yaml           the recipe that produced the scores
/// stages/               a record of each step's inputs and outputs
/// ledger.jsonl          what became of every utterance at every stage
/// scores.json           the scores of all systems
/// scores.md             the same as tables
/// ```
package struct Experiment: Sendable {
  /// The choices of the experiment.
  package let recipe: Recipe
  /// The experiment's folder.
  package let path: FilePath
  let workers: Workers
  /// How many networks may be trained side by side; nil for as many as there are threads.
  let networks: Int?
  /// The least time between two checkpoints within an epoch.
  let checkpointPause: Duration
  let reporter: Reporter
  /// Whether entries of `wav.scp` may be commands.
  let commands: CommandPolicy
  /// The sample rates of the corpus.
  let rates = Remembered<SampleRates>()
  /// The command line that the experiment was opened by; nil for none.
  let command: String?
  private let start = ContinuousClock.now

  /// An experiment; nothing is read or written yet.
  ///
  /// - Parameters:
  ///   - recipe: the choices.
  ///   - path: the experiment's folder.
  ///   - workers: all the threads that the experiment may use.
  ///   - networks: how many networks may be trained side by side, sharing the threads; nil for as
  ///     many as there are threads.
  ///   - commands: whether entries of `wav.scp` may be commands; a recipe cannot permit them.
  ///   - checkpointPause: the least time between two checkpoints within an epoch.
  ///   - command: the command line, which the scores mention; nil for none.
  ///   - reporter: receives progress and log lines.
  package init(
    recipe: Recipe, path: FilePath, workers: Workers, networks: Int? = nil,
    commands: CommandPolicy = .refused,
    checkpointPause: Duration = .seconds(300), command: String? = nil, reporter: Reporter
  ) {
    self.command = command
    (self.recipe, self.workers, self.reporter) = (recipe, workers, reporter)
    self.path = path.plain
    self.commands = commands
    (self.networks, self.checkpointPause) = (networks, checkpointPause)
  }

  /// The scores of all systems, a `ScoreReport`.
  package var scoresPath: FilePath { path.appending("scores.json") }
  /// The scores as Markdown tables.
  package var tablesPath: FilePath { path.appending("scores.md") }
  /// A copy of the recipe that produced the scores.
  var recipePath: FilePath { path.appending("recipe.yaml") }
  /// The points tried for T, λ and the mean, a `SearchReport`.
  package var searchPath: FilePath { path.appending("search.json") }
  /// What became of every utterance at every stage, a `Ledger`.
  package var ledgerPath: FilePath { path.appending("ledger.jsonl") }

  /// The points tried for the training of baselines, a `BaselineSearchReport`.
  package var baselineSearchPath: FilePath { path.appending("baseline-search.json") }
  /// The classes of each specialist, a `ClusterReport`.
  var clustersPath: FilePath { path.appending("specialists/clusters.json") }

  /// The map that folds classes before they are scored; nil for none.
  var foldPath: FilePath? { recipe.scoring.fold.map(path.pushing) }

  func features(_ set: UtteranceSet) -> FeatureFolder {
    FeatureFolder(path: path.appending("features/\(set.name)"))
  }

  func targets(_ set: UtteranceSet) -> TargetFolder {
    TargetFolder(path: path.appending("targets/\(set.name)"))
  }

  func modelPath(_ system: System) -> FilePath { modelPath(named: system.name) }

  func modelPath(named name: String) -> FilePath {
    path.appending("models/\(name).safetensors")
  }

  func logPath(_ system: System) -> FilePath { path.appending("models/\(system).log.jsonl") }

  func eventsPath(_ system: System) -> FilePath {
    path.appending("tensorboard/\(system)/events.out.tfevents.limbeck")
  }

  func checkpointsPath(_ system: System) -> FilePath { path.appending("checkpoints/\(system)") }

  /// A path relative to the experiment's folder; unchanged if it is outside.
  func relative(_ file: FilePath) -> FilePath {
    var file = file
    _ = file.removePrefix(path)
    return file
  }

  /// The record of each epoch of a system's training.
  ///
  /// - Parameter system: a system that has been trained.
  /// - Returns: the records, in the order of the epochs.
  /// - Throws: `FileFault` when its log cannot be read.
  package func epochs(of system: System) throws(FileFault) -> [EpochRecord] {
    try TextFile.lines(of: logPath(system)).compactMap { _, line in
      // Records of steps lack some keys of an epoch's, so they fail to decode.
      try? JSONDecoder().decode(EpochRecord.self, from: Data(line.utf8))
    }
  }

  /// Runs all stages up to and including `last`, skipping steps that are up to date.
  ///
  /// The folder is locked during the run.
  ///
  /// - Parameter last: the last stage.
  /// - Returns: the ledger, also written to `ledger.jsonl`, and the number of utterances in the
  ///   corpus.
  /// - Throws: `FileFault` when another run holds the folder, and whatever a stage throws.
  package func run(until last: Stage = .score) throws -> (ledger: Ledger, utterances: Int) {
    let lock = try FolderLock(path)
    try enter(lock)
    try runStages(until: last)
    let outcome = try collectLedger(until: last)
    _ = consume lock
    return outcome
  }

  /// Runs single steps in the folder.
  ///
  /// Other processes may run other single steps at the same time, but none may run all stages.
  ///
  /// - Parameter body: runs the steps.
  /// - Throws: `FileFault` when the folder does not exist or a run of all stages holds it, and
  ///   whatever `body` throws.
  package func step(_ body: () throws -> Void) throws {
    guard try FileSystem.exists(path) else { throw FileFault.missing(path: path) }
    let lock = try FolderLock(path, .together)
    try enter(lock)
    try body()
    _ = consume lock
  }

  /// Starts work in the locked folder.
  ///
  /// - Throws: `FileFault` when it holds files that the program would replace but did not make.
  private func enter(_ lock: borrowing FolderLock) throws(FileFault) {
    if let remark = lock.remark { reporter.log.warning("\(remark)") }
    let replaced: [FilePath.Component] = [
      "models", "checkpoints", "soft-targets", "specialists", "tensorboard", "scores.json",
      "scores.md", "search.json", "baseline-search.json", "recipe.yaml", "ledger.jsonl",
    ]
    try OwnFiles.require(
      replaced, in: path, marks: [Experiment.recordsName],
      remedy: "choose another folder for the experiment, or move it away")
    if try !FileSystem.exists(recordsPath) { try FileSystem.makeFolder(recordsPath) }
  }

  /// The folder of the steps' records; every experiment has it, so it marks a folder as an
  /// experiment's.
  static let recordsName: FilePath.Component = "stages"
  var recordsPath: FilePath { path.appending(Experiment.recordsName) }

  private func runStages(until last: Stage) throws {
    // A faulty map ends the run before the work rather than after it.
    if last == .score, let fold = foldPath { _ = try SymbolMap(path: fold) }
    for stage in Stage.allCases {
      try walk(stage)
      if stage == last { break }
    }
  }

  /// Runs the steps of a stage that are not up to date.
  private func walk(_ stage: Stage) throws {
    let plan = Plan(recipe)
    if stage == .train { for step in plan.steps { try step.check(in: self) } }
    // Remove what an earlier recipe left here and this recipe does not make.
    let others: [(Stage, Product, FilePath)] = [
      (.train, .folds, Folds.path(in: path)), (.train, .baselineSearch, baselineSearchPath),
      (.search, .search, searchPath), (.specialists, .clusters, clustersPath),
    ]
    for (own, product, path) in others where own == stage && plan[product] == nil {
      try FileSystem.remove(path)
      try forget(product.description)
    }
    try walk(plan.steps(of: [stage]))
  }

  /// Trains all members and baselines that are not up to date.
  package func trainMembersAndBaselines() throws { try walk(.train) }

  /// Trains one member.
  ///
  /// - Parameter member: the member's number, from 0.
  /// - Throws: `ExperimentFault.noMember` when the recipe has no such member, and whatever training
  ///   throws.
  package func trainMember(_ member: Int) throws {
    guard recipe.memberSystems.indices.contains(member) else {
      throw ExperimentFault.noMember(member, members: recipe.memberSystems.count)
    }
    let plan = Plan(recipe)
    try walk([Product.folds, .model(.member(member))].compactMap { plan[$0] })
  }

  /// Distils the ensemble's trained members: searches T and λ, then trains all students.
  ///
  /// - Throws: `ExperimentFault` when the members are not this recipe's, and whatever training
  ///   throws.
  package func distill() throws { try walk(after: [.search, .distill]) }

  /// Finds the clusters, trains a specialist for each, and distils the generalist and its
  /// specialists into one model.
  package func trainSpecialists() throws { try walk(after: [.specialists]) }

  /// Scores all systems and writes `scores.json`, with the recipe that produced the scores in
  /// `recipe.yaml`.
  package func score() throws { try walk(.score) }

  /// Runs stages whose inputs come from other stages and must be up to date for this recipe.
  private func walk(after stages: [Stage]) throws {
    let plan = Plan(recipe)
    let steps = plan.steps(of: stages)
    for step in steps { try step.check(in: self) }
    for batch in Plan.batches(plan.inputs(of: steps).compactMap { plan[$0] }) {
      if let first = batch.first { try require(first, together: batch) }
    }
    for stage in stages { try walk(stage) }
  }

  /// Throws unless the models or the search that a step reads are those of this recipe.
  ///
  /// - Throws: `ModelFault` for a missing model, `FileFault` or `ExperimentFault` for one of
  ///   another recipe.
  private func require<Own: Step>(_ first: Own, together steps: [any Step]) throws {
    switch first.makes {
    case .model, .search: break
    default: return
    }
    for pending in try pendings(steps.compactMap { $0 as? Own }) where try !isFresh(pending) {
      guard case .model(let system) = pending.step.makes else {
        _ = try SearchReport(path: searchPath)
        throw FileFault.malformed(
          path: searchPath, expected: "the search of this recipe, data and members",
          found: "another search; run limbeck distill")
      }
      _ = try AcousticModel(path: modelPath(system))
      throw ExperimentFault.staleModel(modelPath(system))
    }
  }

  /// The present time and the command, for the scores.
  var occasion: ScoreReport.Occasion {
    let date = Date().formatted(.iso8601.year().month().day().dateSeparator(.dash))
    let time = Date().formatted(
      .iso8601.time(includingFractionalSeconds: false).timeSeparator(.colon))
    return ScoreReport.Occasion(
      date: "\(date) \(time.prefix(5)) UTC", command: command,
      seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  /// The program, its libraries and the machine, for the records.
  static var maker: String {
    let machine = ProcessInfo.processInfo
    return """
      limbeck \(limbeckVersion); \(libraryVersions.joined(separator: ", ")); \
      \(machine.operatingSystemVersionString), \(machine.activeProcessorCount) processors
      """
  }

  /// The verdict on the scores.
  ///
  /// - Throws: `FileFault` when `scores.json` is missing, malformed or lacks a system of the recipe.
  package func verdict() throws(FileFault) -> Verdict {
    guard let verdict = Verdict(try readScores(), of: recipe) else {
      throw .malformed(
        path: scoresPath, expected: "the scores of this recipe's systems",
        found: "those of others; run limbeck run")
    }
    return verdict
  }

  /// Reads `scores.json`.
  ///
  /// - Throws: `FileFault` when it is missing or malformed.
  package func readScores() throws(FileFault) -> ScoreReport {
    try ScoreReport(path: scoresPath)
  }
}
