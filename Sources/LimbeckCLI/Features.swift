import ArgumentParser
import Corpus
import Features
import KaldiIO
import LinearAlgebra
import Storage
import SystemPackage

/// `limbeck features`: extracts log-mel features from a data directory.
struct Features: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Extract log-mel features from a Kaldi data directory.",
    discussion: """
      Writes feats.ark, feats.scp, utt2num_frames, features.json (the options) and ledger.jsonl \
      (skipped utterances, with reasons) to OUT; with a normalization, also its statistics, cmvn.ark and \
      cmvn.scp. A run that was killed resumes where it stopped.
      """)

  @Argument(help: "A data directory with wav.scp; segments and utt2spk are read when needed.")
  var data: FilePath
  @Argument(help: "The folder to write the features to.")
  var out: FilePath
  @OptionGroup(title: "Feature options") var flags: FeatureFlags
  @Option(
    name: .customLong("cmvn-stats"),
    help: """
      Statistics to normalise by, as written by Kaldi's compute-cmvn-stats: an ark or scp keyed by utterance or \
      speaker, or one matrix for global; ark:PATH, scp:PATH and .gz work as for copy. \
      (default: computed from the features)
      """)
  var statistics: String?
  @OptionGroup var form: FormOptions
  @OptionGroup var recording: RecordingOptions
  @OptionGroup var location: DataOptions
  @OptionGroup var job: JobOptions
  @OptionGroup var reporting: ReportingOptions
  @OptionGroup var skipped: SkippedOptions

  func validate() throws {
    if let statistics { _ = try usage { try ArchiveInput(statistics) } }
  }

  func run() throws {
    let settings = try flags.settings()
    guard statistics == nil || settings.transform.normalization != .none else {
      throw ValidationError(
        "--cmvn-stats: expected a --normalization other than none, found none")
    }
    let directory = try location.open(data)
    for name in ["wav.scp", "text", "segments", "targets.json", "stages"]
    where try FileSystem.exists(out.appending(name)) {
      throw ValidationError(
        "OUT: expected a folder for features only, found \(out.appending(name).text), whose lists would be overwritten"
      )
    }
    var request = FeatureRequest(
      options: try settings.options(of: directory, workers: job.workers), channel: recording.channel
    )
    request.form = form.form
    request.statisticsTable = statistics
    let folder = FeatureFolder(path: out)
    let ledger = try folder.extract(
      directory, request, workers: job.workers, reporter: reporting.reporter)
    try skipped.check(ledger, of: directory.count, path: .file(folder.ledgerPath))
  }
}

extension FeatureSettings {
  /// The options at the rate of a data directory's audio, or at the required rate.
  func options(of data: DataDirectory, workers: Workers) throws -> FeatureOptions {
    try options(
      for: SampleRates(of: [(data.path.text, data)], workers: workers), option: "sampleRate")
  }
}
