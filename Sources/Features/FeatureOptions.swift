package import Storage

/// What features are made of: frames, and what is made of those.
///
/// In a file all options stand side by side.
package struct FeatureOptions: Sendable, Equatable, Codable {
  /// The frames before they are normalised and get deltas.
  package enum Frames: Sendable, Equatable {
    case logMel(LogMelOptions)
    case given(GivenFrames)
  }

  package var frames: Frames
  package var transform: FeatureTransform

  package init(
    frames: Frames = .logMel(LogMelOptions()), transform: FeatureTransform = FeatureTransform()
  ) {
    (self.frames, self.transform) = (frames, transform)
  }

  /// Reads the options from a mapping; an absent one has its default.
  ///
  /// - Throws: `OptionFault` for an unknown option or a value out of range, `DecodingError` for one
  ///   of another type.
  package init(from decoder: any Decoder) throws {
    let others = FeatureTransform.CodingKeys.allCases.map(\.stringValue)
    let keys: [String]
    if try decoder.container(keyedBy: GivenFrames.CodingKeys.self).contains(.given) {
      frames = .given(try GivenFrames(from: decoder, besides: others))
      keys =
        GivenFrames.CodingKeys.allCases.map(\.stringValue)
        + GivenGrid.CodingKeys.allCases.map(\.stringValue)
    } else {
      frames = .logMel(try LogMelOptions(OptionReader(decoder, besides: others)))
      keys = LogMelOptions.CodingKeys.allCases.map(\.stringValue)
    }
    transform = try FeatureTransform(from: decoder, besides: keys)
    try validate()
  }

  /// Writes all options side by side.
  package func encode(to encoder: any Encoder) throws {
    switch frames {
    case .logMel(let options): try options.encode(to: encoder)
    case .given(let given): try given.encode(to: encoder)
    }
    try transform.encode(to: encoder)
  }

  /// - Throws: `OptionFault` for the first option that is out of range, or that does not fit another.
  package func validate() throws(OptionFault) {
    try logMel?.validate()
    try transform.validate()
  }

  /// How log-mel frames are made, nil of frames that are given; setting it makes them such.
  package var logMel: LogMelOptions? {
    get { if case .logMel(let options) = frames { options } else { nil } }
    set { if let newValue { frames = .logMel(newValue) } }
  }

  /// The number of values in a frame.
  package var frameColumns: Int {
    switch frames {
    case .logMel(let options): options.columns
    case .given(let given): given.columns
    }
  }

  /// The number of features of a frame.
  package var columns: Int { frameColumns * (1 + transform.deltas) }

  /// Where the frames lie.
  package var grid: FrameGrid {
    switch frames {
    case .logMel(let options): options.grid
    case .given(let given): given.grid.grid
    }
  }

  /// The columns that are shown as a spectrum, the lowest first: the bands, or all of a given frame.
  package var shownColumns: Range<Int> { logMel?.bandColumns ?? 0..<frameColumns }

  /// The options with their values, for people.
  package var listed: [(name: String, value: String)] {
    switch frames {
    case .logMel(let options): options.listed + transform.listed
    case .given(let given):
      [("given", "by another program, options unknown"), ("columns", "\(given.columns)")]
        + given.grid.listed + transform.listed
    }
  }

  /// The options in which features differ from those that a model was trained on, in words.
  ///
  /// Where either's frames are given, no more than the number of features is known to differ.
  package func differences(from other: FeatureOptions) -> [String] {
    if let logMel, let others = other.logMel {
      return logMel.differences(from: others) + transform.differences(from: other.transform)
    }
    return columns == other.columns ? [] : ["\(columns) columns, not \(other.columns)"]
  }
}
