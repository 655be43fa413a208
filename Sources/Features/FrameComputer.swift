import Foundation
import LinearAlgebra

/// Computes one frame, from its samples to its row of features (Kaldi, `feat/feature-fbank.cc`).
struct FrameComputer: ~Copyable {
  private let options: LogMelOptions
  /// The window, times the scale of samples: a power of two, so that every bit is as if the samples
  /// had been scaled.
  private let window: [Float]
  private let filterbank: MelFilterbank
  private var transform: RealFFT

  /// - Parameter options: must be valid (`LogMelOptions.validate`).
  init(options: LogMelOptions) {
    self.options = options
    window = options.window.values(
      count: options.grid.window, blackmanCoefficient: options.blackmanCoefficient
    ).map { $0 * sampleScale }
    filterbank = MelFilterbank(options: options)
    transform = RealFFT(size: options.transformSize)
  }

  /// Writes the features of frames, one a row.
  ///
  /// - Parameters:
  ///   - samples: full scale [-1, 1).
  ///   - start: where the first frame starts.
  ///   - shift: how many samples later each next one starts.
  ///   - frames: a matrix of `options.columns` columns.
  ///   - rows: those to overwrite.
  mutating func compute(
    _ samples: Span<Float>, from start: Int, every shift: Int, into frames: inout Matrix,
    rows: Range<Int>
  ) {
    var frame = [Float](repeating: 0, count: window.count)
    // The spectrum has room for the filterbank to read beyond it.
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

  /// The logarithm of the energy of a frame, as it was or as it is after the window.
  private func logEnergy(of samples: Span<Float>, mean: Float, windowed: [Float]) -> Float {
    let energy =
      options.rawEnergy
      ? FrameKernels.squares(samples, mean: mean) * (sampleScale * sampleScale)
      : FrameKernels.squares(windowed.span, mean: 0)
    return log(max(energy, .ulpOfOne, Float(options.energyFloor)))
  }
}

/// Kaldi's features are of samples on the 16-bit integer scale.
private let sampleScale: Float = 32768
