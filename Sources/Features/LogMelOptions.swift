package import Storage

/// The options of log-mel frames.
///
/// The defaults are Kaldi's, except for 40 bands instead of 23 and no dither.
package struct LogMelOptions: Sendable, Equatable, Codable, ListedOptions {
  /// Samples per second of the audio, in hertz.
  package var sampleRate = 16000
  /// The number of mel bands.
  package var melBins = 40
  /// The length of a frame, in milliseconds.
  package var frameLength = 25.0
  /// The distance between the starts of neighbouring frames, in milliseconds.
  package var frameShift = 10.0
  /// The window function applied to each frame.
  package var window = WindowShape.povey
  /// The coefficient of the Blackman window; no effect on other windows.
  package var blackmanCoefficient = 0.42
  /// The pre-emphasis coefficient: this share of the previous sample is subtracted, in [0, 1].
  package var preEmphasis = 0.97
  /// Whether the mean of each frame is subtracted first.
  package var removeDCOffset = true
  /// Whether only frames entirely inside the audio exist.
  ///
  /// Otherwise there is a frame for each shift, and the audio is mirrored at its edges.
  package var snipEdges = true
  /// Whether frames are padded with zeros to a power of two for the Fourier transform.
  ///
  /// Otherwise the transform is exactly as long as the frame.
  package var roundToPowerOfTwo = true
  /// The lower edge of the lowest band, in hertz.
  package var lowFrequency = 20.0
  /// The upper edge of the highest band, in hertz.
  ///
  /// Zero or less is an offset from half the sample rate.
  package var highFrequency = 0.0
  /// Whether the log energy of the frame is added as the first feature, before the bands.
  package var useEnergy = false
  /// Whether that energy is computed before pre-emphasis and window rather than after them.
  package var rawEnergy = true
  /// The floor of that energy, on the scale of squared 16-bit samples; 0 for none.
  ///
  /// It applies to the feature of `useEnergy`, not to the bands.
  package var energyFloor = 0.0
  /// Whether the energies of the bands are natural logarithms.
  package var useLog = true
  /// Whether the bands sum the power of the spectrum rather than its magnitude.
  package var usePower = true
  /// The standard deviation of Gaussian noise added to the samples, on the 16-bit scale; 0 for
  /// none.
  ///
  /// The noise depends only on the utterance id.
  package var dither = 0.0
  /// The precision of the Fourier transform.
  package var precision = TransformPrecision.single

  /// The default options.
  package init() {}

  /// The options' keys in a file.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case sampleRate, melBins, frameLength, frameShift, window, blackmanCoefficient, preEmphasis
    case removeDCOffset, snipEdges, roundToPowerOfTwo, lowFrequency, highFrequency
    case useEnergy, rawEnergy, energyFloor, useLog, usePower, dither, precision
  }

  /// Reads the options from a mapping; an absent option has its default.
  ///
  /// - Throws: `OptionFault` for an unknown option or a value out of range, `DecodingError` for a
  ///   value of another type.
  package init(from decoder: any Decoder) throws {
    try self.init(OptionReader<CodingKeys>(decoder))
    try validate()
  }

  init(_ read: OptionReader<CodingKeys>) throws {
    sampleRate = try read(.sampleRate, default: sampleRate)
    melBins = try read(.melBins, default: melBins)
    frameLength = try read(.frameLength, default: frameLength)
    frameShift = try read(.frameShift, default: frameShift)
    window = try read(.window, default: window)
    blackmanCoefficient = try read(.blackmanCoefficient, default: blackmanCoefficient)
    preEmphasis = try read(.preEmphasis, default: preEmphasis)
    removeDCOffset = try read(.removeDCOffset, default: removeDCOffset)
    snipEdges = try read(.snipEdges, default: snipEdges)
    roundToPowerOfTwo = try read(.roundToPowerOfTwo, default: roundToPowerOfTwo)
    lowFrequency = try read(.lowFrequency, default: lowFrequency)
    highFrequency = try read(.highFrequency, default: highFrequency)
    useEnergy = try read(.useEnergy, default: useEnergy)
    rawEnergy = try read(.rawEnergy, default: rawEnergy)
    energyFloor = try read(.energyFloor, default: energyFloor)
    useLog = try read(.useLog, default: useLog)
    usePower = try read(.usePower, default: usePower)
    dither = try read(.dither, default: dither)
    precision = try read(.precision, default: precision)
  }

  /// The upper edge of the highest band, in hertz.
  package var upperEdge: Double {
    highFrequency > 0 ? highFrequency : Double(sampleRate) / 2 + highFrequency
  }

  /// The position of the frames in time.
  package var grid: FrameGrid {
    FrameGrid(
      sampleRate: sampleRate, frameLength: frameLength, frameShift: frameShift,
      edges: snipEdges ? .snipped : .mirrored)
  }

  /// The size of the Fourier transform, in samples.
  package var transformSize: Int {
    guard roundToPowerOfTwo else { return grid.window }
    var size = 1
    while size < grid.window { size *= 2 }
    return size
  }

  /// The number of values in a frame: the bands, plus one for the energy if used.
  package var columns: Int { melBins + (useEnergy ? 1 : 0) }

  /// The columns of the bands, lowest frequency first.
  package var bandColumns: Range<Int> { columns - melBins..<columns }
}

