import Distillation
import Foundation
import LinearAlgebra
import Storage
import TestSupport
import Testing
import Training

@Suite("The student's soft term: standardised logits and the decoupled loss")
struct SoftTermTests {
  // Seeds 91 and 92.
  private let logits = Matrix.random(rows: 1, columns: 7, seed: 91, scale: 2).doubles[0]
  private let soft = Naive.softmax(
    Matrix.random(rows: 1, columns: 7, seed: 92, scale: 2).doubles[0])

  static let forms: [LogitForm] = [.raw, .standardized]
  static let weights = [nil, DecoupledOptions(), DecoupledOptions(alpha: 0.7, beta: 2)]

  private func replace(
    _ options: DistillationOptions, _ logits: [Double], _ soft: [Double], label: Int32 = 2,
    scale: Float = 1
  ) -> (row: [Float], loss: Float) {
    let target = soft.map { Float($0) }
    var matrix = Matrix(rows: 1, columns: logits.count, values: logits.map { Float($0) })
    var loss: Float = 0
    matrix.withRow(0) {
      loss = SoftAndHardTargets(options: options).replaceByGradient(
        &$0, label: label, softTarget: target.span, scale: scale)
    }
    return (matrix.values, loss)
  }

  /// Mean 0 and variance 1.
  private static func standardized(_ row: [Double]) -> [Double] {
    let count = Double(row.count)
    let mean = row.reduce(0, +) / count
    let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    return row.map { ($0 - mean) / (variance + 1e-7).squareRoot() }
  }

  /// The loss as the papers define it, in double precision.
  private static func loss(
    _ options: DistillationOptions, _ logits: [Double], _ soft: [Double], label: Int
  ) -> Double {
    let (temperature, isStandard) = (options.temperature, options.logits == .standardized)
    let p =
      isStandard
      ? Naive.softmax(standardized(soft.map { log($0) }), temperature: temperature) : soft
    let q = Naive.softmax(isStandard ? standardized(logits) : logits, temperature: temperature)
    func entropy(_ p: [Double], _ q: [Double]) -> Double {
      zip(p, q).reduce(0) { $0 - $1.0 * log($1.1) }
    }
    var soft = entropy(p, q)
    if let weights = options.decoupled {
      func others(_ row: [Double]) -> [Double] {
        row.indices.filter { $0 != label }.map { row[$0] / (1 - row[label]) }
      }
      soft =
        weights.alpha * entropy([p[label], 1 - p[label]], [q[label], 1 - q[label]])
        + weights.beta * entropy(others(p), others(q))
    }
    let hard = -log(Naive.softmax(logits)[label])
    return options.hardWeight * hard
      + (1 - options.hardWeight) * temperature * temperature * soft
  }

  @Test(
    "loss and gradient are the formula's, for each form of the logits and of the loss",
    arguments: forms, weights)
  func formula(logits form: LogitForm, decoupled: DecoupledOptions?) {
    for (temperature, hardWeight) in [(1.0, 0.0), (2.0, 0.3), (4.0, 0.0), (4.0, 0.9)] {
      let options = DistillationOptions(
        temperature: temperature, hardWeight: hardWeight, logits: form, decoupled: decoupled)
      for label in [0, 3, 6] {
        func loss(_ row: [Double]) -> Double {
          SoftTermTests.loss(options, row, soft, label: label)
        }
        let found = replace(options, logits, soft, label: Int32(label), scale: 0.25)
        #expect(mismatch(found.loss, loss(logits), absolute: 1e-5, relative: 1e-5) == nil)
        let expected = logits.indices.map { index in
          0.25
            * slope(at: logits[index], step: 1e-4) { value in
              var changed = logits
              changed[index] = value
              return loss(changed)
            }
        }
        #expect(mismatch(found.row, expected, absolute: 1e-5, relative: 1e-4) == nil)
      }
    }
  }

  @Test("standardised: neither a factor nor a constant of the student's logits changes the loss")
  func invariance() {
    let options = DistillationOptions(temperature: 2, hardWeight: 0, logits: .standardized)
    let own = replace(options, logits, soft)
    let other = replace(options, logits.map { 3 * $0 + 5 }, soft)
    #expect(mismatch(other.loss, Double(own.loss), relative: 1e-5) == nil)
    #expect(mismatch(other.row, own.row.map { Double($0) / 3 }, absolute: 1e-6) == nil)
    #expect(abs(own.row.reduce(0, +)) < 1e-5)
    // Nor does the temperature at which the ensemble's logits were softened.
    let softer = Naive.softmax(soft.map { log($0) }, temperature: 5)
    let softened = replace(options, logits, softer)
    #expect(mismatch(softened.loss, Double(own.loss), relative: 1e-5) == nil)
    // Equal logits have a finite loss, that of an even guess, and a finite gradient.
    let equal = replace(options, Array(repeating: 1, count: 7), soft)
    #expect(mismatch(equal.loss, 4 * log(7.0), relative: 1e-5) == nil)
    #expect(equal.row.allSatisfy { $0.isFinite })
  }

