/// Why a model cannot be read or used.
public enum ModelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file is missing, unreadable or not a model; the string says which.
  case unusable(String)
  /// The samples have a different rate from the model's, in hertz.
  case sampleRate(expected: Int, found: Int)
  /// The number of values is not a multiple of the model's features per frame.
  case columns(expected: Int, values: Int)
  /// A sample, feature or logit is infinite or not a number.
  case notFinite
  /// The model accepts only features: it was trained on features that another program computed.
  case needsFeatures
  /// The model's features are normalised by speaker or over a corpus.
  ///
  /// Normalise the features yourself and pass them to `Model.posteriors(ofFeatures:)`.
  case needsStatistics
  /// The model's features are normalised by utterance, so they cannot be streamed.
  ///
  /// Pass all samples of the utterance to `Model.posteriors(ofSamples:sampleRate:utterance:)`.
  case needsUtterance
  /// The model file has no class priors.
  case needsPriors

  /// The message, with what was expected and what was found.
  public var description: String {
    switch self {
    case .unusable(let words): words
    case .sampleRate(let expected, let found):
      "expected samples at \(expected) Hz, found \(found) Hz"
    case .columns(let expected, let values):
      "expected frames of \(expected) features, found \(values) values"
    case .notFinite: "expected finite numbers, found an infinity or NaN"
    case .needsFeatures:
      "expected features, found samples: the model was trained on another program's features"
    case .needsStatistics:
      "expected features, found samples: the model's features are normalised by speaker or corpus"
    case .needsUtterance:
      "expected a whole utterance, found a stream: the model's features are normalised by utterance"
    case .needsPriors: "expected a model with class priors, found one without"
    }
  }
}
