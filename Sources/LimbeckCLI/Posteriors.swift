import ArgumentParser
import Corpus
import Distillation
import Features
import KaldiIO
import Storage
import SystemPackage

/// `limbeck posteriors`: writes what a model says of each frame.
struct Posteriors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model's log posteriors of each frame, or log-likelihoods for a decoder.",
    discussion: """
      INPUT is an audio file, a Kaldi data directory, a folder of features, an scp or ark of features (scp:PATH, \
      ark:PATH, or a path that ends in .scp, .ark or .gz), or - for an ark on standard input. Audio must have the \
      model's sample rate; its features are made with the model's options.

      OUT is a folder, which gets posteriors.ark, posteriors.scp, utt2num_frames, posteriors.json (the model, \
      the classes) and ledger.jsonl (what became of each utterance); or an archive: ark:PATH, ark,t:PATH, \
      ark,scp:PATH,PATH, a path that ends in .ark, or - for standard output. Each utterance has one matrix, with \
      one row per frame and one column per class. With uncompressed \
      binary files as output, an interrupted run resumes.
      """)

  @Argument(help: "A model written by train or distill.")
  var model: FilePath
  @Argument(help: "Audio or features.")
  var input: String
  @Argument(help: "The folder or archive to write.")
  var out: String
  @Option(
    parsing: .unconditional,
    help: "Divide the logits by this number before the softmax.")
  var temperature = 1.0
  @Flag(
    help: """
      Write log-likelihoods up to a constant, as latgen-faster-mapped takes them: the log posteriors minus the \
      model's log priors.
      """)
  var logLikelihoods = false
  @Option(
    help: """
      With --log-likelihoods, compute the priors from this vector of frame counts by class instead: class_counts \
      of targets, or Kaldi's.
      """)
  var priors: FilePath?
  @OptionGroup var form: FormOptions
  @Option(
    parsing: .unconditional,
    help: "The channel to use, counted from 1. (default: files must be mono)")
  var channel: Int?
  @OptionGroup var location: DataOptions
  @OptionGroup var job: JobOptions
  @OptionGroup var reporting: ReportingOptions
  @OptionGroup var skipped: SkippedOptions

  func validate() throws {
    guard channel ?? 1 > 0 else {
      throw ValidationError("--channel: expected at least 1, found \(channel ?? 1)")
    }
    guard temperature > 0, Float(temperature) > 0, Float(temperature).isFinite else {
      throw ValidationError("--temperature: expected a positive number, found \(temperature)")
    }
    guard priors == nil || logLikelihoods else {
      throw ValidationError("--priors: expected --log-likelihoods with it, found none")
    }
    guard try form.compression == nil || output()?.isText != true else {
      throw ValidationError("\(out) and --compression: expected one of them, found both")
    }
  }

  /// The archive to write; nil for a folder.
  private func output() throws -> ArchiveOutput? {
    guard ArchiveOutput.names(out) else { return nil }
    let output = try usage { try ArchiveOutput(out) }
    guard output.script?.lastComponent != "wav.scp" else {
      throw ValidationError("OUT: expected a name whose scp is not wav.scp, found \(out)")
    }
    return output
  }

  func run() throws {
    let output = try output()
    let target = try output.map { .archive($0) } ?? folder()
    let classifier = try FrameClassifier(
      path: model, values: logLikelihoods ? .logLikelihoods(counts: priors) : .logPosteriors,
      temperature: temperature)
    let source = try source(for: classifier, output)
    let writer = PosteriorWriter(
      classifier, form: output?.isText == true ? .text : form.form, workers: job.workers,
      reporter: reporting.reporter)
    let ledger = try writer.write(source, to: target, print: Terminal.write)
    let utterances = ledger.passed(.posteriors).count + ledger.leftOutCount
    var place = Origin.named("the lines above")
    if case .folder(let folder) = target { place = .file(folder.ledgerPath) }
    try skipped.check(ledger, of: utterances, path: place)
  }

  private func folder() throws -> PosteriorWriter.Target {
    let path = try FilePath(text: out)
    for name in ["wav.scp", "text", "segments", "features.json", "targets.json", "stages"]
    where try FileSystem.exists(path.appending(name)) {
      throw ValidationError(
        "OUT: expected a folder for posteriors only, found \(path.appending(name).text), whose lists would be overwritten"
      )
    }
    return .folder(PosteriorFolder(path: path))
  }

  private func source(
    for classifier: FrameClassifier, _ output: ArchiveOutput?
  ) throws -> PosteriorSource {
    let table = try usage { try ArchiveInput(input) }
    let read = [table.path, model, priors].compactMap { $0?.absolute }
    for path in [output?.archive, output?.script].compactMap({ $0 })
    where read.contains(path.absolute) {
      throw ValidationError(
        "OUT: expected other names than those of the model, INPUT and --priors, found \(path.text)")
    }
    let path = try FilePath(text: input)
    guard try FileSystem.isFolder(path) else {
      let isTable =
        input == "-" || table.path != path
        || [".scp", ".ark", ".gz"].contains(where: input.hasSuffix)
      return isTable
        ? .table(input, commands: location.commands.policy)
        : try .recording(path, classifier, channel: channel)
    }
    if try FileSystem.exists(path.appending("features.json")) {
      return .features(FeatureFolder(path: path))
    }
    let features = path.appending("feats.scp")
    let isAudio = try FileSystem.exists(path.appending("wav.scp"))
    if !isAudio || classifier.features.logMel == nil, try FileSystem.exists(features) {
      return .table("scp:\(features.string)", commands: location.commands.policy)
    }
    return .audio(try location.open(path), channel: channel)
  }
}

extension PosteriorSource {
  /// One audio file.
  ///
  /// - Throws: `FileFault` when there is no such file, or the model's features are normalised over
  ///   more than one recording.
  fileprivate static func recording(
    _ path: FilePath, _ classifier: FrameClassifier, channel: Int?
  ) throws -> PosteriorSource {
    let normalization = classifier.features.transform.normalization
    guard normalization != .speaker, normalization != .global else {
      throw FileFault.malformed(
        path: path,
        expected: "a data directory, since the model's features are normalised by "
          + (normalization == .speaker ? "speaker" : "corpus"),
        found: "one recording")
    }
    return .audio(try DataDirectory(recording: path), channel: channel)
  }
}
