package import Audio
package import Storage

/// What the features of a data directory are made of: frames, and what is made of those.
///
/// In a file all options stand side by side.
package struct FeatureOptions: Sendable, Equatable, Codable, ListedOptions {
  package var logMel = LogMelOptions()
  package var transform = FeatureTransform()

  package init() {}

  /// Reads the options from a mapping; an absent one has its default.
  ///
  /// - Throws: `OptionFault` for an unknown option or a value out of range, `DecodingError` for one
  ///   of another type.
  package init(from decoder: any Decoder) throws {
    logMel = try LogMelOptions(
      OptionReader(decoder, besides: FeatureTransform.CodingKeys.allCases.map(\.stringValue)))
    transform = try FeatureTransform(
      from: decoder, besides: LogMelOptions.CodingKeys.allCases.map(\.stringValue))
    try validate()
  }

  /// Writes all options side by side.
  package func encode(to encoder: any Encoder) throws {
    try logMel.encode(to: encoder)
    try transform.encode(to: encoder)
  }

  /// - Throws: `OptionFault` for the first option that is out of range, or that does not fit another.
  package func validate() throws(OptionFault) {
    try logMel.validate()
    try transform.validate()
  }

  /// The number of features in a frame.
  package var columns: Int { logMel.columns * (1 + transform.deltas) }

  /// Where the frames lie.
  package var grid: FrameGrid { logMel.grid }

  package var listed: [(name: String, value: String)] {
    Mirror(reflecting: logMel).children.map { ($0.label ?? "", "\($0.value)") } + transform.listed
  }
}
