package import LinearAlgebra

extension LogMelOptions {
  /// What samples of full scale [-1, 1) are multiplied by: Kaldi computes features of samples on the
  /// 16-bit integer scale.
  package static let sampleScale: Float = 32768

  /// The values of the window, one for each sample of a frame.
  package var windowValues: [Float] {
    window.values(count: grid.window, blackmanCoefficient: blackmanCoefficient)
  }

  /// The weight of each frequency of the transform in each band, [`transformSize` / 2 + 1 ×
  /// `melBins`].
  package var bandWeights: Matrix { MelFilterbank(options: self).matrix }
}
