import KaldiIO
import LinearAlgebra
import Storage
import SystemPackage

/// The alignments of a corpus, as read from their files.
enum Alignments: Sendable {
  /// Labels with their times.
  case spans(AlignmentTable)
  /// One integer per frame, by utterance.
  case integers(Archive.ReadableIntegers)

  /// Reads the file or folder that `options` name.
  ///
  /// - Parameters:
  ///   - options: the format and the path.
  ///   - sampleRate: the recordings' sample rate in hertz; TIMIT's times are in samples.
  ///   - workers: the threads among which the files of a folder are shared.
  ///   - commands: whether an archive may be the output of a command.
  /// - Throws: `FileFault` when the source as a whole cannot be read.
  init(
    _ options: TargetOptions, sampleRate: Int, workers: Workers, commands: CommandPolicy
  ) throws(FileFault) {
    let tier = options.tier
    func path() throws(FileFault) -> FilePath { try FilePath(text: options.path) }
    func folder(
      _ extensions: String..., read: @Sendable (_ path: FilePath) throws(FileFault) -> [LabelSpan]
    ) throws(FileFault) -> Alignments {
      .spans(
        try AlignmentTable(folder: path(), extensions: extensions, workers: workers) {
          file throws(FileFault) in [(nil, try read(file))]
        })
    }
    switch options.format {
    case .ctm: self = .spans(try CTMReader.read(path(), firstAlternative: options.firstAlternative))
    case .mlf: self = .spans(try HTKLabelReader.readMaster(path()))
    case .lab: self = try folder("lab", "rec", read: HTKLabelReader.read)
    case .audacity: self = try folder("txt", read: AudacityLabelReader.read)
    case .textgrid:
      guard let ofSpeakers = SpeakerTier(tier) else {
        self = try folder("textgrid") { file throws(FileFault) in
          try TextGridReader.read(file, tier: tier)
        }
        return
      }
      self = .spans(
        try AlignmentTable(folder: path(), extensions: ["textgrid"], workers: workers) {
          file throws(FileFault) in
          try TextGridReader.read(file, tiers: ofSpeakers).map { ($0.speaker, $0.spans) }
        })
    case .phn, .wrd:
      self = try folder(options.format.rawValue) { file throws(FileFault) in
        try TIMITLabelReader.read(file, sampleRate: sampleRate)
      }
    case .archive:
      self = .integers(try Archive.readReadableIntegers(options.path, commands: commands))
    }
  }
}
