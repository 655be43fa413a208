import Foundation

/// Triangular bands, evenly spaced on the mel scale (Kaldi, `feat/mel-computations.cc`).
///
/// Computed in single precision, as Kaldi does, so that the same frequencies fall into each band.
struct MelFilterbank: Sendable {
  /// One band: its weights for the power spectrum from `first` on.
  struct Band: Sendable {
    let first: Int
    let weights: [Float]
  }

  let bands: [Band]

  init(options: LogMelOptions) {
    let transformSize = options.transformSize
    let binWidth = Float(options.sampleRate) / Float(transformSize)
    let low = mel(Float(options.lowFrequency))
    let high = mel(Float(options.upperEdge))
    let step = (high - low) / Float(options.melBins + 1)
    bands = (0..<options.melBins).map { band in
      let left = low + Float(band) * step
      let centre = low + Float(band + 1) * step
      let right = low + Float(band + 2) * step
      // Like Kaldi's, the highest frequency of the transform belongs to no band.
      let inside = (0..<transformSize / 2).compactMap { bin -> (bin: Int, weight: Float)? in
        let at = mel(binWidth * Float(bin))
        guard at > left, at < right else { return nil }
        return (bin, at <= centre ? (at - left) / (centre - left) : (right - at) / (right - centre))
      }
      return Band(first: inside.first?.bin ?? 0, weights: inside.map(\.weight))
    }
  }

  /// The first band without a frequency of the transform in it.
  var firstEmptyBand: Int? { bands.firstIndex { $0.weights.isEmpty } }

  /// The energy in each band.
  ///
  /// - Parameters:
  ///   - power: the power spectrum, `transformSize / 2 + 1` values.
  ///   - energies: one value a band, overwritten.
  func apply(to power: Span<Float>, into energies: inout MutableSpan<Float>) {
    for (index, band) in bands.enumerated() {
      var energy: Float = 0
      for offset in band.weights.indices {
        energy += band.weights[offset] * power[band.first + offset]
      }
      energies[index] = energy
    }
  }
}

/// The mel scale: 1127 ln(1 + f / 700), f in hertz.
private func mel(_ frequency: Float) -> Float {
  1127 * log(1 + frequency / 700)
}
