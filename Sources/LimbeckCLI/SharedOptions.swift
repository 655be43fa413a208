import ArgumentParser
import Corpus
import Foundation
import KaldiIO
import LinearAlgebra
import Experiments
import Storage
import SystemPackage

/// How many threads a command may use.
struct JobOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("threads")],
    parsing: .unconditional,
    help: "The number of threads; the results do not depend on it. (default: all cores)")
  var jobs: Int?

  func validate() throws {
    guard (1...1024).contains(jobs ?? 1) else {
      throw ValidationError("--jobs: expected 1 to 1024, found \(jobs ?? 1)")
    }
  }

  var workers: Workers { jobs.map { Workers(count: $0) } ?? .all }
}

/// What a command reads of each recording.
struct RecordingOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "The channel to use, counted from 1. (default: files must be mono)")
  var channel: Int?

  func validate() throws {
    guard channel ?? 1 > 0 else {
      throw ValidationError("--channel: expected at least 1, found \(channel ?? 1)")
    }
  }
}

/// What a command reports while it works.
struct ReportingOptions: ParsableArguments {
  @Flag(
    name: .shortAndLong, help: "Report only warnings and errors: no progress and no log.")
  var quiet = false

  /// The reporter to standard error.
  var reporter: Reporter { Terminal.reporter(quiet ? .warnings : .all) }
}

/// How many threads training may use, and how often it saves its state.
struct TrainingJobOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "The number of threads; the results do not depend on it. (default: all cores)")
  var jobs: Int?
  // The name of --jobs in earlier versions, in which --jobs was what --networks is.
  @Option(parsing: .unconditional, help: .hidden)
  var threads: Int?
  @Option(
    parsing: .unconditional,
    help: """
      How many networks to train in parallel, sharing the threads; the results do not depend on it. \
      (default: one per thread)
      """)
  var networks: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Minutes between checkpoints within an epoch; stopped training resumes from the last one.",
      valueName: "minutes"))
  var checkpointMinutes = 5.0

  func validate() throws {
    if threads != nil, let jobs {
      throw ValidationError(
        "--threads and --jobs: both are the number of threads; give --networks \(jobs) to train \(jobs) in parallel"
      )
    }
    for (name, value) in [("threads", threads), ("jobs", jobs), ("networks", networks)] {
      guard (1...1024).contains(value ?? 1) else {
        throw ValidationError("--\(name): expected 1 to 1024, found \(value ?? 1)")
      }
    }
    guard checkpointMinutes >= 0, checkpointMinutes < 1e6 else {
      throw ValidationError("--checkpoint-minutes: expected 0 or more, found \(checkpointMinutes)")
    }
  }

  var workers: Workers { (jobs ?? threads).map { Workers(count: $0) } ?? .all }
}

/// Whether list entries may run commands.
struct CommandOptions: ParsableArguments {
  @Flag(help: "Run list entries that are commands (… |), which are otherwise refused.")
  var allowCommands = false

  var policy: CommandPolicy { allowCommands ? .allowed : .refused }
}

/// Where to find a data directory's audio.
struct DataOptions: ParsableArguments {
  @Option(
    help: "The folder that relative paths in wav.scp start from. (default: the current folder)")
  var root: FilePath?
  @OptionGroup var commands: CommandOptions

  func open(_ path: FilePath) throws(FileFault) -> DataDirectory {
    try DataDirectory(path: path, root: root, commands: commands.policy)
  }
}

/// The format in which an archive is written.
struct FormOptions: ParsableArguments {
  @Flag(help: "Write a text archive (ark,t).")
  var text = false
  @Option(
    help: ArgumentHelp(
      """
      Compress float matrices: cm (one byte, scaled by each column's quartiles), cm2 (two \
      bytes), cm3 (one byte). (default: 32-bit floats)
      """, valueName: "cm|cm2|cm3"))
  var compression: MatrixCompression?

