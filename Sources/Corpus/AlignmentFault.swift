package import Storage

/// Why an utterance's alignment cannot become frame targets; times in seconds.
package enum AlignmentFault: Fault, Equatable {
  case missing
  /// It has no label.
  case empty
  /// The alignment's file or its line is bad.
  case file(FileFault)
  /// Several alignments have the utterance's name.
  case ambiguous([String])
  /// The alignment is that of another utterance's recording, too.
  case shared(String, with: String)
  case unknownSymbol(String)
  case blankInLabel(String)
  /// A span starts before the one before it does.
  case disorder(at: Double, after: Double)
  /// A span starts before the one before it ends.
  case overlap(at: Double, until: Double)
  /// No span covers the time.
  case gap(at: Double)
  case tooLong(label: String, at: Double, seconds: Double, limit: Double)
  /// Some labels that are not `frames`.
  case length(labels: Int, frames: Int, tolerance: Int)

  package var exitStatus: ExitStatus { .data }

  package var description: String {
    switch self {
    case .missing: "no alignment"
    case .empty: "an alignment without any label"
    case .file(let fault): fault.description
    case .ambiguous(let names): "expected one alignment, found \(names.joined(separator: ", "))"
    case .shared(let name, let other):
      "expected an alignment of its own, found \(name), which is that of \(other), too"
    case .unknownSymbol(let symbol): "expected a symbol of the class inventory, found \(symbol)"
    case .blankInLabel(let label): "expected a label without blanks, found \"\(label)\""
    case .disorder(let at, let after):
      "expected labels in the order of time, found one at \(rounded(at)) s after one at "
        + "\(rounded(after)) s"
    case .overlap(let at, let until):
      "expected labels that do not overlap, found one at \(rounded(at)) s before the last one ends, "
        + "\(rounded(until)) s"
    case .gap(let at): "no label at \(rounded(at)) s"
    case .tooLong(let label, let at, let seconds, let limit):
      "expected phones of at most \(limit) s, found \(label) at \(rounded(at)) s, which lasts "
        + "\(rounded(seconds)) s"
    case .length(let labels, let frames, let tolerance):
      "\(labels) labels for \(frames) frames, a difference of more than \(tolerance)"
    }
  }
}

/// A time to a tenth of a millisecond, which is what counts.
private func rounded(_ seconds: Double) -> Double { (seconds * 1e4).rounded() / 1e4 }
