import Foundation

/// Triangular bands, evenly spaced on the mel scale (Kaldi, `feat/mel-computations.cc`).
///
/// Computed in single precision, as Kaldi does, so that the same frequencies fall into each band.
struct MelFilterbank: Sendable {
  /// One band: where its weights stand and the frequency that the first of them is for.
  private struct Band: Sendable {
    let firstFrequency: Int
    let weights: Range<Int>
  }

  private let bands: [Band]
  /// The weights of all bands, each band's filled with zeros to a multiple of `FrameKernels.lanes`.
  private let weights: [Float]
  /// The first band without a frequency of the transform in it.
  let firstEmptyBand: Int?

  init(options: LogMelOptions) {
    let transformSize = options.transformSize
    let binWidth = Float(options.sampleRate) / Float(transformSize)
    let low = mel(Float(options.lowFrequency))
    let high = mel(Float(options.upperEdge))
    let step = (high - low) / Float(options.melBins + 1)
    // Like Kaldi's, the highest frequency of the transform belongs to no band.
    let mels = (0..<transformSize / 2).map { mel(binWidth * Float($0)) }
    var weights: [Float] = []
    var first = 0
    bands = (0..<options.melBins).map { band in
      let left = low + Float(band) * step
      let centre = low + Float(band + 1) * step
      let right = low + Float(band + 2) * step
      while first < mels.count, mels[first] <= left { first += 1 }
      let start = weights.count
      for at in mels[first...].prefix(while: { $0 < right }) {
        weights.append(
          at <= centre ? (at - left) / (centre - left) : (right - at) / (right - centre))
      }
      while weights.count % FrameKernels.lanes != 0 { weights.append(0) }
      return Band(firstFrequency: first, weights: start..<weights.count)
    }
    self.weights = weights
    firstEmptyBand = bands.firstIndex { $0.weights.isEmpty }
  }

  /// Writes the energy in each band to the last values of a row.
  ///
  /// - Parameters:
  ///   - spectrum: `transformSize / 2 + 1` values and `FrameKernels.lanes` finite ones after them,
  ///     which do not count.
  ///   - row: as many values as bands or more.
  func apply(to spectrum: Span<Float>, into row: inout MutableSpan<Float>) {
    let first = row.count - bands.count
    let (bands, weights) = (bands.span, weights.span)
    for index in bands.indices {
      row[first + index] = FrameKernels.product(
        weights, from: bands[index].weights.lowerBound, with: spectrum,
        from: bands[index].firstFrequency, count: bands[index].weights.count)
    }
  }
}

/// The mel scale: 1127 ln(1 + f / 700), f in hertz.
private func mel(_ frequency: Float) -> Float {
  1127 * log(1 + frequency / 700)
}
