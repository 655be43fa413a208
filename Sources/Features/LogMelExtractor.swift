import Audio
import Foundation
package import LinearAlgebra

/// Turns samples into log-mel frames as Kaldi's `compute-fbank-feats` does.
///
/// Owns its Fourier plan, so a worker makes its own and never shares it.
package struct LogMelExtractor: ~Copyable {
  /// The options it was made with.
  package let options: LogMelOptions

  private let grid: FrameGrid
  private let window: [Float]
  private let filterbank: MelFilterbank
  private var transform: RealFFT

  /// - Parameter options: must be valid (`LogMelOptions.validate`).
  package init(options: LogMelOptions) {
    self.options = options
    grid = options.grid
    window = options.window.values(count: options.grid.window)
    filterbank = MelFilterbank(options: options)
    transform = RealFFT(size: options.transformSize)
  }

  /// The log-mel frames of one utterance: natural logarithms of the bands' energies, where samples
  /// are on the 16-bit integer scale; an energy below the epsilon of a 32-bit float counts as that.
  ///
  /// - Parameters:
  ///   - samples: at the options' sample rate, full scale [-1, 1).
  ///   - utterance: the id that seeds the dither, when there is any.
  /// - Returns: frames × bands; no row when the samples are fewer than one window.
  package mutating func logMel(of samples: [Float], utterance: String) -> Matrix {
    var scaled = samples
    for index in scaled.indices { scaled[index] *= 32768 }
    if options.dither > 0 { addDither(to: &scaled, utterance: utterance) }
    var frame = [Float](repeating: 0, count: grid.window)
    var power = [Float](repeating: 0, count: options.transformSize / 2 + 1)
    var result = Matrix(rows: grid.frameCount(samples: scaled.count), columns: options.melBins)
    for index in 0..<result.rows {
      cutFrame(at: grid.samples(ofFrame: index), of: scaled, into: &frame)
      var spectrum = power.mutableSpan
      transform.powerSpectrum(of: frame.span, into: &spectrum)
      result.withRow(index) { row in
        filterbank.apply(to: power.span, into: &row)
        for band in row.indices { row[band] = log(max(row[band], Float.ulpOfOne)) }
      }
    }
    return result
  }

  /// Copies one frame, removes its mean, emphasises it and multiplies it by the window.
  private func cutFrame(at range: Range<Int>, of samples: [Float], into frame: inout [Float]) {
    for (offset, index) in range.enumerated() { frame[offset] = samples[index] }
    if options.removeDCOffset {
      var sum: Float = 0
      for value in frame { sum += value }
      let mean = sum / Float(frame.count)
      for index in frame.indices { frame[index] -= mean }
    }
    if options.preEmphasis > 0 {
      let share = Float(options.preEmphasis)
      for index in frame.indices.dropFirst().reversed() {
        frame[index] -= share * frame[index - 1]
      }
      frame[0] -= share * frame[0]
    }
    for index in frame.indices { frame[index] *= window[index] }
  }

  private func addDither(to samples: inout [Float], utterance: String) {
    // FNV-1a (Fowler, Noll and Vo), so that the noise depends on the id's bytes alone.
    var key: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in utterance.utf8 { key = (key ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var generator = SeededGenerator(key)
    for index in samples.indices {
      samples[index] += Float(options.dither * generator.normal())
    }
  }
}

extension WindowShape {
  /// The window's values, computed in double precision.
  func values(count: Int) -> [Float] {
    let step = 2 * Double.pi / Double(count - 1)
    return (0..<count).map { n in
      let cosine = cos(step * Double(n))
      return switch self {
      case .povey: Float(pow(0.5 - 0.5 * cosine, 0.85))
      case .hann: Float(0.5 - 0.5 * cosine)
      case .hamming: Float(0.54 - 0.46 * cosine)
      case .rectangular: 1
      }
    }
  }
}
