/// The position of analysis frames on the samples (Kaldi, `feat/feature-window.cc`).
///
/// All conversion between samples and frames goes through this type.
package struct FrameGrid: Sendable, Equatable {
  /// How frames that reach beyond the audio are treated.
  package enum Edges: Sendable {
    /// They do not exist: frame `i` covers `window` samples from `i · shift`. Kaldi's
    /// `snip-edges=true`.
    case snipped
    /// There is one frame per shift, centred at `i · shift + shift / 2`.
    ///
    /// Samples outside the audio are mirrored at its edge. Kaldi's `snip-edges=false`.
    case mirrored
  }

  /// Samples per second, in hertz.
  package let sampleRate: Int
  /// The length of a frame in samples.
  package let window: Int
  /// The distance between the starts of neighbouring frames in samples.
  package let shift: Int
  /// How frames that reach beyond the audio are treated.
  package let edges: Edges

  /// - Parameters:
  ///   - sampleRate: in hertz, positive.
  ///   - frameLength: in milliseconds, at least one sample. A fraction of a sample is dropped.
  ///   - frameShift: in milliseconds, at least one sample. A fraction of a sample is dropped.
  ///   - edges: how frames that reach beyond the audio are treated.
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

  /// The grid with frames as long as their shift, which touch without overlapping.
  package var cells: FrameGrid {
    FrameGrid(sampleRate: sampleRate, window: shift, shift: shift, edges: .snipped)
  }

  /// The distance between the starts of neighbouring frames in seconds.
  package var shiftInSeconds: Double { Double(shift) / Double(sampleRate) }

  /// The whole number of samples in a duration; a fraction is dropped, as in Kaldi.
  package static func samples(in milliseconds: Double, sampleRate: Int) -> Int {
    Int(Double(sampleRate) * 0.001 * milliseconds)
  }

  /// The number of frames in a number of samples.
  ///
  /// This is ⌊(samples − window) / shift⌋ + 1, or 0 when not even one fits. With mirrored edges it
  /// is ⌊(samples + ⌊shift / 2⌋) / shift⌋.
  package func frameCount(samples: Int) -> Int {
    switch edges {
    case .snipped: samples < window ? 0 : (samples - window) / shift + 1
    case .mirrored: (samples + shift / 2) / shift
    }
  }

  /// The first sample of frame 0.
  ///
  /// This is 0. With mirrored edges it is the sample, often negative, that puts the centre of the
  /// frame at half a shift.
  package var firstSample: Int {
    switch edges {
    case .snipped: 0
    case .mirrored: shift / 2 - window / 2
    }
  }

  /// The samples that frame `index` covers; with mirrored edges some may be outside the audio.
  package func samples(ofFrame index: Int) -> Range<Int> {
    let start = firstSample + index * shift
    return start..<start + window
  }

  /// The time of the centre of frame `index`, in seconds.
  package func centre(ofFrame index: Int) -> Double {
    (Double(firstSample + index * shift) + Double(window) / 2) / Double(sampleRate)
  }

  /// The times that some frames stand for, in seconds.
  ///
  /// Frame `i` stands for the time from half a shift before its centre to half a shift after it, so
  /// that frames touch and no centre is at a boundary. With frames of 25 ms every 10 ms this is
  /// from 10 i + 7.5 to 10 i + 17.5 ms with snipped edges, and from 10 i to 10 i + 10 ms with
  /// mirrored ones.
  ///
  /// - Parameter frames: a range of frames.
  /// - Returns: the start of the first frame and the end of the last.
  package func seconds(ofFrames frames: Range<Int>) -> Range<Double> {
    let half = Double(shift) / 2 / Double(sampleRate)
    func border(_ frame: Int) -> Double { max(0, centre(ofFrame: frame) - half) }
    return border(frames.lowerBound)..<border(frames.upperBound)
  }

  /// The frame of an utterance that corresponds to a frame of the same utterance at another speed.
  ///
  /// Its centre is nearest to the moment of the utterance at the centre of the other frame.
  ///
  /// - Parameters:
  ///   - index: the frame at that speed.
  ///   - speed: how many times as fast it is played, positive.
  ///   - count: the frames of the utterance itself, at least one.
  /// - Returns: an index from 0 to below `count`; the later frame when two are equally near.
  package func source(ofFrame index: Int, atSpeed speed: Double, count: Int) -> Int {
    let centre = Double(firstSample) + Double(window) / 2
    let moment = (centre + Double(index * shift)) * speed
    let nearest = ((moment - centre) / Double(shift) + 0.5).rounded(.down)
    return min(count - 1, max(0, Int(nearest)))
  }

  /// The sample whose value replaces one outside the audio.
  ///
  /// The audio is mirrored at its edges, and the edge sample appears twice.
  ///
  /// - Parameters:
  ///   - index: any index, negative ones included.
  ///   - count: the number of samples of the audio, at least one.
  /// - Returns: an index in 0..<`count`.
  package static func mirrored(_ index: Int, count: Int) -> Int {
    let period = 2 * count
    let place = ((index % period) + period) % period
    return place < count ? place : period - 1 - place
  }
}
