import Foundation
import LinearAlgebra

/// Computes the log-mel features of frames from their samples (Kaldi, `feat/feature-fbank.cc`).
struct FrameComputer: ~Copyable {
  private let options: LogMelOptions
  /// The window times the scale of samples.
  ///
  /// The scale is a power of two, so the result has the same bits as if the samples were scaled.
  private let window: [Float]
  private let filterbank: MelFilterbank
  private var transform: RealFFT

  /// - Parameter options: valid options (`LogMelOptions.validate`).
  init(options: LogMelOptions) {
    self.options = options
    window = options.windowValues.map { $0 * LogMelOptions.sampleScale }
    filterbank = MelFilterbank(options: options)
    transform = RealFFT(size: options.transformSize)
  }

  /// Writes the features of frames, one frame per row.
  ///
  /// - Parameters:
  ///   - samples: full scale is [-1, 1).
  ///   - start: the index of the first frame's first sample.
  ///   - shift: the number of samples from the start of one frame to the start of the next.
  ///   - frames: a matrix of `options.columns` columns.
  ///   - rows: the rows to overwrite.
  mutating func compute(
    _ samples: Span<Float>, from start: Int, every shift: Int, into frames: inout Matrix,
    rows: Range<Int>
  ) {
    var frame = [Float](repeating: 0, count: window.count)
    // The filterbank may read beyond the end of the spectrum.
    var spectrum = [Float](repeating: 0, count: filterbank.spectrumCount)
    frames.withRows(rows) { index, row in
      let first = start + index * shift
      let own = samples.extracting(first..<first + window.count)
      let mean = options.removeDCOffset ? FrameKernels.sum(own) / Float(own.count) : 0
      emphasise(own, mean: mean, into: &frame)
      transform(frame, into: &spectrum)
      filterbank.apply(to: spectrum.span, into: &row)
      if options.useLog { FrameKernels.logarithms(&row) }
      if options.useEnergy { row[0] = logEnergy(of: own, mean: mean, windowed: frame) }
    }
  }

  private func emphasise(_ samples: Span<Float>, mean: Float, into frame: inout [Float]) {
    var frame = frame.mutableSpan
    FrameKernels.emphasise(
      samples, mean: mean, share: Float(options.preEmphasis), window: window.span, into: &frame)
  }

  private mutating func transform(_ frame: [Float], into spectrum: inout [Float]) {
    var spectrum = spectrum.mutableSpan
    transform.powerSpectrum(of: frame.span, into: &spectrum)
    guard !options.usePower else { return }
    for index in spectrum.indices { spectrum[index] = spectrum[index].squareRoot() }
  }

  /// The log energy of a frame, before or after pre-emphasis and window.
  private func logEnergy(of samples: Span<Float>, mean: Float, windowed: [Float]) -> Float {
    let energy =
      options.rawEnergy
      ? FrameKernels.squares(samples, mean: mean)
        * (LogMelOptions.sampleScale * LogMelOptions.sampleScale)
      : FrameKernels.squares(windowed.span, mean: 0)
    return log(max(energy, .ulpOfOne, Float(options.energyFloor)))
  }
}
