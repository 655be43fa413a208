package import Audio
package import Storage

/// The window that a frame is multiplied by, of length N, n from 0 to N−1 (Kaldi,
/// `feat/feature-window.cc`).
package enum WindowShape: String, Sendable, Codable, CaseIterable {
  /// A Hann window raised to the power 0.85.
  case povey
  /// 0.5 − 0.5 cos(2πn / (N−1)).
  case hann
  /// 0.54 − 0.46 cos(2πn / (N−1)).
  case hamming
  /// All ones.
  case rectangular
}

/// What log-mel frames are made of, with Kaldi's defaults other than 40 bands for 23 and no dither.
package struct LogMelOptions: Sendable, Equatable, Codable {
  /// Samples per second of the audio, in hertz.
  package var sampleRate = 16000
  /// The number of mel bands.
  package var melBins = 40
  /// The length of a frame, in milliseconds.
  package var frameLength = 25.0
  /// The distance between the starts of neighbouring frames, in milliseconds.
  package var frameShift = 10.0
  package var window = WindowShape.povey
  /// The share of the previous sample that is subtracted from each, in [0, 1].
  package var preEmphasis = 0.97
  /// Whether the mean of each frame is subtracted from it first.
  package var removeDCOffset = true
  /// The lower edge of the lowest band, in hertz.
  package var lowFrequency = 20.0
  /// The upper edge of the highest band, in hertz; zero or less is an offset from half the sample
  /// rate.
  package var highFrequency = 0.0
  /// The standard deviation of Gaussian noise added to the samples, on the scale of 16-bit samples;
  /// 0 for none.
  ///
  /// The noise depends on the utterance's id alone.
  package var dither = 0.0

  package init() {}

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case sampleRate, melBins, frameLength, frameShift, window, preEmphasis, removeDCOffset
    case lowFrequency, highFrequency, dither
  }

  /// Reads the options from a mapping; an absent one has its default.
  ///
  /// - Throws: `OptionFault` for an unknown option or a value out of range, `DecodingError` for one
  ///   of another type.
  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    sampleRate = try read(.sampleRate, default: sampleRate)
    melBins = try read(.melBins, default: melBins)
    frameLength = try read(.frameLength, default: frameLength)
    frameShift = try read(.frameShift, default: frameShift)
    window = try read(.window, default: window)
    preEmphasis = try read(.preEmphasis, default: preEmphasis)
    removeDCOffset = try read(.removeDCOffset, default: removeDCOffset)
    lowFrequency = try read(.lowFrequency, default: lowFrequency)
    highFrequency = try read(.highFrequency, default: highFrequency)
    dither = try read(.dither, default: dither)
    try validate()
  }

  /// - Throws: `OptionFault` for the first option that is out of range or does not fit another.
  package func validate() throws(OptionFault) {
    try requireOption(
      (1...1_000_000).contains(sampleRate), "sampleRate", expected: "1 to 1,000,000 Hz",
      found: sampleRate)
    try requireOption(
      (3...10_000).contains(melBins), "melBins", expected: "3 to 10,000", found: melBins)
    try requireOption(
      (0...10_000).contains(frameLength), "frameLength", expected: "at most 10,000 ms",
      found: frameLength)
    try requireOption(
      frameShift > 0 && frameShift <= 10_000, "frameShift", expected: "above 0, at most 10,000 ms",
      found: frameShift)
    try requireOption(
      FrameGrid.samples(in: frameLength, sampleRate: sampleRate) >= 2, "frameLength",
      expected: "at least two samples at sampleRate \(sampleRate)", found: "\(frameLength) ms")
    try requireOption(
      FrameGrid.samples(in: frameShift, sampleRate: sampleRate) >= 1, "frameShift",
      expected: "at least one sample at sampleRate \(sampleRate)", found: "\(frameShift) ms")
    try requireOption(
      (0...1).contains(preEmphasis), "preEmphasis", expected: "0 to 1", found: preEmphasis)
    try requireOption(
      dither >= 0 && dither.isFinite, "dither", expected: "0 or more", found: dither)
    let nyquist = Double(sampleRate) / 2
    try requireOption(
      lowFrequency >= 0 && lowFrequency < upperEdge, "lowFrequency",
      expected: "from 0 to below the upper edge, \(upperEdge) Hz", found: lowFrequency)
    try requireOption(
      upperEdge <= nyquist, "highFrequency",
      expected: "at most half of sampleRate, \(nyquist) Hz", found: highFrequency)
    if let empty = MelFilterbank(options: self).firstEmptyBand {
      throw .outOfRange(
        key: "melBins",
        expected: "so few bands that each covers a frequency of the transform",
        found: "\(melBins), where band \(empty) covers none")
    }
  }

  /// The upper edge of the highest band, in hertz.
  package var upperEdge: Double {
    highFrequency > 0 ? highFrequency : Double(sampleRate) / 2 + highFrequency
  }

  /// Where the frames lie.
  package var grid: FrameGrid {
    FrameGrid(sampleRate: sampleRate, frameLength: frameLength, frameShift: frameShift)
  }

  /// The size of the Fourier transform: the frame's length rounded up to a power of two.
  package var transformSize: Int {
    var size = 1
    while size < grid.window { size *= 2 }
    return size
  }

  /// The options in which two values differ, as `melBins 40, not 23`; empty when they are equal.
  package func differences(from other: LogMelOptions) -> [String] {
    zip(listed, other.listed).filter { $0.value != $1.value }
      .map { "\($0.name) \($0.value), not \($1.value)" }
  }

  private var listed: [(name: String, value: String)] {
    Mirror(reflecting: self).children.map { ($0.label ?? "", "\($0.value)") }
  }
}
