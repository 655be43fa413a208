/// Samples on the 16-bit scale that integers alone generate, the same in any language.
///
/// Noise on a rising triangle wave. `make_golden.py` of FeaturesTests generates the same.
package func generatedSignal(count: Int) -> [Int16] {
  var (state, phase) = (1, 0)
  return (0..<count).map { n in
    state = (1_103_515_245 * state + 12345) % (1 << 31)
    phase = (phase + 50 + n) % 65536
    let triangle = phase < 32768 ? phase : 65535 - phase
    return Int16((state >> 16) % 2001 - 1000 + ((triangle - 16384) >> 1))
  }
}

/// The same on the scale of a waveform, [-1, 1).
package func generatedWaveform(count: Int) -> [Float] {
  generatedSignal(count: count).map { Float($0) / 32768 }
}
