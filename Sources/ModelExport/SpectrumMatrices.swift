import Features
import Foundation

/// The linear part of log-mel frames as matrices: removal of the mean, pre-emphasis, window, the
/// scale of samples, and the Fourier transform.
struct SpectrumMatrices {
  /// The number of frequencies: half of the transform's size, and one.
  let frequencies: Int
  /// The real part of the spectrum of each sample alone, [window × frequencies] row by row.
  let real: [Double]
  /// The imaginary part.
  let imaginary: [Double]
  /// The share of each frequency's power in the energy of a frame (Parseval's theorem).
  let energyWeights: [Double]

  /// - Parameter options: valid options.
  init(_ options: LogMelOptions) {
    let size = options.transformSize
    frequencies = size / 2 + 1
    let angles = (0..<size).map { 2 * Double.pi * Double($0) / Double(size) }
    real = SpectrumMatrices.rows(options, of: angles.map(cos))
    imaginary = SpectrumMatrices.rows(options, of: angles.map { -sin($0) })
    energyWeights = (0..<frequencies).map { frequency in
      (frequency == 0 || frequency == size / 2 ? 1 : 2) / Double(size)
    }
  }

  /// One part of the spectrum.
  ///
  /// - Parameters:
  ///   - options: the options of the frames.
  ///   - wave: the part's values over one period of the lowest frequency.
  /// - Returns: [window × frequencies].
  private static func rows(_ options: LogMelOptions, of wave: [Double]) -> [Double] {
    let size = options.transformSize
    let frequencies = size / 2 + 1
    let share = Double(Float(options.preEmphasis))
    let window = options.windowValues.map { Double($0) * Double(LogMelOptions.sampleScale) }
    /// What the windowed sample `n` adds to a frequency.
    func term(_ n: Int, _ frequency: Int) -> Double {
      window[n] * wave[n * frequency % size]
    }
    var rows = [Double](repeating: 0, count: window.count * frequencies)
    for frequency in 0..<frequencies {
      var sum = 0.0
      for n in window.indices {
        // Pre-emphasis takes a share of sample n from the next one; the first one from itself too.
        var value = term(n, frequency)
        if n + 1 < window.count { value -= share * term(n + 1, frequency) }
        if n == 0 { value -= share * term(0, frequency) }
        rows[n * frequencies + frequency] = value
        sum += value
      }
      guard options.removeDCOffset else { continue }
      let mean = sum / Double(window.count)
      for n in window.indices { rows[n * frequencies + frequency] -= mean }
    }
    return rows
  }
}
