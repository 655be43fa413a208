/// Why a model cannot be read or used.
public enum ModelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file is missing, unreadable or no model; in words.
  case unusable(String)
  /// Samples of another rate than the model's, in hertz.
  case sampleRate(expected: Int, found: Int)
  /// Values that are not frames of so many features.
  case columns(expected: Int, values: Int)
  /// Samples, features or logits that are not all finite.
  case notFinite
  /// The model was trained on features of another program, and takes features alone.
  case needsFeatures
  /// The model's features are normalised by speaker or corpus; normalise and pass the features.
  case needsStatistics
  /// The model's features are normalised by utterance; pass all samples of the utterance.
  case needsUtterance
  /// The model's file has no class priors.
  case needsPriors

  /// What was expected and what was found.
  public var description: String {
    switch self {
    case .unusable(let words): words
    case .sampleRate(let expected, let found):
      "expected samples at \(expected) Hz, found \(found) Hz"
    case .columns(let expected, let values):
      "expected frames of \(expected) features, found \(values) values"
    case .notFinite: "expected finite numbers, found others"
    case .needsFeatures:
      "expected features, found samples: the model was trained on features of another program"
    case .needsStatistics:
      "expected features, found samples: the model's features are normalised by speaker"
    case .needsUtterance:
      "expected a whole utterance, found a stream: the model's features are normalised by utterance"
    case .needsPriors: "expected a model with class priors, found one without"
    }
  }
}
