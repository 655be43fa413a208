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

/// The steps of an experiment, in order; each reads files and leaves files.
package enum Stage: String, Sendable, CaseIterable {
  /// Log-mel features of the three data directories.
  case features
  /// Frame targets.
  case targets
  /// The ensemble's members and the baselines.
  case train
  /// T, λ and the mean by development accuracy, where the recipe asks for a search.
  case search
  /// Soft targets and the students.
  case distill
  /// The baseline's specialists and their students, where the recipe asks for them.
  case specialists
  /// The scores of all systems.
  case score
}

/// The three parts of a corpus.
package enum CorpusPart: String, Sendable, CaseIterable {
  case train, development, test
}

/// A recipe and the folder where its stages leave their results.
///
/// ```
/// features/PART/        feats.ark feats.scp utt2num_frames features.json ledger.jsonl
/// targets/PART/         targets.ark classes.txt class_counts log_priors targets.json ledger.jsonl
/// models/               SYSTEM.safetensors, SYSTEM.log.jsonl, and folds.json where there are folds
/// tensorboard/SYSTEM/   the same log as TensorBoard's events
/// checkpoints/SYSTEM/   of trainings that are not done
/// soft-targets/MEAN-T/  train.ark train.scp train.json of the ensemble at T, and train-copy-N.ark of the copies;
///                       held/ and distilled-TEACHER/ for specialists. Those of other recipes stay
/// search.json           what was tried to choose T and λ
/// baseline-search.json  what was tried to choose how baselines are trained
/// specialists/          clusters.json, the classes of each specialist
/// recipe.yaml           the recipe that the scores are of
/// stages/               what each step was made from, and what it made
/// ledger.jsonl          what became of every utterance at every stage
/// scores.json
/// ```
package struct Experiment: Sendable {
  package let recipe: Recipe
  package let path: FilePath
  let workers: Workers
  /// How many networks may be trained side by side; nil for as many as there are threads.
  let networks: Int?
  let checkpointPause: Duration
  let reporter: Reporter
  /// Whether entries of `wav.scp` may be commands.
  let commands: CommandPolicy

  /// An experiment; nothing is read or written yet.
  ///
  /// - Parameters:
  ///   - recipe: the choices.
  ///   - path: the folder.
  ///   - workers: all the threads that the experiment may use.
  ///   - networks: how many networks may be trained side by side, which share the threads; nil for as many
  ///     as there are threads.
  ///   - commands: whether entries of `wav.scp` may be commands; a recipe cannot say so.
  ///   - checkpointPause: the least time between two checkpoints of a training within an epoch.
  ///   - reporter: where progress and log lines go.
  package init(
    recipe: Recipe, path: FilePath, workers: Workers, networks: Int? = nil,
    commands: CommandPolicy = .refused,
    checkpointPause: Duration = .seconds(300), reporter: Reporter
  ) {
    (self.recipe, self.workers, self.reporter) = (recipe, workers, reporter)
    self.path = path.plain
    self.commands = commands
    (self.networks, self.checkpointPause) = (networks, checkpointPause)
  }

  package var scoresPath: FilePath { path.appending("scores.json") }
  /// The recipe that the scores are of.
  var recipePath: FilePath { path.appending("recipe.yaml") }
  package var searchPath: FilePath { path.appending("search.json") }
  package var ledgerPath: FilePath { path.appending("ledger.jsonl") }

  package var baselineSearchPath: FilePath { path.appending("baseline-search.json") }
  var clustersPath: FilePath { path.appending("specialists/clusters.json") }

  /// The map that classes are folded by before they are scored; nil for none.
  var foldPath: FilePath? { recipe.scoring.fold.map(path.pushing) }

  func features(_ set: UtteranceSet) -> FeatureFolder {
    FeatureFolder(path: path.appending("features/\(set.name)"))
  }

  func targets(_ part: CorpusPart) -> TargetFolder {
    TargetFolder(path: path.appending("targets/\(part.rawValue)"))
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

  /// A file from the experiment's folder on; one that is elsewhere as it is.
  func relative(_ file: FilePath) -> FilePath {
    var file = file
    _ = file.removePrefix(path)
    return file
  }

  /// What each epoch of a system's training came to.
  ///
  /// - Parameter system: that has been trained.
  /// - Returns: in their order.
  /// - Throws: `FileFault` when its log cannot be read.
  package func epochs(of system: System) throws(FileFault) -> [EpochRecord] {
    try TextFile.lines(of: logPath(system)).compactMap { _, line in
      // The lines of steps lack what epochs have.
      try? JSONDecoder().decode(EpochRecord.self, from: Data(line.utf8))
    }
  }

  /// Runs the stages up to and with `last`; what is fresh is skipped.
  ///
  /// The folder is locked meanwhile.
  ///
  /// - Parameter last: the last stage.
  /// - Returns: the utterances that were skipped, also written to `ledger.jsonl`, and how many
  ///   there are in all.
  /// - Throws: `FileFault` when another run has the folder, and what any stage throws.
  package func run(until last: Stage = .score) throws -> (ledger: Ledger, utterances: Int) {
    let lock = try FolderLock(path)
    try enter(lock)
    try runStages(until: last)
    let outcome = try collectLedger(until: last)
    _ = consume lock
    return outcome
  }

  /// Does single steps in the folder, where other runs may do others of them meanwhile, but none all stages.
  ///
  /// - Parameter body: does them.
  /// - Throws: `FileFault` when there is no folder, or a run of all stages has it; and what `body` throws.
  package func step(_ body: () throws -> Void) throws {
    guard try FileSystem.exists(path) else { throw FileFault.missing(path: path) }
    let lock = try FolderLock(path, .together)
    try enter(lock)
    try body()
    _ = consume lock
  }

  /// Begins to work in the folder, which is locked.
  ///
  /// - Throws: `FileFault` when it holds what the program would replace and did not make.
  private func enter(_ lock: borrowing FolderLock) throws(FileFault) {
    if let remark = lock.remark { reporter.log.warning("\(remark)") }
    let replaced: [FilePath.Component] = [
      "models", "checkpoints", "soft-targets", "specialists", "tensorboard", "scores.json",
      "search.json", "baseline-search.json", "recipe.yaml", "ledger.jsonl",
    ]
    try OwnFiles.require(
      replaced, in: path, marks: [Experiment.recordsName],
      remedy: "choose another folder for the experiment, or move it away")
    if try !FileSystem.exists(recordsPath) { try FileSystem.makeFolder(recordsPath) }
  }

  /// The folder of the records, which every experiment has.
  static let recordsName: FilePath.Component = "stages"
  var recordsPath: FilePath { path.appending(Experiment.recordsName) }

  private func runStages(until last: Stage) throws {
    // Before the work, not after it.
    if last == .score, let fold = foldPath { _ = try SymbolMap(path: fold) }
    for stage in Stage.allCases {
      try walk(stage)
      if stage == last { break }
    }
  }

  /// Does the steps of a stage that are not fresh.
  private func walk(_ stage: Stage) throws {
    let plan = Plan(recipe)
    if stage == .train { for step in plan.steps { try step.check(in: self) } }
    // What a recipe before this one made there is not this one's.
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

  /// Trains all members and baselines that are not fresh.
  package func trainMembersAndBaselines() throws { try walk(.train) }

  /// Trains one member, counted from 0.
  package func trainMember(_ member: Int) throws {
    guard recipe.memberSystems.indices.contains(member) else {
      throw ExperimentFault.noMember(member, members: recipe.memberSystems.count)
    }
    let plan = Plan(recipe)
    try walk([Product.folds, .model(.member(member))].compactMap { plan[$0] })
  }

  /// Distils the members that are there: searches T and λ, and trains all students.
  ///
  /// - Throws: `ExperimentFault` when the members are not this recipe's, and what any student's training throws.
  package func distill() throws { try walk(after: [.search, .distill]) }

  /// Finds the clusters, trains a specialist for each, and distils generalist and specialists into one model.
  package func trainSpecialists() throws { try walk(after: [.specialists]) }

  /// Scores all systems and writes `scores.json`, and `recipe.yaml`, the recipe that they are of.
  package func score() throws { try walk(.score) }

  /// Does stages whose steps read what other stages have made, which must be this recipe's.
  private func walk(after stages: [Stage]) throws {
    let plan = Plan(recipe)
    let steps = plan.steps(of: stages)
    for step in steps { try step.check(in: self) }
    for batch in Plan.batches(plan.inputs(of: steps).compactMap { plan[$0] }) {
      if let first = batch.first { try require(first, together: batch) }
    }
    for stage in stages { try walk(stage) }
  }

  /// Throws unless models or a choice are as this recipe makes them, for steps that do not make them themselves.
  ///
  /// - Throws: `ModelFault` for a model that is missing, `FileFault` or `ExperimentFault` for what is of another recipe.
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
          found: "another; run limbeck distill")
      }
      _ = try AcousticModel(path: modelPath(system))
      throw ExperimentFault.staleModel(modelPath(system))
    }
  }

  /// The program, its libraries and the machine, in words.
  static var maker: String {
    let machine = ProcessInfo.processInfo
    return """
      limbeck \(limbeckVersion); \(libraryVersions.joined(separator: ", ")); \
      \(machine.operatingSystemVersionString), \(machine.activeProcessorCount) processors
      """
  }

  /// What `scores.json` holds.
  package func readScores() throws(FileFault) -> ScoreReport {
    try ScoreReport(path: scoresPath)
  }
}