extension LogMelOptions {
  /// Checks that all options are in range and fit each other.
  ///
  /// - Throws: `OptionFault` for the first option that is out of range, or does not fit another;
  ///   the fault then names both.
  package func validate() throws(OptionFault) {
    try validateRanges()
    try validateFrames()
    try validateBands()
  }

  /// Checks that each option by itself is in range.
  func validateRanges() throws(OptionFault) {
    try requireOption(
      (1...1_000_000).contains(sampleRate), "sampleRate", expected: "1 to 1,000,000 Hz",
      found: sampleRate)
    try requireOption(
      (3...10_000).contains(melBins), "melBins", expected: "3 to 10,000", found: melBins)
    try requireOption(
      (0...1).contains(preEmphasis), "preEmphasis", expected: "0 to 1", found: preEmphasis)
    try requireOption(
      (0...1).contains(blackmanCoefficient), "blackmanCoefficient", expected: "0 to 1",
      found: blackmanCoefficient)
    try requireOption(
      (0...1e30).contains(energyFloor), "energyFloor", expected: "0 to 1e30",
      found: energyFloor)
    try requireOption(
      (0...32768).contains(dither), "dither", expected: "0 to 32768", found: dither)
    try validateDurations()
  }

  private func validateDurations() throws(OptionFault) {
    try requireOption(
      (0...10_000).contains(frameLength), "frameLength", expected: "0 to 10,000 ms",
      found: frameLength)
    try requireOption(
      frameShift > 0 && frameShift <= 10_000, "frameShift", expected: "above 0, at most 10,000 ms",
      found: frameShift)
  }

  /// Checks the length, the shift and the transform of the frames, given the sample rate.
  func validateFrames() throws(OptionFault) {
    try validateDurations()
    try requireOption(
      FrameGrid.samples(in: frameLength, sampleRate: sampleRate) >= 2, "frameLength",
      expected: "at least two samples at sampleRate \(sampleRate)", found: "\(frameLength) ms")
    try requireOption(
      FrameGrid.samples(in: frameShift, sampleRate: sampleRate) >= 1, "frameShift",
      expected: "at least one sample at sampleRate \(sampleRate)", found: "\(frameShift) ms")
    try requireOption(
      transformSize % 2 == 0, "roundToPowerOfTwo",
      expected: "true, or a frameLength of an even number of samples",
      found: "false with a frameLength of \(grid.window) samples")
  }

  private func validateBands() throws(OptionFault) {
    let nyquist = Double(sampleRate) / 2
    try requireOption(
      upperEdge <= nyquist, "highFrequency",
      expected: "at most half of sampleRate, \(nyquist) Hz", found: highFrequency)
    try requireOption(
      upperEdge > 0, "highFrequency",
      expected: "above minus half of sampleRate, -\(nyquist) Hz", found: highFrequency)
    try requireOption(
      lowFrequency >= 0 && lowFrequency < upperEdge, "lowFrequency",
      expected: "from 0 to below the upper edge of highFrequency, \(upperEdge) Hz",
      found: lowFrequency)
    if let empty = MelFilterbank(options: self).firstEmptyBand {
      throw .outOfRange(
        key: "melBins",
        expected: """
          few enough bands for each to cover a frequency of the \(transformSize)-point transform \
          that frameLength \(frameLength) ms gives
          """,
        found: "\(melBins), where band \(empty) covers none")
    }
  }
}
