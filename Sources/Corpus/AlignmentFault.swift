package import Storage

/// Why an utterance's alignment cannot become frame targets; times are in seconds.
package enum AlignmentFault: Fault, Equatable {
  /// No alignment matches the utterance.
  case missing
  /// The alignment has no labels.
  case empty
  /// The alignment's file, or a line of it, is malformed or cannot be read.
  case file(FileFault)
  /// Several alignments match the utterance; these are their names.
  case ambiguous([String])
  /// The named alignment also matches the utterance `with`, which is of another recording.
  case shared(String, with: String)
  /// A label that neither the class inventory nor the symbol tables of the options have.
  case unknownSymbol(String)
  /// A label that contains white space, and so cannot name a class.
  case blankInLabel(String)
  /// A span starts before the start of the preceding one.
  case disorder(at: Double, after: Double)
  /// A span starts before the end of the preceding one.
  case overlap(at: Double, until: Double)
  /// No span covers this frame's centre.
  case gap(at: Double)
  /// A label, other than silence, that lasts longer than `limit`.
  case tooLong(label: String, at: Double, seconds: Double, limit: Double)
  /// The numbers of labels and of feature frames differ by more than the tolerance.
  case length(labels: Int, frames: Int, tolerance: Int)

  /// Always `data`.
  package var exitStatus: ExitStatus { .data }

  /// What is wrong, without the utterance's id.
  package var description: String {
    switch self {
    case .missing: "no alignment"
    case .empty: "an alignment without any label"
    case .file(let fault): fault.description
    case .ambiguous(let names): "expected one alignment, found \(names.joined(separator: ", "))"
    case .shared(let name, let other):
      "expected an alignment of its own, found \(name), which \(other) uses too"
    case .unknownSymbol(let symbol): "expected a symbol of the class inventory, found \(symbol)"
    case .blankInLabel(let label): "expected a label without blanks, found \"\(label)\""
    case .disorder(let at, let after):
      "expected labels in time order, found one at \(rounded(at)) s after one at "
        + "\(rounded(after)) s"
    case .overlap(let at, let until):
      "expected labels that do not overlap, found one at \(rounded(at)) s, before the previous "
        + "one ends at \(rounded(until)) s"
    case .gap(let at): "no label at \(rounded(at)) s"
    case .tooLong(let label, let at, let seconds, let limit):
      "expected labels of at most \(limit) s, found \(label) at \(rounded(at)) s, which lasts "
        + "\(rounded(seconds)) s"
    case .length(let labels, let frames, let tolerance):
      "\(labels) labels for \(frames) frames, a difference of more than \(tolerance)"
    }
  }
}

/// A time rounded to a tenth of a millisecond, the tolerance for times.
private func rounded(_ seconds: Double) -> Double { (seconds * 1e4).rounded() / 1e4 }
