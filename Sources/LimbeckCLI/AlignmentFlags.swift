import ArgumentParser
import Corpus
import KaldiIO
import SystemPackage

/// The source of the alignments: one flag for each format.
struct AlignmentFlags: ParsableArguments {
  @Option(help: ArgumentHelp("A CTM file of phones or words, times in seconds.", valueName: "file"))
  var ctm: FilePath?
  @Option(
    help: ArgumentHelp("A folder of Praat TextGrids, in long or short format.", valueName: "folder")
  )
  var textgrid: FilePath?
  @Option(
    help:
      "The TextGrid tier to read; {speaker} stands for the utterance's speaker in utt2spk.")
  var tier = "phones"
  @Option(help: ArgumentHelp("A folder of TIMIT .PHN files.", valueName: "folder"))
  var phn: FilePath?
  @Option(help: ArgumentHelp("A folder of TIMIT .WRD files.", valueName: "folder"))
  var wrd: FilePath?
  @Option(help: ArgumentHelp("A folder of HTK label files, .lab or .rec.", valueName: "folder"))
  var lab: FilePath?
  @Option(help: ArgumentHelp("An HTK master label file.", valueName: "file"))
  var mlf: FilePath?
  @Option(help: ArgumentHelp("A folder of Audacity label tracks, .txt.", valueName: "folder"))
  var audacity: FilePath?
  @Option(
    name: [.customLong("ark"), .customLong("archive")],
    help: ArgumentHelp(
      """
      A Kaldi archive of one integer per frame, text or binary, or its scp; ark:PATH, scp:PATH, - and .gz \
      work as for copy.
      """, valueName: "file"))
  var archive: String?

  /// The format and path of the one source given.
  func chosen() throws -> (format: AlignmentFormat, path: String) {
    let given = AlignmentFormat.allCases.compactMap { format in
      path(of: format).map { (format, $0) }
    }
    guard let first = given.first, given.count == 1 else {
      throw ValidationError(
        "expected one source of alignments (--ctm, --textgrid, --phn, --wrd, --lab, --mlf, "
          + "--audacity or --ark), found \(given.isEmpty ? "none" : "\(given.count)")")
    }
    return first
  }

  /// The alignments, without the classes and checks.
  func options() throws -> TargetOptions {
    let (format, path) = try chosen()
    if format == .archive { _ = try usage { try ArchiveInput(path) } }
    var options = TargetOptions(format: format, path: path)
    options.tier = tier
    return options
  }

  private func path(of format: AlignmentFormat) -> String? {
    switch format {
    case .ctm: ctm?.string
    case .textgrid: textgrid?.string
    case .phn: phn?.string
    case .wrd: wrd?.string
    case .lab: lab?.string
    case .mlf: mlf?.string
    case .audacity: audacity?.string
    case .archive: archive
    }
  }
}

/// How symbols become classes.
struct ClassFlags: ParsableArguments {
  @Option(help: "A map of the source's symbols, one FROM TO per line.")
  var map: FilePath?
  @Option(
    help:
      "The symbol table of an archive's integers, one SYMBOL ID per line, like Kaldi's phones.txt.")
  var symbols: FilePath?
  @Option(
    help: """
      Names of an archive's integers, one ID NAME per line, such as tied states; classes are then \
      called NAME:ID.
      """)
  var names: FilePath?
  @Option(help: "A classes.txt that assigns the class ids. (default: the symbols in sorted order)")
  var classes: FilePath?
  @Option(
    parsing: .unconditional,
    help: """
      The number of equal-length states to split each label into. (default: 3 for phones, 1 for words and --ark)
      """)
  var states: Int?
  @Flag(help: "Leave each label whole, as --states 1 does.")
  var whole = false
  @Flag(
    help: "Use the integers of --ark as class ids, with a class for each up to the largest."
  )
  var keepIds = false

  func validate() throws {
    guard !whole || states ?? 1 == 1 else {
      throw ValidationError("--whole and --states: expected one of them, found both")
    }
  }

  /// Sets the options of the classes.
  func set(_ options: inout TargetOptions) {
    (options.symbols, options.names, options.map) = (symbols, names, map)
    (options.classes, options.states) = (classes, whole ? 1 : states)
    options.keepIDs = keepIds
  }
}

/// The checks that alignments must pass.
struct AlignmentCheckFlags: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "The number of frames by which an alignment may be longer or shorter than the features.")
  var lengthTolerance = 3
  @Option(
    parsing: .unconditional,
    help:
      "The longest duration of a label other than silence, in seconds; not for words; 0 for no limit."
  )
  var longestPhone = 2.0
  @Option(
    parsing: .unconditional,
    help:
      "The longest overlap of labels in a CTM or TextGrid, in milliseconds; they are divided in its middle."
  )
  var overlap = 10.0
  @Flag(help: "Use the first of each set of alternatives in a CTM (<ALT_BEGIN>).")
  var firstAlternative = false
  @Option(
    help: ArgumentHelp(
      """
      The symbol for gaps between labels, such as SIL. (default: skip utterances with gaps; \
      empty labels are SIL)
      """, valueName: "symbol"))
  var gaps: String?
}
