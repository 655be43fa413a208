import Classes
import Models
import Corpus
import Distillation
import Features
import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

@Suite("The mean of an ensemble")
struct EnsembleTests {
  // Seeds 71 to 73: three members, two frames, four classes.
  private let members = (71..<74).map { Matrix.random(rows: 2, columns: 4, seed: $0, scale: 3) }

  @Test("arithmetic: the mean of the members' softmax at T", arguments: [1.0, 2.0, 10.0])
  func arithmetic(temperature: Double) {
    let found = Ensemble.average(members, temperature: temperature, mean: .arithmetic)
    let expected = (0..<2).flatMap { frame -> [Double] in
      let parts = members.map { Naive.softmax($0.doubles[frame], temperature: temperature) }
      return (0..<4).map { index in parts.reduce(0) { $0 + $1[index] } / 3 }
    }
    #expect(mismatch(found.values, expected, absolute: 1e-6) == nil)
  }

  @Test("a mean is the same when members come one at a time", arguments: TeacherMean.allCases)
  func oneAtATime(mean: TeacherMean) {
    let members = (77..<80).map { Matrix.random(rows: 4, columns: 6, seed: $0, scale: 3) }
    var sum = EnsembleMean(mean, temperature: 2)
    for member in members { sum.add(member) }
    #expect(
      sum.distributions.values
        == Ensemble.average(members, temperature: 2, mean: mean).values)
  }

  @Test("geometric: the softmax at T of the mean logits", arguments: [1.0, 2.0, 10.0])
  func geometric(temperature: Double) {
    let found = Ensemble.average(members, temperature: temperature, mean: .geometric)
    let expected = (0..<2).flatMap { frame -> [Double] in
      let mean = (0..<4).map { index in
        members.reduce(0) { $0 + $1.doubles[frame][index] } / 3
      }
      return Naive.softmax(mean, temperature: temperature)
    }
    #expect(mismatch(found.values, expected, absolute: 1e-6) == nil)
  }

  @Test("an ensemble of one at T = 1 is its member")
  func one() throws {
    let model = model(seed: 74)
    let features = Matrix.random(rows: 5, columns: 4, seed: 75)
    var expected = model.logits(of: features)
    expected.replaceRowsBySoftmax()
    let ensemble = try Ensemble([model])
    let found = Ensemble.average(
      ensemble.members.map { $0.logits(of: features) }, temperature: 1, mean: .arithmetic)
    #expect(mismatch(found.values, expected.values, absolute: 1e-6) == nil)
  }

  @Test("members with other classes or features, or none at all, are faults")
  func faults() {
    #expect(throws: EnsembleFault.noMembers) { try Ensemble([]) }
    #expect(throws: EnsembleFault.otherClasses(system: "m")) {
      try Ensemble([model(seed: 1), model(seed: 2, classes: ["B", "A"])])
    }
    #expect(
      throws: EnsembleFault.otherFeatures(system: "m", differences: ["lowFrequency 20.0, not 30.0"])
    ) {
      try Ensemble([model(seed: 1), model(seed: 2, lowFrequency: 30)])
    }
  }

  private func model(
    seed: UInt64, classes: [String] = ["A", "B"], lowFrequency: Double = 20
  ) -> AcousticModel {
    var features = FeatureOptions()
    features.logMel?.melBins = 4
    features.logMel?.lowFrequency = lowFrequency
    return AcousticModel(
      network: AcousticNetwork(
        features: 4, context: -1...0, hidden: HiddenShape(layers: 1, units: 5), classes: 2,
        seed: seed),
      features: features,
      normalizer: FeatureNormalizer(mean: [0, 0, 0, 0], deviation: [1, 1, 1, 1]),
      classes: ClassInventory(symbols: classes),
      provenance: .init(
        system: "m", seed: seed, epoch: 1, developmentAccuracy: 0, limbeckVersion: "0"))
  }
}

