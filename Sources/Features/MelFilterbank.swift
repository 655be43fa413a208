import CFrameKernels
import Foundation
import LinearAlgebra

/// Triangular bands, evenly spaced on the mel scale (Kaldi, `feat/mel-computations.cc`).
///
/// They are computed in single precision, as in Kaldi, so that each band covers the same
/// frequencies.
struct MelFilterbank: Sendable {
  /// For each band, the index of the frequency of its first weight.
  private let firstFrequencies: [Int32]
  /// The index in `weights` where each band starts, and the end of the last band.
  private let starts: [Int32]
  /// The weights of all bands, each padded with zeros to a multiple of `FrameKernels.lanes`.
  private let weights: [Float]
  /// The first band that covers no frequency of the transform; nil if there is none.
  let firstEmptyBand: Int?
  /// The number of values that `apply` may read: the spectrum and the padding after it.
  let spectrumCount: Int

  init(options: LogMelOptions) {
    let transformSize = options.transformSize
    spectrumCount = transformSize / 2 + 1 + FrameKernels.lanes
    let binWidth = Float(options.sampleRate) / Float(transformSize)
    let low = mel(Float(options.lowFrequency))
    let high = mel(Float(options.upperEdge))
    let step = (high - low) / Float(options.melBins + 1)
    // As in Kaldi, the highest frequency of the transform belongs to no band.
    let mels = (0..<transformSize / 2).map { mel(binWidth * Float($0)) }
    var weights: [Float] = []
    var first = 0
    var firstFrequencies: [Int32] = []
    var starts: [Int32] = [0]
    for band in 0..<options.melBins {
      let left = low + Float(band) * step
      let centre = low + Float(band + 1) * step
      let right = low + Float(band + 2) * step
      while first < mels.count, mels[first] <= left { first += 1 }
      for at in mels[first...].prefix(while: { $0 < right }) {
        weights.append(
          at <= centre ? (at - left) / (centre - left) : (right - at) / (right - centre))
      }
      while weights.count % FrameKernels.lanes != 0 { weights.append(0) }
      firstFrequencies.append(Int32(first))
      starts.append(Int32(weights.count))
    }
    self.firstFrequencies = firstFrequencies
    self.starts = starts
    self.weights = weights
    firstEmptyBand = (0..<options.melBins).first { starts[$0] == starts[$0 + 1] }
  }

  /// The weight of each frequency in each band, [transform size / 2 + 1 × bands].
  var matrix: Matrix {
    var matrix = Matrix(rows: spectrumCount - FrameKernels.lanes, columns: firstFrequencies.count)
    for (band, first) in firstFrequencies.enumerated() {
      let own = weights[Int(starts[band])..<Int(starts[band + 1])]
      // What follows the last weight above 0 is padding.
      for (place, weight) in own.enumerated() where weight > 0 {
        matrix[Int(first) + place, band] = weight
      }
    }
    return matrix
  }

  /// Writes the energy in each band to the end of each row.
  ///
  /// - Parameters:
  ///   - spectra: one spectrum per row, [at least as many as `rows` × `spectrumCount`]. The last
  ///     `FrameKernels.lanes` values of a spectrum are padding, which must be finite.
  ///   - frames: a matrix of at least one column per band.
  ///   - rows: the rows to write to, one per spectrum.
  func apply(to spectra: Matrix, into frames: inout Matrix, rows: Range<Int>) {
    let (bands, columns) = (firstFrequencies.count, frames.columns)
    precondition(
      columns >= bands && spectra.columns == spectrumCount && spectra.rows >= rows.count,
      "apply: \(spectra.rows)×\(spectra.columns) to \(rows.count)×\(columns) for \(bands) bands")
    unsafe spectra.values.withUnsafeBufferPointer { spectra in
      frames.withValues(ofRows: rows) { frames in
        unsafe frames.withUnsafeMutableBufferPointer { frames in
          guard let spectra = spectra.baseAddress, let base = frames.baseAddress else { return }
          unsafe frame_bands(
            spectra, Int64(rows.count), Int64(spectrumCount), weights, firstFrequencies, starts,
            Int64(bands), base + columns - bands, Int64(columns))
        }
      }
    }
  }
}

/// The mel scale: 1127 ln(1 + f / 700), f in hertz.
private func mel(_ frequency: Float) -> Float {
  1127 * log(1 + frequency / 700)
}
