import Features
import TestSupport
import Testing

@Suite("The Fourier transform")
struct RealFFTTests {
  @Test(
    "the power spectrum is that of the definition",
    arguments: [(2, 2), (8, 5), (256, 200), (512, 400), (100, 100)])
  func equalsDefinition(size: Int, count: Int) {
    let samples = Array(generatedWaveform(count: count))
    var transform = RealFFT(size: size)
    var power = [Float](repeating: -1, count: size / 2 + 1)
    var span = power.mutableSpan
    transform.powerSpectrum(of: samples.span, into: &span)
    let expected = Naive.powerSpectrum(samples, size: size)
    let largest = expected.max() ?? 0
    #expect(mismatch(power, expected, absolute: 1e-6 * largest) == nil)
  }
}
