/// The file formats of alignments; each format's reader documents its syntax.
package enum AlignmentFormat: String, Sendable, Codable, CaseIterable {
  /// NIST's CTM, one file.
  case ctm
  /// Praat's TextGrid, a folder of `.TextGrid` files.
  case textgrid
  /// TIMIT's phone labels, a folder of `.PHN` files.
  case phn
  /// TIMIT's word labels, a folder of `.WRD` files.
  case wrd
  /// HTK's label files, a folder of `.lab` (or `.rec`) files.
  case lab
  /// HTK's master label file, one file.
  case mlf
  /// Audacity's label tracks, a folder of `.txt` files.
  case audacity
  /// Kaldi's integer vectors, one integer per frame; one archive, text or binary.
  case archive

  /// The number of states of equal duration that a phone is split into by default, or what the
  /// format has instead of phones.
  ///
  /// Phones are split into the three states of the usual hidden Markov model. Words and labels that
  /// are already given per frame are not split.
  package var usualStates: Int {
    switch self {
    case .ctm, .textgrid, .phn, .lab, .mlf, .audacity: 3
    case .wrd, .archive: 1
    }
  }
}
