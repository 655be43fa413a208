import Audio
import Foundation
import TestSupport
import Testing

@Suite("Speed")
struct SpeedChangeTests {
  @Test("a tone comes out higher and shorter, or lower and longer", arguments: [0.5, 0.9, 1.1, 2])
  func tone(factor: Double) {
    let (rate, frequency) = (16000.0, 500.0)
    let input = (0..<16000).map { Float(sin(2 * .pi * frequency / rate * Double($0))) }
    let output = SpeedChange(factor: factor).push(input, isLast: true)
    #expect(mismatch(Double(output.count), 16000 / factor, absolute: 2) == nil)
    // Away from the edges it is the tone of the other frequency, with no delay.
    let expected = output.indices.map { sin(2 * .pi * frequency * factor / rate * Double($0)) }
    let inner = 200..<output.count - 200
    #expect(mismatch(Array(output[inner]), Array(expected[inner]), absolute: 1e-4) == nil)
  }

  @Test("the pieces do not matter", arguments: [1, 100, 4096, 20_000])
  func pieces(size: Int) {
    let input = generatedWaveform(count: 20_000)
    let whole = SpeedChange(factor: 1.1).push(input, isLast: true)
    let change = SpeedChange(factor: 1.1)
    var output: [Float] = []
    for start in stride(from: 0, to: input.count, by: size) {
      output += change.push(Array(input[start..<min(input.count, start + size)]), isLast: false)
    }
    output += change.push([], isLast: true)
    #expect(output == whole)
  }

  @Test("no sample gives none")
  func empty() {
    #expect(SpeedChange(factor: 1.1).push([], isLast: true).isEmpty)
  }
}