  @Test("decoupled with α = 1 and β = 1 − p of the true class: the cross-entropy")
  func coupled() {
    let plain = replace(DistillationOptions(temperature: 3, hardWeight: 0), logits, soft)
    let weights = DecoupledOptions(alpha: 1, beta: 1 - soft[2])
    let found = replace(
      DistillationOptions(temperature: 3, hardWeight: 0, decoupled: weights), logits, soft)
    #expect(mismatch(found.loss, Double(plain.loss), relative: 1e-5) == nil)
    #expect(mismatch(found.row, plain.row.map { Double($0) }, absolute: 1e-5) == nil)
  }

  @Test("decoupled: a sure student and a sure ensemble leave everything finite, and precise")
  func sure() {
    let options = DistillationOptions(
      temperature: 1, hardWeight: 0, decoupled: DecoupledOptions(alpha: 1, beta: 1))
    // The others have 3e-12 of the mass, of which a third each would be lost in 1 − p.
    let target = [1e-12, 1e-12, 1, 1e-12]
    for own in [60.0, -60] {
      let found = replace(options, [0, 0, own, 0], target)
      #expect(found.row.allSatisfy { $0.isFinite } && found.loss.isFinite)
      // Among themselves, the others agree.
      let rest = own > 0 ? log(3.0) : 60 + log(3.0) + log(3.0)
      #expect(mismatch(found.loss, rest, relative: 1e-5) == nil)
    }
  }

  @Test("a frame whose class is not known has the cross-entropy")
  func unknownClass() {
    let plain = replace(
      DistillationOptions(temperature: 2, hardWeight: 0), logits, soft, label: FrameClass.unknown)
    let found = replace(
      DistillationOptions(temperature: 2, hardWeight: 0.4, decoupled: DecoupledOptions()), logits,
      soft, label: FrameClass.unknown)
    #expect(found.loss == plain.loss)
    #expect(found.row == plain.row)
  }

  @Test("the weight bounds the loss of equal logits over log N", arguments: forms, weights)
  func weight(logits form: LogitForm, decoupled: DecoupledOptions?) {
    for hardWeight in [0, 0.3, 1] {
      let options = DistillationOptions(
        temperature: 2, hardWeight: hardWeight, logits: form, decoupled: decoupled)
      let limit = SoftAndHardTargets(options: options).weight * log(7)
      for label: Int32 in [2, FrameClass.unknown] {
        let loss = replace(options, Array(repeating: 0, count: 7), soft, label: label).loss
        #expect(Double(loss) <= limit + 1e-3 && Double(loss) > limit / 20)
      }
    }
  }

  @Test(
    "options that cannot be used together, or are out of range, are faults",
    arguments: [
      (#"{"largest": 5, "logits": "standardized"}"#, "logits: expected raw beside largest"),
      (#"{"largest": 5, "decoupled": {}}"#, "decoupled: expected none beside largest"),
      (#"{"logits": "scaled"}"#, "logits: expected raw, standardized, found scaled"),
      (#"{"decoupled": {"alpha": -1}}"#, "decoupled.alpha: expected 0 or more, found -1.0"),
      (#"{"decoupled": {"alpha": 0, "beta": 0}}"#, "decoupled.beta: expected above 0"),
    ])
  func faults(json: String, expected: String) throws {
    let fault = #expect(throws: OptionFault.self) {
      try JSONDecoder().decode(DistillationOptions.self, from: Data(json.utf8))
    }
    #expect("\(try #require(fault))".contains(expected), "\(String(describing: fault))")
  }

  @Test("options are read as written")
  func coding() throws {
    let own = DistillationOptions(
      temperature: 3, hardWeight: 0.1, logits: .standardized,
      decoupled: DecoupledOptions(alpha: 2, beta: 0))
    let text = JSONText.line(own)
    #expect(try JSONDecoder().decode(DistillationOptions.self, from: Data(text.utf8)) == own)
  }
}
