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
  private var transform: PowerSpectrum

  /// - Parameter options: valid options (`LogMelOptions.validate`).
  init(options: LogMelOptions) {
    self.options = options
    window = options.windowValues.map { $0 * LogMelOptions.sampleScale }
    filterbank = MelFilterbank(options: options)
    transform = PowerSpectrum(size: options.transformSize, precision: options.precision)
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
    var spectra = Matrix(
      rows: min(framesAtOnce, rows.count), columns: filterbank.spectrumCount)
    let window = window
    var energies: [Float] = []
    for offset in stride(from: 0, to: rows.count, by: framesAtOnce) {
      let count = min(framesAtOnce, rows.count - offset)
      spectra.withRows(0..<count) { index, power in
        let first = start + (offset + index) * shift
        let own = samples.extracting(first..<first + window.count)
        let mean = options.removeDCOffset ? FrameKernels.sum(own) / Float(own.count) : 0
        emphasise(own, mean: mean, window: window.span)
        transform.compute(into: &power)
        if !options.usePower {
          for index in power.indices { power[index] = power[index].squareRoot() }
        }
        if options.useEnergy { energies.append(logEnergy(of: own, mean: mean)) }
      }
      let first = rows.lowerBound + offset
      filterbank.apply(to: spectra, into: &frames, rows: first..<first + count)
    }
    if options.useLog { frames.withValues(ofRows: rows) { FrameKernels.logarithms(&$0) } }
    guard options.useEnergy else { return }
    frames.withRows(rows) { index, row in row[0] = energies[index] }
  }

  private mutating func emphasise(_ samples: Span<Float>, mean: Float, window: Span<Float>) {
    let share = Float(options.preEmphasis)
    transform.withFrame { frame in
      FrameKernels.emphasise(samples, mean: mean, share: share, window: window, into: &frame)
    }
  }

  /// The log energy of a frame, before or after pre-emphasis and window.
  private mutating func logEnergy(of samples: Span<Float>, mean: Float) -> Float {
    var energy: Float = 0
    if options.rawEnergy {
      energy =
        FrameKernels.squares(samples, mean: mean)
        * (LogMelOptions.sampleScale * LogMelOptions.sampleScale)
    } else {
      let count = samples.count
      transform.withFrame { energy = FrameKernels.squares($0.span.extracting(0..<count), mean: 0) }
    }
    return log(max(energy, .ulpOfOne, Float(options.energyFloor)))
  }
}

/// How many spectra are computed before the filterbank is applied to all of them; they stay in the
/// processor's first cache.
private let framesAtOnce = 16
