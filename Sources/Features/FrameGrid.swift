/// Where analysis frames lie on the samples: the one place that turns samples into frames and back
/// (Kaldi, `feat/feature-window.cc`).
package struct FrameGrid: Sendable, Equatable {
  /// What becomes of frames that reach beyond the audio.
  package enum Edges: Sendable {
    /// They do not exist: frame `i` covers `window` samples from `i · shift`.
    case snipped
    /// There is one for each shift, with its centre at `i · shift + shift / 2`; samples outside the
    /// audio are those mirrored at its edge.
    case mirrored
  }

  /// Samples per second, in hertz.
  package let sampleRate: Int
  /// The length of a frame in samples.
  package let window: Int
  /// The distance between the starts of neighbouring frames in samples.
  package let shift: Int
  package let edges: Edges

  /// - Parameters:
  ///   - sampleRate: in hertz, positive.
  ///   - frameLength: in milliseconds; at least one sample long. A fraction of a sample is dropped.
  ///   - frameShift: in milliseconds; at least one sample long. A fraction of a sample is dropped.
  ///   - edges: what becomes of frames that reach beyond the audio.
  package init(
    sampleRate: Int, frameLength: Double, frameShift: Double, edges: Edges = .snipped
  ) {
    self.sampleRate = sampleRate
    self.edges = edges
    window = FrameGrid.samples(in: frameLength, sampleRate: sampleRate)
    shift = FrameGrid.samples(in: frameShift, sampleRate: sampleRate)
    precondition(
      sampleRate > 0 && window > 0 && shift > 0,
      "FrameGrid: \(sampleRate) Hz, \(frameLength) ms every \(frameShift) ms is no grid")
  }

  private init(sampleRate: Int, window: Int, shift: Int, edges: Edges) {
    (self.sampleRate, self.window, self.shift, self.edges) = (sampleRate, window, shift, edges)
  }

  /// The grid of frames that are as long as their shift: they touch and do not overlap.
  package var cells: FrameGrid {
    FrameGrid(sampleRate: sampleRate, window: shift, shift: shift, edges: .snipped)
  }

  /// The distance between the starts of neighbouring frames in seconds.
  package var shiftInSeconds: Double { Double(shift) / Double(sampleRate) }

  /// The whole samples in some milliseconds; a fraction of a sample is dropped, as in Kaldi.
  package static func samples(in milliseconds: Double, sampleRate: Int) -> Int {
    Int(Double(sampleRate) * 0.001 * milliseconds)
  }

  /// The number of frames: ⌊(samples − window) / shift⌋ + 1, or 0 when not even one fits; with
  /// mirrored edges ⌊(samples + ⌊shift / 2⌋) / shift⌋.
  package func frameCount(samples: Int) -> Int {
    switch edges {
    case .snipped: samples < window ? 0 : (samples - window) / shift + 1
    case .mirrored: (samples + shift / 2) / shift
    }
  }

  /// Where frame 0 starts: 0, or with mirrored edges the sample, often below 0, that puts the middle
  /// of the frame at half a shift.
  package var firstSample: Int {
    switch edges {
    case .snipped: 0
    case .mirrored: shift / 2 - window / 2
    }
  }

  /// The samples that frame `index` covers; with mirrored edges some may lie outside the audio.
  package func samples(ofFrame index: Int) -> Range<Int> {
    let start = firstSample + index * shift
    return start..<start + window
  }

  /// The time of the centre of frame `index`, in seconds.
  package func centre(ofFrame index: Int) -> Double {
    (Double(firstSample + index * shift) + Double(window) / 2) / Double(sampleRate)
  }

  /// The sample that stands for one outside the audio: mirrored at its edges, which repeat.
  ///
  /// - Parameters:
  ///   - index: any.
  ///   - count: the number of samples of the audio, at least one.
  /// - Returns: an index from 0 to below `count`.
  package static func mirrored(_ index: Int, count: Int) -> Int {
    let period = 2 * count
    let place = ((index % period) + period) % period
    return place < count ? place : period - 1 - place
  }
}
