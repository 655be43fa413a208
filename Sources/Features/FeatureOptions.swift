package import Storage

/// How features are made: the frames, and the transform applied to them.
///
/// In a file, the options of both are keys of the same mapping.
package struct FeatureOptions: Sendable, Equatable, Codable {
  /// The frames, before normalisation and deltas.
  package enum Frames: Sendable, Equatable {
    /// Log-mel filterbank energies that limbeck computes.
    case logMel(LogMelOptions)
    /// Frames that another program computed.
    case given(GivenFrames)
  }

  /// The frames, before normalisation and deltas.
  package var frames: Frames
  /// The normalisation and the deltas.
  package var transform: FeatureTransform

  /// Options as given; `validate()` checks them.
  package init(
    frames: Frames = .logMel(LogMelOptions()), transform: FeatureTransform = FeatureTransform()
  ) {
    (self.frames, self.transform) = (frames, transform)
  }

  /// Reads the options from a mapping; an absent option has its default.
  ///
  /// - Throws: `OptionFault` for an unknown option or a value out of range, `DecodingError` for a
  ///   value of another type.
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

  /// Writes all options as keys of one mapping.
  package func encode(to encoder: any Encoder) throws {
    switch frames {
    case .logMel(let options): try options.encode(to: encoder)
    case .given(let given): try given.encode(to: encoder)
    }
    try transform.encode(to: encoder)
  }

  /// Checks that all options are in range and fit each other.
  ///
  /// - Throws: `OptionFault` for the first option that is out of range, or does not fit another.
  package func validate() throws(OptionFault) {
    try logMel?.validate()
    try transform.validate()
  }

  /// The options of log-mel frames; nil for frames that another program computed.
  ///
  /// Setting options makes the frames log-mel; setting nil has no effect.
  package var logMel: LogMelOptions? {
    get { if case .logMel(let options) = frames { options } else { nil } }
    set { if let newValue { frames = .logMel(newValue) } }
  }

  /// The number of values in a frame, before deltas.
  package var frameColumns: Int {
    switch frames {
    case .logMel(let options): options.columns
    case .given(let given): given.columns
    }
  }

  /// The number of features per frame, deltas included.
  package var columns: Int { frameColumns * (1 + transform.deltas) }

  /// The position of the frames in time.
  package var grid: FrameGrid {
    switch frames {
    case .logMel(let options): options.grid
    case .given(let given): given.grid.grid
    }
  }

  /// The columns that plots show as a spectrum, lowest frequency first.
  ///
  /// These are the mel bands, or all columns of frames that another program computed.
  package var shownColumns: Range<Int> { logMel?.bandColumns ?? 0..<frameColumns }

  /// The options and their values, for display.
  package var listed: [(name: String, value: String)] {
    switch frames {
    case .logMel(let options): options.listed + transform.listed
    case .given(let given):
      [("given", "by another program, options unknown"), ("columns", "\(given.columns)")]
        + given.grid.listed + transform.listed
    }
  }

  /// The differences from the options that a model was trained on, one string each.
  ///
  /// When another program computed the frames of either, only the number of columns is compared.
  package func differences(from other: FeatureOptions) -> [String] {
    if let logMel, let others = other.logMel {
      return logMel.differences(from: others) + transform.differences(from: other.transform)
    }
    return columns == other.columns ? [] : ["\(columns) columns, not \(other.columns)"]
  }
}
