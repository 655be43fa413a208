import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("Cross-entropy")
struct CrossEntropyTests {
  // Seeds 41 and 42.
  private let logits = Matrix.random(rows: 1, columns: 9, seed: 41, scale: 3).doubles[0]
  private let target = Naive.softmax(Matrix.random(rows: 1, columns: 9, seed: 42).doubles[0])

  /// What `body` makes of the logits, and what it returns.
  private func replace(
    _ logits: [Double], _ body: @Sendable (inout MutableSpan<Float>) -> Float
  ) -> (row: [Float], loss: Float) {
    var matrix = Matrix(rows: 1, columns: logits.count, values: logits.map { Float($0) })
    var loss: Float = 0
    matrix.withRow(0) { loss = body(&$0) }
    return (matrix.values, loss)
  }

  @Test("the softmax is the definition's, also far from zero", arguments: [1.0, 2.0, 10.0])
  func softmax(temperature: Double) {
    for offset in [0.0, 500, -500] {
      let shifted = logits.map { $0 + offset }
      let found = replace(shifted) { replaceBySoftmax(&$0, temperature: Float(temperature)) }
      let expected = Naive.softmax(logits, temperature: temperature)
      // Logits near 500 are known to 3e-5, and so are the logarithms of the result.
      #expect(mismatch(found.row, expected, absolute: 1e-6, relative: 1e-4) == nil)
    }
  }

  @Test("the hard loss and its gradient: the slope for each logit")
  func hard() {
    let found = replace(logits) { CrossEntropy.hard(&$0, label: 4, scale: 0.5) }
    #expect(mismatch(found.loss, -log(Naive.softmax(logits)[4]), absolute: 1e-5) == nil)
    let expected = logits.indices.map { index in
      0.5
        * slope(at: logits[index], step: 1e-4) { value in
          var changed = logits
          changed[index] = value
          return -log(Naive.softmax(changed)[4])
        }
    }
    #expect(mismatch(found.row, expected, absolute: 1e-6) == nil)
  }

  @Test("the hard loss with label smoothing and its gradient", arguments: [0.1, 0.5])
  func smoothing(share: Double) {
    let found = replace(logits) {
      CrossEntropy.hard(&$0, label: 4, smoothing: Float(share), scale: 0.5)
    }
    func loss(_ logits: [Double]) -> Double {
      Naive.softmax(logits).enumerated().reduce(0) { sum, pair in
        sum - ((pair.offset == 4 ? 1 - share : 0) + share / 9) * log(pair.element)
      }
    }
    #expect(mismatch(found.loss, loss(logits), absolute: 1e-5) == nil)
    let expected = logits.indices.map { index in
      0.5
        * slope(at: logits[index], step: 1e-4) { value in
          var changed = logits
          changed[index] = value
          return loss(changed)
        }
    }
    #expect(mismatch(found.row, expected, absolute: 1e-6) == nil)
  }

  @Test("the soft loss and its gradient: the slope for each logit", arguments: [1.0, 2.0, 10.0])
  func soft(temperature: Double) {
    let target = target
    let distribution = target.map { Float($0) }
    let found = replace(logits) {
      CrossEntropy.soft(
        &$0, target: distribution.span, temperature: Float(temperature), scale: 0.5)
    }
    func loss(_ logits: [Double]) -> Double {
      zip(target, Naive.softmax(logits, temperature: temperature))
        .reduce(0) { $0 - $1.0 * log($1.1) }
    }
    #expect(mismatch(found.loss, loss(logits), absolute: 1e-5) == nil)
    let expected = logits.indices.map { index in
      0.5
        * slope(at: logits[index], step: 1e-4) { value in
          var changed = logits
          changed[index] = value
          return loss(changed)
        }
    }
    #expect(mismatch(found.row, expected, absolute: 1e-6) == nil)
  }

  @Test("at T = 1000 the soft gradient is logit matching, (z − v) / (N · T²)")
  func logitMatching() {
    let temperature = 1000.0
    func centred(_ values: [Double]) -> [Double] {
      values.map { $0 - values.reduce(0, +) / Double(values.count) }
    }
    // Seeds 43 and 44; no logit is beyond 3.
    let student = centred(Matrix.random(rows: 1, columns: 9, seed: 43).doubles[0])
    let teacher = centred(Matrix.random(rows: 1, columns: 9, seed: 44).doubles[0])
    let target = Naive.softmax(teacher, temperature: temperature).map { Float($0) }
    let scale = Float(temperature * temperature)
    let found = replace(student) {
      CrossEntropy.soft(&$0, target: target.span, temperature: Float(temperature), scale: scale)
    }
    let expected = zip(student, teacher).map { ($0 - $1) / 9 }
    // The next terms of the series are up to z² / (2NT) = 5e-4; single precision's 1e-8 of a
    // probability near 1/9 becomes 1e-5 by the factor T.
    #expect(mismatch(found.row, expected, absolute: 5e-4) == nil)
  }

  @Test("a soft target that is sure of one class is a hard target")
  func sureTarget() {
    var certain = [Float](repeating: 0, count: 9)
    certain[4] = 1
    let target = certain
    let soft = replace(logits) {
      CrossEntropy.soft(&$0, target: target.span, temperature: 1, scale: 1)
    }
    let hard = replace(logits) { CrossEntropy.hard(&$0, label: 4, scale: 1) }
    #expect(mismatch(soft.row, hard.row, absolute: 1e-6) == nil)
    #expect(mismatch(soft.loss, hard.loss, absolute: 1e-5) == nil)
  }
}
