import ArgumentParser
import Audio
import Corpus
import Features
import Recipes
import Storage

/// `limbeck targets`: an alignment to one class a frame.
struct Targets: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make frame targets of a Kaldi data directory from an alignment.",
    discussion: """
      OUT gets targets.ark (one class id a frame), classes.txt (symbol and id a line) and \
      ledger.jsonl. A frame takes the label at its centre. Phones of a CTM are split into states by \
      equal times, since it has no states of its own.
      """)

  @Argument(help: "A data directory.")
  var data: String
  @Argument(help: "The folder for the targets.")
  var out: String
  @Option(help: "A CTM of phones, times in seconds.")
  var ctm: String?
  @Option(help: "A Kaldi archive of one integer a frame, text or binary.")
  var ark: String?
  @Option(help: "What each symbol of the source stands for, a line FROM TO each.")
  var map: String?
  @Option(help: "A classes.txt whose ids to use. (default: the symbols in order)")
  var classes: String?
  @Option(help: "States that each phone of a CTM is split into.")
  var states = 3
  @Option(help: "Frames by which an alignment may be longer or shorter than the features.")
  var lengthTolerance = 3
  @Option(help: "The features' folder. (default: the frames are counted from the audio)")
  var features: String?
  @Option(help: "Feature options in YAML, to count frames by; not with --features.")
  var config: String?
  @OptionGroup var location: DataOptions
  @OptionGroup var job: JobOptions
  @OptionGroup var skipped: SkippedOptions

  func validate() throws {
    guard features == nil || config == nil else {
      throw ValidationError("--features and --config: give one of them, not both")
    }
    do { try options.validate() } catch { throw ValidationError(error.description) }
  }

  private var options: TargetOptions {
    var options = TargetOptions()
    (options.ctm, options.archive, options.map, options.classes) = (ctm, ark, map, classes)
    (options.states, options.lengthTolerance) = (states, lengthTolerance)
    return options
  }

  func run() throws {
    let directory = try location.open(data)
    let reporter = Terminal.reporter()
    let source = try AlignmentSource(options)
    let frames = try countFrames(of: directory)
    let folder = TargetFolder(path: out)
    let ledger = try folder.prepare(
      source, frameCounts: frames.counts, grid: frames.grid, earlier: frames.ledger,
      reporter: reporter)
    try skipped.check(ledger, of: directory.count, path: folder.ledgerPath)
  }

  private func countFrames(
    of directory: DataDirectory
  ) throws -> (counts: [String: Int], grid: FrameGrid, ledger: Ledger) {
    if let features {
      let folder = FeatureFolder(path: features)
      var counts = try folder.frameCounts()
      var ledger = directory.faults
      let ids = Set(directory.utterances.map(\.id))
      counts = counts.filter { ids.contains($0.key) }
      for utterance in directory.utterances where counts[utterance.id] == nil {
        ledger.leaveOut(utterance.id, stage: "targets", reason: "no features in \(features)")
      }
      return (counts, try folder.options().logMel.grid, ledger)
    }
    let options = try config.map { try decodeYAML($0) } ?? FeatureOptions()
    let counted = FrameCounting.count(directory, options: options, workers: job.workers)
    return (counted.counts, options.logMel.grid, counted.ledger)
  }
}