@Suite("The student's objective")
struct SoftAndHardTargetsTests {
  // Seeds 81 and 82.
  private let logits = Matrix.random(rows: 1, columns: 6, seed: 81, scale: 2).doubles[0]
  private let soft = Naive.softmax(Matrix.random(rows: 1, columns: 6, seed: 82).doubles[0])

  @Test(
    "the loss of the largest is that of one class for all others, and its gradient the finite difference"
  )
  func largestLoss() {
    // Seed 82: 9 classes, of which 3 are known.
    let logits = Matrix.random(rows: 1, columns: 9, seed: 82, scale: 2)
    let target = Matrix(rows: 1, columns: 7, values: [0.5, 0.2, 0.1, 0.2, 4, 0, 7])
    let temperature = 2.0
    func loss(_ values: [Double]) -> Double {
      let powers = values.map { exp($0 / temperature) }
      let q = powers.map { $0 / powers.reduce(0, +) }
      let others = [1, 2, 3, 5, 6, 8].reduce(0) { $0 + q[$1] }
      return -(0.5 * log(q[4]) + 0.2 * log(q[0]) + 0.1 * log(q[7]) + 0.2 * log(others))
    }
    var row = logits
    var found: Float = 0
    row.withRow(0) {
      found = CrossEntropy.soft(
        &$0, largest: target.row(0), temperature: Float(temperature), scale: 3)
    }
    let own = Array(logits.doubles[0])
    #expect(mismatch(Double(found), loss(own), relative: 1e-5) == nil)
    for index in 0..<9 {
      var (up, down) = (own, own)
      up[index] += 1e-4
      down[index] -= 1e-4
      let slope = 3 * (loss(up) - loss(down)) / 2e-4
      #expect(mismatch(Double(row[0, index]), slope, absolute: 1e-5) == nil)
    }
    // A student that gives the others nothing is pulled back without trouble.
    var sure = Matrix(rows: 1, columns: 9, values: [0, -900, -900, -900, 0, -900, -900, 0, -900])
    sure.withRow(0) {
      found = CrossEntropy.soft(&$0, largest: target.row(0), temperature: 1, scale: 1)
    }
    #expect(found.isFinite && sure.isFinite)
  }

  private func replace(
    temperature: Double, hardWeight: Double, scale: Float = 1, label: Int32 = 2
  ) -> (row: [Float], loss: Float) {
    let objective = SoftAndHardTargets(
      options: DistillationOptions(temperature: temperature, hardWeight: hardWeight))
    let target = soft.map { Float($0) }
    var matrix = Matrix(rows: 1, columns: 6, values: logits.map { Float($0) })
    var loss: Float = 0
    matrix.withRow(0) {
      loss = objective.replaceByGradient(
        &$0, label: label, softTarget: target.span, scale: scale)
    }
    return (matrix.values, loss)
  }

  @Test(
    "loss and gradient are the formula's, at each T and λ",
    arguments: [1.0, 2.0, 10.0], [0.0, 0.3, 0.5, 1.0])
  func formula(temperature: Double, hardWeight: Double) {
    func loss(_ logits: [Double]) -> Double {
      Naive.distillationLoss(
        logits, label: 2, target: soft, temperature: temperature, hardWeight: hardWeight)
    }
    let found = replace(temperature: temperature, hardWeight: hardWeight, scale: 0.25)
    #expect(mismatch(found.loss, loss(logits), absolute: 1e-5, relative: 1e-5) == nil)
    let expected = logits.indices.map { index in
      0.25
        * slope(at: logits[index], step: 1e-4) { value in
          var changed = logits
          changed[index] = value
          return loss(changed)
        }
    }
    #expect(mismatch(found.row, expected, absolute: 2e-6) == nil)
  }

