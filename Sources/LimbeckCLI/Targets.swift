import ArgumentParser
import Audio
import Corpus
import Features
import KaldiIO
import Experiments
import Storage
import SystemPackage

/// `limbeck targets`: turns an alignment into one class per frame.
struct Targets: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make frame targets for a Kaldi data directory from an alignment.",
    discussion: """
      Writes targets.ark (one class id per frame), classes.txt (one symbol and id per line), \
      class_counts and log_priors (vectors), targets.json (the options) and ledger.jsonl to OUT. A \
      frame takes the label at its centre. Sources with times have no states, so phones are split \
      into states of equal length; words are left whole. The log says which. The integers of --ark are \
      renumbered without gaps, unless --keep-ids is given.
      """)

  @Argument(help: "A data directory.")
  var data: FilePath
  @Argument(help: "The folder to write the targets to.")
  var out: FilePath
  @OptionGroup(title: "Alignments (one of them)") var source: AlignmentFlags
  @OptionGroup(title: "Classes") var classes: ClassFlags
  @OptionGroup(title: "Checks") var checks: AlignmentCheckFlags
  @Option(help: "The folder of the features. (default: count frames from the audio)")
  var features: FilePath?
  @Option(help: "Feature options in YAML, for counting frames; not with --features.")
  var config: FilePath?
  @OptionGroup var location: DataOptions
  @OptionGroup var job: JobOptions
  @OptionGroup var reporting: ReportingOptions
  @OptionGroup var skipped: SkippedOptions

  func validate() throws {
    guard features == nil || config == nil else {
      throw ValidationError("--features and --config: expected one of them, found both")
    }
    _ = try options()
  }

  private func options() throws -> TargetOptions {
    var options = try source.options()
    classes.set(&options)
    (options.lengthTolerance, options.longestPhone) = (checks.lengthTolerance, checks.longestPhone)
    options.gaps = checks.gaps
    (options.overlap, options.firstAlternative) = (checks.overlap, checks.firstAlternative)
    do { try options.validate() } catch { throw ValidationError(error.description) }
    return options
  }

  func run() throws {
    let directory = try location.open(data)
    for name in ["wav.scp", "features.json", "stages"]
    where try FileSystem.exists(out.appending(name)) {
      throw ValidationError(
        "OUT: expected a folder for targets only, found \(out.appending(name).text), whose ledger would be overwritten"
      )
    }
    let options = try options()
    let frames = try countFrames(of: directory)
    let source = try AlignmentSource(
      options, sampleRate: frames.grid.sampleRate, workers: job.workers,
      commands: location.commands.policy)
    let folder = TargetFolder(path: out)
    let ledger = try folder.prepare(
      source, options, utterances: frames.utterances, grid: frames.grid, earlier: frames.ledger,
      reporter: reporting.reporter)
    try skipped.check(ledger, of: directory.count, path: .file(folder.ledgerPath))
  }

  private func countFrames(
    of directory: DataDirectory
  ) throws -> (utterances: [(utterance: Utterance, frames: Int)], grid: FrameGrid, ledger: Ledger) {
    if let features {
      let folder = FeatureFolder(path: features)
      let counts = try folder.frameCounts()
      var ledger = directory.faults
      for utterance in directory.utterances where counts[utterance.id] == nil {
        ledger.leaveOut(utterance.id, .targets, reason: "no features in \(features.text)")
      }
      let utterances = directory.utterances.compactMap { utterance in
        counts[utterance.id].map { (utterance, $0) }
      }
      return (utterances, try folder.options().grid, ledger)
    }
    let settings = try config.map { try decodeYAML($0) } ?? FeatureSettings()
    let options = try settings.options(of: directory, workers: job.workers)
    let counted = try FrameCounting.count(directory, options: options, workers: job.workers)
    return (counted.utterances, options.grid, counted.ledger)
  }
}
