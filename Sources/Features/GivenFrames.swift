import Storage

/// The position in time of frames that another program computed.
///
/// It is needed to align them with targets given in seconds.
package struct GivenGrid: Sendable, Equatable, Codable, ListedOptions {
  /// Samples per second of the audio, in hertz.
  package var sampleRate = 16000
  /// The length of a frame, in milliseconds.
  package var frameLength = 25.0
  /// The distance between the starts of neighbouring frames, in milliseconds.
  package var frameShift = 10.0
  /// Whether only frames entirely inside the audio exist; see `LogMelOptions`.
  package var snipEdges = true

  /// Kaldi's defaults: 25 ms every 10 ms at 16 kHz, with snipped edges.
  package init() {}

  /// The options' keys in a file.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case sampleRate, frameLength, frameShift, snipEdges
  }

  /// Reads the options from a mapping; an absent option has its default, which is Kaldi's.
  ///
  /// - Parameters:
  ///   - decoder: the mapping.
  ///   - others: keys of the mapping that are read elsewhere.
  /// - Throws: `OptionFault` for an unknown option or a value out of range, `DecodingError` for a
  ///   value of another type.
  package init(from decoder: any Decoder, besides others: [String]) throws {
    let read = try OptionReader<CodingKeys>(decoder, besides: others)
    sampleRate = try read(.sampleRate, default: sampleRate)
    frameLength = try read(.frameLength, default: frameLength)
    frameShift = try read(.frameShift, default: frameShift)
    snipEdges = try read(.snipEdges, default: snipEdges)
    var same = LogMelOptions()
    (same.sampleRate, same.frameLength) = (sampleRate, frameLength)
    (same.frameShift, same.snipEdges) = (frameShift, snipEdges)
    try same.validateFrames()
  }

  package init(from decoder: any Decoder) throws { try self.init(from: decoder, besides: []) }

  /// The same as a grid in samples.
  package var grid: FrameGrid {
    FrameGrid(
      sampleRate: sampleRate, frameLength: frameLength, frameShift: frameShift,
      edges: snipEdges ? .snipped : .mirrored)
  }
}

/// Frames that another program computed, whose options and version are unknown.
package struct GivenFrames: Sendable, Equatable, Codable {
  /// The position of the frames in time.
  package var grid: GivenGrid
  /// The number of values in a frame.
  package let columns: Int

  /// - Parameters:
  ///   - columns: the number of values in a frame, at least one.
  ///   - grid: the position of the frames in time.
  package init(columns: Int, grid: GivenGrid = GivenGrid()) {
    (self.columns, self.grid) = (columns, grid)
  }

  /// How a file describes them, in addition to the grid.
  ///
  /// For example, `given: {columns: 43, options: unknown, version: unknown}`.
  private struct Known: Codable {
    let columns: Int
    let options: String
    let version: String
  }

  enum CodingKeys: String, CodingKey, CaseIterable { case given }

  /// Reads what `encode` wrote; `others` are keys that are read elsewhere.
  init(from decoder: any Decoder, besides others: [String]) throws {
    let own = CodingKeys.allCases.map(\.stringValue)
    let read = try OptionReader<CodingKeys>(
      decoder, besides: GivenGrid.CodingKeys.allCases.map(\.stringValue) + others)
    let known: Known = try read(.given)
    columns = known.columns
    grid = try GivenGrid(from: decoder, besides: own + others)
    try requireOption(
      (1...mostColumns).contains(columns), "given.columns", expected: "1 to \(mostColumns)",
      found: columns)
  }

  package init(from decoder: any Decoder) throws { try self.init(from: decoder, besides: []) }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(
      Known(columns: columns, options: "unknown", version: "unknown"), forKey: .given)
    try grid.encode(to: encoder)
  }
}

/// The maximum number of values in a frame.
///
/// With it, the inputs of a network with deltas and the widest context can be counted in 32 bits.
private let mostColumns = 1 << 16
