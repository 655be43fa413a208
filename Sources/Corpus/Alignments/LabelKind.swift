import Classes

/// What the labels of an alignment with times are: phones, which have states, or words.
enum LabelKind: Sendable, Equatable {
  case phones
  /// `example` is a label that is too long for a phone.
  case words(example: String)

  /// The kind of some labels, as the alignment has them.
  ///
  /// They are words if one of them, other than silence, has more than four characters without the
  /// stress and the position in the word that Kaldi's lexica append (`AH0_B`). No phone of ARPAbet,
  /// TIMIT, SAMPA or the IPA is longer.
  init(of labels: some Sequence<String>) {
    let longest = labels.filter { !Silence.contains($0) && !LabelKind.isMark($0) }
      .map { (label: $0, length: LabelKind.bare($0).count) }
      .max { ($0.length, $1.label) < ($1.length, $0.label) }
    self = longest.map { $0.length > 4 ? .words(example: $0.label) : .phones } ?? .phones
  }

  /// Whether a label marks a noise or an unknown word, as in `[noise]` and `<unk>`.
  private static func isMark(_ label: String) -> Bool {
    label.first.map("[<{(+*".contains) ?? false
  }

  private static func bare(_ label: String) -> Substring {
    var bare = label[...]
    for position in ["_B", "_I", "_E", "_S"] where bare.hasSuffix(position) {
      bare = bare.dropLast(2)
      break
    }
    if let stress = bare.last, bare.count > 1, "012".contains(stress) { bare = bare.dropLast() }
    return bare
  }
}
