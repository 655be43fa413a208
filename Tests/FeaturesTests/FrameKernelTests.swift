import Features
import Foundation
import LinearAlgebra
import TestSupport
import Testing

@Suite("Kernels of frames equal their definitions")
struct FrameKernelTests {
  /// Lengths around multiples of the lanes.
  private static let lengths = [1, 3, 4, 5, 31, 400]

  private func random(_ count: Int, seed: UInt64) -> [Float] {
    Matrix.random(rows: 1, columns: count, seed: seed, scale: 1000).values
  }

  @Test("sums, and sums of squares", arguments: lengths)
  func sums(count: Int) {
    let values = random(count, seed: 31)
    let doubles = values.map(Double.init)
    let size = doubles.reduce(0) { $0 + abs($1) }
    #expect(
      mismatch(
        Double(FrameKernels.sum(values.span)), doubles.reduce(0, +), absolute: 1e-6 * size) == nil)
    #expect(
      mismatch(
        Double(FrameKernels.squares(values.span, mean: 7)),
        doubles.reduce(0) { $0 + ($1 - 7) * ($1 - 7) }, relative: 1e-5) == nil)
  }

  @Test("emphasis and window, to the bit", arguments: lengths)
  func emphasise(count: Int) {
    let (samples, window) = (random(count, seed: 34), random(count, seed: 35))
    var frame = [Float](repeating: -1, count: count + 2)
    var span = frame.mutableSpan
    FrameKernels.emphasise(
      samples.span, mean: 3, share: 0.97, window: window.span, into: &span)
    for n in 0..<count {
      let (own, previous) = (Double(samples[n]), Double(samples[max(0, n - 1)]))
      let (share, mean) = (Double(Float(0.97)), 3.0)
      let value = (own - (mean - share * mean) - share * previous) * Double(window[n])
      #expect(frame[n] == Float(value))
    }
    #expect(frame.suffix(2) == [-1, -1])
  }

  @Test("logarithms are within 2 ulps from the epsilon to the largest number")
  func logarithms() {
    var generator = SeededGenerator(36)
    var values = (0..<100_003).map { _ in
      Float(exp(-15.9 + 104.6 * generator.uniform()))
    }
    values += [1, 0.5, 2, .greatestFiniteMagnitude, .ulpOfOne, Float(0.5).squareRoot()]
    var found = values
    var span = found.mutableSpan
    FrameKernels.logarithms(&span)
    for (value, logarithm) in zip(values, found) {
      let expected = log(Double(value))
      let bound = 2 * Double(max(Float(expected).ulp, Float.ulpOfOne / 8))
      #expect(abs(Double(logarithm) - expected) <= bound, "of \(value)")
    }
  }

  @Test("logarithms of what is below the epsilon, infinite, or not a number")
  func edges() {
    var values: [Float] = [0, -1, 1e-30, .infinity, .nan]
    var span = values.mutableSpan
    FrameKernels.logarithms(&span)
    for value in values.prefix(3) { #expect(abs(value - log(Float.ulpOfOne)) < 2e-6) }
    #expect(values[3] == .infinity)
    #expect(values[4].isNaN)
  }
}
