import Features
import TestSupport
import Testing

@Suite("The Fourier transform")
struct PowerSpectrumTests {
  @Test(
    "the power spectrum is that of the definition",
    arguments: TransformPrecision.allCases,
    [
      (2, 2), (4, 3), (8, 5), (62, 62), (64, 64), (66, 50), (256, 200), (512, 400), (100, 100),
      (1102, 1102),
    ])
  func equalsDefinition(precision: TransformPrecision, lengths: (size: Int, count: Int)) {
    let (size, count) = lengths
    let samples = Array(generatedWaveform(count: count))
    var transform = PowerSpectrum(size: size, precision: precision)
    var power = [Float](repeating: -1, count: size / 2 + 1)
    var span = power.mutableSpan
    transform.withFrame { frame in for n in samples.indices { frame[n] = samples[n] } }
    transform.compute(into: &span)
    let expected = Naive.powerSpectrum(samples, size: size)
    let largest = expected.max() ?? 0
    #expect(mismatch(power, expected, absolute: 1e-6 * largest) == nil)
  }
}