  @Test("λ = 1 is the baseline's loss to the bit, whatever T and the soft targets")
  func hardOnly() {
    let hard = HardTargets()
    var matrix = Matrix(rows: 1, columns: 6, values: logits.map { Float($0) })
    var loss: Float = 0
    let none: [Float] = []
    matrix.withRow(0) {
      loss = hard.replaceByGradient(&$0, label: 2, softTarget: none.span, scale: 0.5)
    }
    let found = replace(temperature: 7, hardWeight: 1, scale: 0.5)
    #expect(found.loss == loss)
    #expect(found.row == matrix.values)
  }

  @Test("a frame whose class is not known has the soft term alone", arguments: [0.0, 0.3, 1.0])
  func unknownClass(hardWeight: Double) {
    let found = replace(
      temperature: 3, hardWeight: hardWeight, scale: 0.5, label: FrameClass.unknown)
    let expected = replace(temperature: 3, hardWeight: 0, scale: 0.5)
    #expect(found.loss == expected.loss)
    #expect(found.row == expected.row)
  }

  @Test("T² keeps the soft gradient's size: from T = 20 to 200 it changes by little")
  func temperatureSquared() {
    func size(_ temperature: Double) -> Double {
      let row = logits.map { $0 - logits.reduce(0, +) / 6 }
      let target = Naive.softmax([3, 1, 0, 0, -1, -3], temperature: temperature)
        .map { Float($0) }
      let objective = SoftAndHardTargets(
        options: DistillationOptions(temperature: temperature, hardWeight: 0))
      var matrix = Matrix(rows: 1, columns: 6, values: row.map { Float($0) })
      matrix.withRow(0) {
        _ = objective.replaceByGradient(&$0, label: 0, softTarget: target.span, scale: 1)
      }
      return matrix.values.reduce(0) { $0 + Double($1 * $1) }.squareRoot()
    }
    #expect(mismatch(size(20), size(200), relative: 0.1) == nil)
  }

  @Test("the weight is the loss of equal logits, with a class or without, over log N")
  func weight() {
    for (temperature, hardWeight) in [(2.0, 0.3), (5, 0), (1, 1), (10, 0.95), (0.5, 0.3)] {
      let options = DistillationOptions(temperature: temperature, hardWeight: hardWeight)
      let objective = SoftAndHardTargets(options: options)
      let target = soft.map { Float($0) }
      let losses = [2, FrameClass.unknown].map { label in
        var equal = Matrix(rows: 1, columns: 6)
        var loss: Float = 0
        equal.withRow(0) {
          loss = objective.replaceByGradient(&$0, label: label, softTarget: target.span, scale: 1)
        }
        return Double(loss)
      }
      #expect(
        mismatch(losses.max() ?? 0, objective.weight * log(6), absolute: 1e-3) == nil, "\(losses)")
    }
  }

  @Test("class weights and label smoothing are the hard term's")
  func hardOptions() {
    let objective = SoftAndHardTargets(
      options: DistillationOptions(temperature: 2, hardWeight: 0.4),
      hard: HardTargets(smoothing: 0.2, classWeights: [1, 1, 3, 1, 1, 1]))
    let target = soft.map { Float($0) }
    var matrix = Matrix(rows: 1, columns: 6, values: logits.map { Float($0) })
    var found: Float = 0
    matrix.withRow(0) {
      found = objective.replaceByGradient(&$0, label: 2, softTarget: target.span, scale: 1)
    }
    func loss(_ logits: [Double]) -> Double {
      let smooth = Naive.softmax(logits).enumerated().reduce(0) { sum, pair in
        sum - ((pair.offset == 2 ? 0.8 : 0) + 0.2 / 6) * log(pair.element)
      }
      let soft = Naive.distillationLoss(
        logits, label: 2, target: soft, temperature: 2, hardWeight: 0)
      return 0.4 * 3 * smooth + 0.6 * soft
    }
    #expect(mismatch(found, loss(logits), absolute: 1e-5) == nil)
    let expected = logits.indices.map { index in
      slope(at: logits[index], step: 1e-4) { value in
        var changed = logits
        changed[index] = value
        return loss(changed)
      }
    }
    #expect(mismatch(matrix.values, expected, absolute: 3e-6) == nil)
  }
}
