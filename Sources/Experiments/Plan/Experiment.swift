import Classes
package import Corpus
package import Evaluation
import Features
import Foundation
package import LinearAlgebra
import Logging
package import Storage
import Training

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
  package let path: String
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
    recipe: Recipe, path: String, workers: Workers, networks: Int? = nil,
    commands: CommandPolicy = .refused,
    checkpointPause: Duration = .seconds(300), reporter: Reporter
  ) {
    (self.recipe, self.workers, self.reporter) = (recipe, workers, reporter)
    self.path = plainPath(path)
    self.commands = commands
    (self.networks, self.checkpointPause) = (networks, checkpointPause)
  }

  package var scoresPath: String { path + "/scores.json" }
  /// The recipe that the scores are of.
  var recipePath: String { path + "/recipe.yaml" }
  package var searchPath: String { path + "/search.json" }
  package var ledgerPath: String { path + "/ledger.jsonl" }

  func features(_ part: CorpusPart) -> FeatureFolder {
    FeatureFolder(path: "\(path)/features/\(part.rawValue)")
  }

  /// The features of the perturbed copies of the training utterances.
  var copies: [(features: FeatureFolder, copy: AugmentedCopy)] {
    guard let options = recipe.augmentation, options.copies > 0 else { return [] }
    return (1...options.copies).map { number in
      let copy = AugmentedCopy(options: options, number: number)
      return (FeatureFolder(path: "\(path)/features/\(copy.name)"), copy)
    }
  }

  func targets(_ part: CorpusPart) -> TargetFolder {
    TargetFolder(path: "\(path)/targets/\(part.rawValue)")
  }

  func modelPath(_ system: System) -> String { modelPath(named: system.name) }

  func modelPath(named name: String) -> String { "\(path)/models/\(name).safetensors" }

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
    let replaced = [
      "models", "checkpoints", "soft-targets", "specialists", "tensorboard", "scores.json",
      "search.json", "baseline-search.json", "recipe.yaml", "ledger.jsonl",
    ]
    try OwnFiles.require(
      replaced, in: path, marks: [Experiment.recordsName],
      remedy: "choose another folder for the experiment, or move it away")
    if try !FileSystem.exists(recordsPath) { try FileSystem.makeFolder(recordsPath) }
  }

  /// The folder of the records, which every experiment has.
  static let recordsName = "stages"
  var recordsPath: String { "\(path)/\(Experiment.recordsName)" }

  private func runStages(until last: Stage) throws {
    if last == .score, let fold = recipe.scoring.fold {
      // Before the work, not after it.
      _ = try SymbolMap(path: resolve(fold, from: path))
    }
    for stage in Stage.allCases {
      try Interruption.check()
      switch stage {
      case .features: try prepareFeatures()
      case .targets: try prepareTargets()
      case .train: try trainMembersAndBaselines()
      case .search: try search()
      case .distill: try trainStudents()
      case .specialists: try trainSpecialists()
      case .score: try score()
      }
      if stage == last { break }
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
