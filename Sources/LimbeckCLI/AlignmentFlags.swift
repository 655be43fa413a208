import ArgumentParser
import Corpus
import SystemPackage

/// Where alignments come from: one flag for each format.
struct AlignmentFlags: ParsableArguments {
  @Option(help: ArgumentHelp("A CTM of phones, times in seconds.", valueName: "file"))
  var ctm: FilePath?
  @Option(help: ArgumentHelp("A folder of Praat TextGrids, long or short.", valueName: "folder"))
  var textgrid: FilePath?
  @Option(
    help:
      "The tier of the TextGrids; {speaker} in it stands for each utterance's speaker in utt2spk.")
  var tier = "phones"
  @Option(help: ArgumentHelp("A folder of TIMIT's .PHN files.", valueName: "folder"))
  var phn: FilePath?
  @Option(help: ArgumentHelp("A folder of TIMIT's .WRD files.", valueName: "folder"))
  var wrd: FilePath?
  @Option(help: ArgumentHelp("A folder of HTK label files, .lab or .rec.", valueName: "folder"))
  var lab: FilePath?
  @Option(help: ArgumentHelp("An HTK master label file.", valueName: "file"))
  var mlf: FilePath?
  @Option(help: ArgumentHelp("A folder of Audacity's labels, .txt.", valueName: "folder"))
  var audacity: FilePath?
  @Option(
    name: [.customLong("ark"), .customLong("archive")],
    help: ArgumentHelp(
      """
      A Kaldi archive of one integer a frame, text or binary, or its scp; ark:PATH, scp:PATH, - and .gz as \
      for copy.
      """, valueName: "file"))
  var archive: String?

  /// The one that was given.
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

/// What the classes are.
struct ClassFlags: ParsableArguments {
  @Option(help: "What each symbol of the source stands for, a line FROM TO each.")
  var map: FilePath?
  @Option(
    help: "The symbols of an archive's integers, a line SYMBOL ID each, as Kaldi's phones.txt.")
  var symbols: FilePath?
  @Option(
    help: """
      Names of an archive's integers, a line ID NAME each; classes are then NAME:ID, as for tied \
      states.
      """)
  var names: FilePath?
  @Option(help: "A classes.txt whose ids to use. (default: the symbols in order)")
  var classes: FilePath?
  @Option(
    parsing: .unconditional,
    help: """
      States of equal time that each label is split into. (default: 3, but 1 for --wrd and --ark)
      """)
  var states: Int?
}

/// What alignments must keep to.
struct AlignmentCheckFlags: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "Frames by which an alignment may be longer or shorter than the features.")
  var lengthTolerance = 3
  @Option(
    parsing: .unconditional, help: "Seconds that a phone may last which is not silence; 0 for any.")
  var longestPhone = 2.0
  @Option(
    parsing: .unconditional,
    help:
      "Milliseconds by which labels of a CTM or TextGrid may overlap; the boundary is then in the middle."
  )
  var overlap = 10.0
  @Flag(help: "Take the first of a CTM's alternatives (<ALT_BEGIN>).")
  var firstAlternative = false
  @Option(
    help: ArgumentHelp(
      """
      The symbol of times without a label, as SIL. (default: utterances with such are skipped, and \
      labels that are empty are SIL)
      """, valueName: "symbol"))
  var gaps: String?
}
