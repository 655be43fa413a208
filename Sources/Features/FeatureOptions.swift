package import Storage

/// Over what the mean, and if wanted the variance, of features are made the same.
package enum Normalization: String, Sendable, Codable, CaseIterable {
  /// Features stay as they are.
  case none
  /// Each utterance by itself.
  case utterance
  /// The utterances of a speaker together, as `utt2spk` has them.
  case speaker
  /// All utterances of the data directory together.
  case global
}

/// What the features of a data directory are made of: log-mel frames, normalised or not, with or
/// without deltas.
///
/// In a file all options stand side by side.
package struct FeatureOptions: Sendable, Equatable, Codable, ListedOptions {
  package var logMel = LogMelOptions()
  /// Over what features are normalised, before deltas are taken.
  package var normalization = Normalization.none
  /// Whether the variance is normalised too; for `normalization` other than none.
  package var normalizeVariance = false
  /// How many times deltas are taken: 1 appends deltas, 2 deltas and delta-deltas.
  package var deltas = 0
  /// Frames to each side that a delta is computed from.
  package var deltaWindow = 2

  package init() {}

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case normalization, normalizeVariance, deltas, deltaWindow
  }

  /// Reads the options from a mapping; an absent one has its default.
  ///
  /// - Throws: `OptionFault` for an unknown option or a value out of range, `DecodingError` for one
  ///   of another type.
  package init(from decoder: any Decoder) throws {
    logMel = try LogMelOptions(
      OptionReader(decoder, besides: CodingKeys.allCases.map(\.stringValue)))
    let read = try OptionReader<CodingKeys>(
      decoder, besides: LogMelOptions.CodingKeys.allCases.map(\.stringValue))
    normalization = try read(.normalization, default: normalization)
    normalizeVariance = try read(.normalizeVariance, default: normalizeVariance)
    deltas = try read(.deltas, default: deltas)
    deltaWindow = try read(.deltaWindow, default: deltaWindow)
    try validate()
  }

  /// Writes all options side by side.
  package func encode(to encoder: any Encoder) throws {
    try logMel.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(normalization, forKey: .normalization)
    try container.encode(normalizeVariance, forKey: .normalizeVariance)
    try container.encode(deltas, forKey: .deltas)
    try container.encode(deltaWindow, forKey: .deltaWindow)
  }

  /// - Throws: `OptionFault` for the first option that is out of range, or that does not fit another.
  package func validate() throws(OptionFault) {
    try logMel.validate()
    try requireOption((0...2).contains(deltas), "deltas", expected: "0 to 2", found: deltas)
    try requireOption(
      (1...1000).contains(deltaWindow), "deltaWindow", expected: "1 to 1000 frames",
      found: deltaWindow)
    try requireOption(
      !normalizeVariance || normalization != .none, "normalizeVariance",
      expected: "false, or a normalization other than none", found: normalizeVariance)
  }

  /// The number of features in a frame.
  package var columns: Int { logMel.columns * (1 + deltas) }

  /// Whether features are more than log-mel frames.
  package var transformsFrames: Bool { normalization != .none || deltas > 0 }

  package var listed: [(name: String, value: String)] {
    let own = Mirror(reflecting: self).children.filter { $0.label != "logMel" }
    return (Array(Mirror(reflecting: logMel).children) + own)
      .map { ($0.label ?? "", "\($0.value)") }
  }
}
