/// Where analysis frames lie on the samples: the one place that turns samples into frames and back.
///
/// Frame `i` covers the samples from `i · shift`, `window` of them, and only frames that lie wholly
/// inside the audio exist (Kaldi's snip-edges, `feat/feature-window.cc`).
package struct FrameGrid: Sendable, Equatable {
  /// Samples per second, in hertz.
  package let sampleRate: Int
  /// The length of a frame in samples.
  package let window: Int
  /// The distance between the starts of neighbouring frames in samples.
  package let shift: Int

  /// - Parameters:
  ///   - sampleRate: in hertz, positive.
  ///   - frameLength: in milliseconds; at least one sample long. A fraction of a sample is dropped.
  ///   - frameShift: in milliseconds; at least one sample long. A fraction of a sample is dropped.
  package init(sampleRate: Int, frameLength: Double, frameShift: Double) {
    self.sampleRate = sampleRate
    window = FrameGrid.samples(in: frameLength, sampleRate: sampleRate)
    shift = FrameGrid.samples(in: frameShift, sampleRate: sampleRate)
    precondition(
      sampleRate > 0 && window > 0 && shift > 0,
      "FrameGrid: \(sampleRate) Hz, \(frameLength) ms every \(frameShift) ms is no grid")
  }

  /// The whole samples in some milliseconds; a fraction of a sample is dropped, as in Kaldi.
  package static func samples(in milliseconds: Double, sampleRate: Int) -> Int {
    Int(Double(sampleRate) * 0.001 * milliseconds)
  }

  /// The number of frames: ⌊(samples − window) / shift⌋ + 1, or 0 when not even one fits.
  package func frameCount(samples: Int) -> Int {
    samples < window ? 0 : (samples - window) / shift + 1
  }

  /// The samples that frame `index` covers.
  package func samples(ofFrame index: Int) -> Range<Int> {
    index * shift..<index * shift + window
  }

  /// The time of the centre of frame `index`, in seconds.
  package func centre(ofFrame index: Int) -> Double {
    (Double(index * shift) + Double(window) / 2) / Double(sampleRate)
  }
}
