/// The kinds of files that alignments come in; each has a reader that says how it is written.
package enum AlignmentFormat: String, Sendable, Codable, CaseIterable {
  /// NIST's CTM, one file.
  case ctm
  /// Praat's TextGrid, a folder of `.TextGrid` files.
  case textgrid
  /// TIMIT's phones, a folder of `.PHN` files.
  case phn
  /// TIMIT's words, a folder of `.WRD` files.
  case wrd
  /// HTK's labels, a folder of `.lab` (or `.rec`) files.
  case lab
  /// HTK's master label file, one file.
  case mlf
  /// Audacity's labels, a folder of `.txt` files.
  case audacity
  /// Kaldi's integer vectors, one integer a frame, one archive in text or binary.
  case archive

  /// Into how many states of equal time a label is split unless the options say so: phones into the three
  /// of the usual hidden Markov model, words and what already stands by the frame into none.
  package var usualStates: Int {
    switch self {
    case .ctm, .textgrid, .phn, .lab, .mlf, .audacity: 3
    case .wrd, .archive: 1
    }
  }
}