  func validate() throws {
    guard !text || compression == nil else {
      throw ValidationError("--text and --compression: expected one of them, found both")
    }
  }

  var form: ArchiveForm { text ? .text : compression.map { .compressed($0) } ?? .binary }
}

extension MatrixCompression: ExpressibleByArgument {}
extension KaldiValue.Kind: ExpressibleByArgument {}

/// How many skipped utterances a command tolerates.
struct SkippedOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The share of utterances that may be skipped without exit status 65, such as 2%.",
      valueName: "share"))
  var allowSkipped = Share(percent: 0)

  /// Throws when more utterances of an experiment were skipped than are allowed.
  ///
  /// - Parameters:
  ///   - experiment: the experiment whose ledgers are collected.
  ///   - last: the last stage that was run.
  ///   - systems: the systems whose training is checked; nil for all that exist after that stage.
  /// - Throws: `SkippedFault`, and what `collectLedger` throws.
  func check(_ experiment: Experiment, until last: Stage, systems: [System]? = nil) throws {
    let (ledger, utterances) = try experiment.collectLedger(until: last, systems: systems)
    try check(ledger.withoutCopies, of: utterances, path: .file(experiment.ledgerPath))
  }

  /// Throws when more utterances were skipped than are allowed.
  func check(_ ledger: Ledger, of utterances: Int, path: Origin) throws {
    let skipped = ledger.leftOutCount
    guard Double(100 * skipped) > allowSkipped.percent * Double(utterances) else { return }
    throw SkippedFault(skipped: skipped, utterances: utterances, path: path)
  }
}

/// A share in per cent, from 0 to 100.
struct Share: ExpressibleByArgument {
  let percent: Double

  init(percent: Double) { self.percent = percent }

  init?(argument: String) {
    guard argument.hasSuffix("%"), let percent = Double(argument.dropLast()),
      (0...100).contains(percent)
    else { return nil }
    self.percent = percent
  }

  var defaultValueDescription: String { "\(Int(percent))%" }
}

/// More utterances were skipped than are allowed.
struct SkippedFault: Fault {
  let skipped: Int
  let utterances: Int
  let path: Origin

  var exitStatus: ExitStatus { .data }
  var description: String { "\(skipped) of \(utterances) utterances skipped; see \(path)" }
}

/// A recipe and the folder of its experiment.
struct ExperimentArguments: ParsableArguments {
  @Argument(help: "The recipe, a YAML file.")
  var recipe: FilePath
  @Argument(
    help:
      "The experiment's folder; relative paths in the recipe start from it, unless paths is recipe."
  )
  var exp: FilePath
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Override a recipe option, such as student.training.epochs=20; may be repeated.",
      valueName: "option=value"))
  var settings: [String] = []
  @OptionGroup var commands: CommandOptions
  @OptionGroup var reporting: ReportingOptions

  func validate() throws {
    for setting in settings where !Recipe.isSetting(setting) {
      throw ValidationError(
        "--set: expected OPTION=VALUE, such as student.training.epochs=20, found \(setting)")
    }
  }

  /// The experiment, opened to plan it.
  func open() throws -> Experiment {
    Experiment(
      recipe: try Recipe(path: recipe, settings: settings), path: exp, workers: .one,
      commands: commands.policy, reporter: reporting.reporter)
  }

  /// The experiment, opened to run its steps.
  func open(_ job: TrainingJobOptions) throws -> Experiment {
    Experiment(
      recipe: try Recipe(path: recipe, settings: settings), path: exp, workers: job.workers,
      networks: job.networks, commands: commands.policy,
      checkpointPause: .seconds(60 * job.checkpointMinutes),
      command: (["limbeck"] + CommandLine.arguments.dropFirst().map(quoted)).joined(separator: " "),
      reporter: reporting.reporter)
  }
}

/// A word of a command line as a shell takes it, in quotes where necessary.
private func quoted(_ word: String) -> String {
  let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,%+@".contains($0) }
  return isPlain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\\''"))'"
}
