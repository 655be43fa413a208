package import Storage

/// The frames over which the mean, and optionally the variance, of features are normalised.
package enum Normalization: String, Sendable, Codable, CaseIterable {
  /// No normalisation.
  case none
  /// The frames of each utterance.
  case utterance
  /// All frames of each speaker; `utt2spk` maps utterances to speakers.
  case speaker
  /// All frames of the data directory.
  case global
}

/// What is done to frames: optional normalisation, then optional deltas.
package struct FeatureTransform: Sendable, Equatable, Codable, ListedOptions {
  /// The frames over which features are normalised, before deltas are taken.
  package var normalization = Normalization.none
  /// Whether the variance is normalised too; requires a `normalization` other than none.
  package var normalizeVariance = false
  /// The highest order of deltas: 1 appends deltas, 2 deltas and delta-deltas.
  package var deltas = 0
  /// The number of frames on each side from which a delta is computed.
  package var deltaWindow = 2

  /// The defaults: no normalisation and no deltas.
  package init() {}

  /// The options' keys in a file.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case normalization, normalizeVariance, deltas, deltaWindow
  }

  /// Reads the options from a mapping; an absent option has its default.
  ///
  /// - Parameters:
  ///   - decoder: the mapping.
  ///   - others: keys of the mapping that are read elsewhere.
  /// - Throws: `OptionFault` for an unknown option or word, `DecodingError` for a value of another
  ///   type.
  package init(from decoder: any Decoder, besides others: [String]) throws {
    let read = try OptionReader<CodingKeys>(decoder, besides: others)
    normalization = try read(.normalization, default: normalization)
    normalizeVariance = try read(.normalizeVariance, default: normalizeVariance)
    deltas = try read(.deltas, default: deltas)
    deltaWindow = try read(.deltaWindow, default: deltaWindow)
  }

  package init(from decoder: any Decoder) throws { try self.init(from: decoder, besides: []) }

  /// Checks that all options are in range and fit each other.
  ///
  /// - Throws: `OptionFault` for the first option that is out of range, or does not fit another.
  package func validate() throws(OptionFault) {
    try requireOption((0...2).contains(deltas), "deltas", expected: "0 to 2", found: deltas)
    try requireOption(
      (1...1000).contains(deltaWindow), "deltaWindow", expected: "1 to 1000 frames",
      found: deltaWindow)
    try requireOption(
      !normalizeVariance || normalization != .none, "normalizeVariance",
      expected: "false, or a normalization other than none", found: normalizeVariance)
  }

  /// Whether features differ from the frames at all.
  package var changesFrames: Bool { normalization != .none || deltas > 0 }
}
