import ArgumentParser
import Corpus
import Features
import Recipes
import Storage

/// `limbeck features`: a data directory to log-mel frames.
struct Features: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make log-mel features of a Kaldi data directory.",
    discussion: """
      OUT gets feats.ark, feats.scp, utt2num_frames, features.json (the options) and ledger.jsonl \
      (utterances left out, with reasons).
      """)

  @Argument(help: "A data directory with wav.scp; segments is used when it is there.")
  var data: String
  @Argument(help: "The folder for the features.")
  var out: String
  @Option(
    help: """
      Feature options in YAML: sampleRate, melBins, frameLength, frameShift, window, preEmphasis, \
      removeDCOffset, lowFrequency, highFrequency, dither. (default: Kaldi's at 16 kHz, with 40 \
      bands and no dither)
      """)
  var config: String?
  @Option(help: "The channel to take, from 1. (default: files must be mono)")
  var channel: Int?
  @Option(help: "Where relative paths in wav.scp start. (default: the current folder)")
  var root: String?
  @OptionGroup var job: JobOptions
  @OptionGroup var skipped: SkippedOptions

  func validate() throws {
    guard channel ?? 1 > 0 else {
      throw ValidationError("--channel: expected at least 1, found \(channel ?? 1)")
    }
  }

  func run() throws {
    let options = try config.map { try decodeYAML($0) } ?? LogMelOptions()
    let directory = try DataDirectory(path: data, root: root)
    let folder = FeatureFolder(path: out)
    let ledger = try folder.extract(
      directory, options: options, channel: channel, workers: job.workers,
      reporter: Terminal.reporter())
    try skipped.check(ledger, of: directory.utterances.count, path: folder.ledgerPath)
  }
}
