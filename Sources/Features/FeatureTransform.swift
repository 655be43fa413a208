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

/// What is made of frames: normalised or not, with or without deltas.
package struct FeatureTransform: Sendable, Equatable, Codable, ListedOptions {
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
  /// - Parameters:
  ///   - decoder: the mapping.
  ///   - others: options of the mapping that are read elsewhere.
  /// - Throws: `OptionFault` for an unknown option or a value out of range, `DecodingError` for one
  ///   of another type.
  package init(from decoder: any Decoder, besides others: [String]) throws {
    let read = try OptionReader<CodingKeys>(decoder, besides: others)
    normalization = try read(.normalization, default: normalization)
    normalizeVariance = try read(.normalizeVariance, default: normalizeVariance)
    deltas = try read(.deltas, default: deltas)
    deltaWindow = try read(.deltaWindow, default: deltaWindow)
  }

  package init(from decoder: any Decoder) throws { try self.init(from: decoder, besides: []) }

  /// - Throws: `OptionFault` for the first option that is out of range, or that does not fit another.
  package func validate() throws(OptionFault) {
    try requireOption((0...2).contains(deltas), "deltas", expected: "0 to 2", found: deltas)
    try requireOption(
      (1...1000).contains(deltaWindow), "deltaWindow", expected: "1 to 1000 frames",
      found: deltaWindow)
    try requireOption(
      !normalizeVariance || normalization != .none, "normalizeVariance",
      expected: "false, or a normalization other than none", found: normalizeVariance)
  }

  /// Whether features are more than the frames.
  package var changesFrames: Bool { normalization != .none || deltas > 0 }
}
