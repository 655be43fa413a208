/// One channel of audio.
package struct Waveform: Sendable, Equatable {
  /// Samples per second, in hertz.
  package let sampleRate: Int
  /// The samples, all finite; full scale is [-1, 1), so a 16-bit sample s is s / 32768.
  package let samples: [Float]

  /// Samples at a positive rate in hertz.
  package init(sampleRate: Int, samples: [Float]) {
    precondition(sampleRate > 0, "Waveform: \(sampleRate) Hz is not a sample rate")
    (self.sampleRate, self.samples) = (sampleRate, samples)
  }
}
