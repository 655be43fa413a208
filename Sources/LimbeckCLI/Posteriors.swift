import ArgumentParser
import Corpus
import Distillation
import Experiments
import Features
import KaldiIO
import Storage
import SystemPackage

/// `limbeck posteriors`: writes what a model says of each frame.
struct Posteriors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model's log posteriors of each frame, or log-likelihoods for a decoder.",
    usage: """
      limbeck posteriors MODEL INPUT OUT [<options>]
      limbeck posteriors --ensemble | --specialists EXP INPUT OUT [<options>]
      limbeck posteriors MODEL INPUT OUT --labels ctm|textgrid
      limbeck posteriors MODEL --stream --raw s16le|f32le --rate HERTZ
      """,
    discussion: """
      INPUT is an audio file, a Kaldi data directory, a folder of features, an scp or ark of features (scp:PATH, \
      ark:PATH, or a path that ends in .scp, .ark or .gz), or - for an ark on standard input. Audio must have the \
      model's sample rate; its features are made with the model's options.

      OUT is a folder, which gets posteriors.ark, posteriors.scp, utt2num_frames, posteriors.json (the model, \
      the classes) and ledger.jsonl (what became of each utterance); or an archive: ark:PATH, ark,t:PATH, \
      ark,scp:PATH,PATH, a path that ends in .ark, or - for standard output. Each utterance has one matrix, with \
      one row per frame and one column per class. With uncompressed \
      binary files as output, an interrupted run resumes.

      With --labels, the output is an alignment of the most probable classes: ctm writes one file of all \
      utterances, textgrid a folder with a TextGrid of each; - is standard output.

      With --stream, raw samples arrive on standard input, and each frame's most probable class is a line of JSON \
      on standard output as soon as it is known.
      """)

  @Argument(
    help: ArgumentHelp(
      """
      MODEL INPUT OUT: a model written by train or distill, audio or features, and what to write. No MODEL with \
      --ensemble or --specialists, no INPUT and OUT with --stream.
      """, valueName: "paths"))
  var paths: [String] = []
  @OptionGroup var combination: CombinationOptions
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
  @Option(
    help: ArgumentHelp(
      """
      Write the most probable class of each frame, with equal neighbours joined, as a CTM or as TextGrids.
      """, valueName: "ctm|textgrid"))
  var labels: LabelFormat?
  @OptionGroup var stream: StreamOptions
  @OptionGroup var form: FormOptions
  @OptionGroup var recording: RecordingOptions
  @OptionGroup var location: DataOptions
  @OptionGroup var job: JobOptions
  @OptionGroup var reporting: ReportingOptions
  @OptionGroup var skipped: SkippedOptions

  func validate() throws {
    let names = (combination.isGiven ? [] : ["MODEL"]) + (stream.stream ? [] : ["INPUT", "OUT"])
    guard paths.count == names.count else {
      throw ValidationError(
        "expected \(names.isEmpty ? "no paths" : names.joined(separator: " ")), found "
          + (paths.isEmpty ? "none" : paths.joined(separator: " ")))
    }
    guard temperature > 0, Float(temperature) > 0, Float(temperature).isFinite else {
      throw ValidationError("--temperature: expected a positive number, found \(temperature)")
    }
    guard priors == nil || logLikelihoods else {
      throw ValidationError("--priors: expected --log-likelihoods with it, found none")
    }
    // Labels have neither values nor a form, and a stream has labels only.
    let others = [
      ("--log-likelihoods", logLikelihoods), ("--text", form.text),
      ("--compression", form.compression != nil),
    ]
    for (name, isGiven) in others where isGiven && labels != nil {
      throw ValidationError("--labels and \(name): expected one of them, found both")
    }
    let besideStream =
      others + [("--labels", labels != nil), ("--channel", recording.channel != nil)]
    for (name, isGiven) in besideStream where isGiven && stream.stream {
      throw ValidationError("--stream and \(name): expected one of them, found both")
    }
    guard labels == nil, !stream.stream else { return }
    guard try form.compression == nil || output()?.isText != true else {
      throw ValidationError("\(out) and --compression: expected one of them, found both")
    }
  }

  // `validate` has counted the paths.
  private var input: String { paths[paths.count - 2] }
  private var out: String { paths[paths.count - 1] }

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
    if let labels { return try writeLabels(labels) }
    guard !stream.stream else {
      return try stream.run(classifier())
    }
    let output = try output()
    let target: PosteriorWriter.Target =
      try output.map { .archive($0) } ?? .folder(folder())
    let classifier = try classifier()
    let source = try source(
      for: classifier, besides: [output?.archive, output?.script].compactMap { $0 })
    let writer = PosteriorWriter(
      classifier, form: output?.isText == true ? .text : form.form, workers: job.workers,
      reporter: reporting.reporter)
    let ledger = try writer.write(source, to: target, print: Terminal.write)
    if case .folder(let folder) = target { return try check(ledger, .file(folder.ledgerPath)) }
    try check(ledger, .named("the lines above"))
  }

  private func writeLabels(_ format: LabelFormat) throws {
    let target: LabelWriter.Target
    var written: [FilePath] = []
    switch format {
    case .ctm where out == "-": target = .ctm(nil)
    case .textgrid where out == "-": target = .textGrid
    case .textgrid: target = .textGrids(try folder())
    case .ctm:
      let path = try FilePath(text: out)
      (target, written) = (.ctm(path), [path])
    }
    let classifier = try classifier()
    let source = try source(for: classifier, besides: written)
    let writer = try LabelWriter(
      classifier, workers: job.workers, reporter: reporting.reporter)
    let ledger = try writer.write(source, to: target, print: Terminal.write)
    if case .textGrids(let folder) = target { return try check(ledger, .file(folder.ledgerPath)) }
    try check(ledger, .named("the lines above"))
  }

  private func check(_ ledger: Ledger, _ place: Origin) throws {
    let utterances = ledger.passed(.posteriors).count + ledger.leftOutCount
    try skipped.check(ledger, of: utterances, path: place)
  }

  private func classifier() throws -> FrameClassifier {
    let system =
      try combination.open() ?? FrameSystem(model: FilePath(text: paths.first ?? ""))
    return try FrameClassifier(
      system, values: logLikelihoods ? .logLikelihoods(counts: priors) : .logPosteriors,
      temperature: temperature)
  }

  private func folder() throws -> PosteriorFolder {
    let path = try FilePath(text: out)
    for name in ["wav.scp", "text", "segments", "features.json", "targets.json", "stages"]
    where try FileSystem.exists(path.appending(name)) {
      throw ValidationError(
        "OUT: expected a folder for posteriors only, found \(path.appending(name).text), whose lists would be overwritten"
      )
    }
    return PosteriorFolder(path: path)
  }

  /// The source, which must not be among the files to write; nor may a model.
  private func source(
    for classifier: FrameClassifier, besides written: [FilePath]
  ) throws -> PosteriorSource {
    let table = try usage { try ArchiveInput(input) }
    let read = (classifier.system.files + [table.path, priors].compactMap { $0 }).map(\.absolute)
    for path in written where read.contains(path.absolute) {
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
        : try .recording(path, classifier, channel: recording.channel)
    }
    if try FileSystem.exists(path.appending("features.json")) {
      return .features(FeatureFolder(path: path))
    }
    let features = path.appending("feats.scp")
    let isAudio = try FileSystem.exists(path.appending("wav.scp"))
    if !isAudio || classifier.features.logMel == nil, try FileSystem.exists(features) {
      return .table("scp:\(features.string)", commands: location.commands.policy)
    }
    return .audio(try location.open(path), channel: recording.channel)
  }
}

/// The networks of an experiment that classify together, instead of one model.
struct CombinationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Instead of MODEL, the mean of the ensemble's members in this experiment.", valueName: "exp"))
  var ensemble: FilePath?
  @Option(
    help: ArgumentHelp(
      "Instead of MODEL, the generalist of this experiment combined with its specialists.",
      valueName: "exp"))
  var specialists: FilePath?

  func validate() throws {
    guard ensemble == nil || specialists == nil else {
      throw ValidationError("--ensemble and --specialists: expected one of them, found both")
    }
  }

  var isGiven: Bool { ensemble != nil || specialists != nil }

  /// The networks; nil without an option.
  func open() throws -> FrameSystem? {
    if let ensemble { return try CombinedSystem.ensemble.open(ensemble) }
    return try specialists.map { try CombinedSystem.specialists.open($0) }
  }
}

/// The format of labels.
enum LabelFormat: String, CaseIterable, ExpressibleByArgument {
  case ctm, textgrid
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
