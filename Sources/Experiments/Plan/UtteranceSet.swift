import Corpus

/// Utterances with features of their own: a part of the corpus, or a perturbed copy of the training
/// part.
enum UtteranceSet: Hashable, Sendable {
  case part(CorpusPart)
  /// A copy of the training part, by its number from 1.
  case copy(Int)

  static let train = UtteranceSet.part(.train)
  static let development = UtteranceSet.part(.development)
  static let test = UtteranceSet.part(.test)

  /// The name of its folder, and of its part in the ledger.
  var name: String {
    switch self {
    case .part(let part): part.rawValue
    case .copy(let number): UtteranceSet.copyPrefix + "\(number)"
    }
  }

  /// The part of the corpus that its utterances come from.
  var part: CorpusPart {
    switch self {
    case .part(let part): part
    case .copy: .train
    }
  }

  /// Whether a part's name in the ledger is that of a copy.
  static func isCopy(_ name: String) -> Bool { name.hasPrefix(copyPrefix) }

  private static let copyPrefix = "train-copy-"
}

extension Recipe {
  /// The perturbed copies of the training part.
  var copies: [UtteranceSet] {
    (0..<(augmentation?.perturbation.copies ?? 0)).map { .copy($0 + 1) }
  }

  /// The copies that some networks are trained on, besides the training part itself.
  func copies(for learners: CopyOptions.Learners) -> [UtteranceSet] {
    augmentation?.learners.contains(learners) == true ? copies : []
  }

  /// How the utterances of a copy are perturbed; nil for a part of the corpus.
  func augmentedCopy(_ set: UtteranceSet) -> AugmentedCopy? {
    guard case .copy(let number) = set else { return nil }
    return augmentation.map { AugmentedCopy(options: $0.perturbation, number: number) }
  }
}
