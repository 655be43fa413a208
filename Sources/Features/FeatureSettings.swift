package import Storage

/// Log-mel options as a user gives them, where the sample rate may be left to the audio.
///
/// In a file, all options are keys of one mapping.
package struct FeatureSettings: Sendable, Equatable, Codable {
  /// The frames; their `sampleRate` counts only if `sampleRate` is set.
  package var logMel = LogMelOptions()
  /// The normalisation and the deltas.
  package var transform = FeatureTransform()
  /// The sample rate that the audio must have, in hertz; nil for the rate that it has.
  package var sampleRate: Int?

  /// The default options, at the rate of the audio.
  package init() {}

  /// Reads the options from a mapping; an absent option has its default.
  ///
  /// - Throws: `OptionFault` for an unknown option or a value out of range, `DecodingError` for a
  ///   value of another type.
  package init(from decoder: any Decoder) throws {
    let ofTransform = FeatureTransform.CodingKeys.allCases.map(\.stringValue)
    let read = try OptionReader<LogMelOptions.CodingKeys>(decoder, besides: ofTransform)
    logMel = try LogMelOptions(read)
    sampleRate = try read.optional(.sampleRate)
    transform = try FeatureTransform(
      from: decoder, besides: LogMelOptions.CodingKeys.allCases.map(\.stringValue))
    try validate()
  }

  /// Writes all options as keys of one mapping; `sampleRate` is null for the rate of the audio.
  package func encode(to encoder: any Encoder) throws {
    try logMel.encode(to: encoder)
    var container = encoder.container(keyedBy: LogMelOptions.CodingKeys.self)
    if let sampleRate {
      try container.encode(sampleRate, forKey: .sampleRate)
    } else {
      try container.encodeNil(forKey: .sampleRate)
    }
    try transform.encode(to: encoder)
  }

  /// Checks that all options are in range and fit each other, as far as that is known without the
  /// audio.
  ///
  /// - Throws: `OptionFault` for the first option that is out of range, or does not fit another.
  package func validate() throws(OptionFault) {
    if let sampleRate {
      _ = try options(at: sampleRate)
    } else {
      try logMel.validateRanges()
      try transform.validate()
    }
  }

  /// The options at a sample rate.
  ///
  /// - Parameter rate: in hertz.
  /// - Returns: options that are valid.
  /// - Throws: `OptionFault` for the first option that does not fit the rate or another option.
  package func options(at rate: Int) throws(OptionFault) -> FeatureOptions {
    let options = unchecked(at: rate)
    try options.validate()
    return options
  }

  /// The options in which features differ from these; their rate only if these have one.
  package func differences(from found: FeatureOptions) -> [String] {
    unchecked(at: sampleRate ?? found.grid.sampleRate).differences(from: found)
  }

  private func unchecked(at rate: Int) -> FeatureOptions {
    var frames = logMel
    frames.sampleRate = rate
    return FeatureOptions(frames: .logMel(frames), transform: transform)
  }
}
