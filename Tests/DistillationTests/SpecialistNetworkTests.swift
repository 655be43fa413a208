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

@Suite("Networks of specialists")
struct SpecialistNetworkTests {
  /// Six classes; seeds 121 and 122.
  private let generalist = AcousticNetwork(
    features: 3, context: 0...0, hidden: HiddenShape(layers: 1, units: 5), classes: 6, seed: 121)
  private let input = Matrix.random(rows: 20, columns: 3, seed: 122, scale: 2)
  private let counts = [10, 0, 30, 5, 20, 5]

  @Test(
    "a specialist starts with the generalist's logits, and a dustbin below the sum of the others")
  func start() {
    let own: [Int32] = [4, 0]
    let specialist = generalist.specialist(own: own, counts: counts)
    #expect(specialist.classes == 3)
    let (all, few) = (generalist.logits(of: input).doubles, specialist.logits(of: input).doubles)
    // Classes 2, 3 and 5 have 30, 5 and 5 frames; class 1 has none.
    let shares = [2: 0.75, 3: 0.125, 5: 0.125]
    for (row, other) in zip(all, few) {
      let (row, other) = (Array(row), Array(other))
      #expect(mismatch([other[0], other[1]], [row[4], row[0]], absolute: 1e-5) == nil)
      let bound = shares.reduce(0) { $0 + $1.value * (row[$1.key] - log($1.value)) }
      #expect(mismatch(other[2], bound, absolute: 1e-5) == nil)
      #expect(other[2] <= log(exp(row[2]) + exp(row[3]) + exp(row[5])) + 1e-5)
    }
  }

  @Test("the bound is reached where the generalist's distribution over the others is theirs")
  func exact() {
    var network = generalist
    for id in [2, 3, 5] {
      network.layers[1].bias[id] = Float(log(Double(counts[id])))
      network.layers[1].weights.withRow(id) { for column in $0.indices { $0[column] = 0.1 } }
    }
    let logits = network.specialist(own: [4, 0], counts: counts).logits(of: input).doubles
    for (row, other) in zip(network.logits(of: input).doubles, logits) {
      let (row, other) = (Array(row), Array(other))
      let expected = log(exp(row[2]) + exp(row[3]) + exp(row[5]))
      #expect(mismatch(other[2], expected, absolute: 1e-5) == nil)
    }
  }

  @Test("raising adds to the logits of the classes alone")
  func raising() {
    let (before, after) = (
      generalist.logits(of: input), generalist.raising([1, 5], by: 0.75).logits(of: input)
    )
    for row in 0..<20 {
      for id in 0..<6 {
        let expected = before[row, id] + ([1, 5].contains(id) ? 0.75 : 0)
        #expect(mismatch(after[row, id], expected, absolute: 1e-5) == nil)
      }
    }
  }

  @Test(
    "the held loss is the formula's with its gradient", arguments: [1.0, 3.0], [0.0, 0.3, 1.0])
  func held(temperature: Double, hardWeight: Double) {
    for label in [2, 4] { held(temperature, hardWeight, label) }
  }

  /// With a label of the specialist's own, or another.
  private func held(_ temperature: Double, _ hardWeight: Double, _ label: Int) {
    // Seeds 123 and 124: classes 1, 2 and 5 are the specialist's own.
    let others = [0, 3, 4]
    let logits = Array(Matrix.random(rows: 1, columns: 6, seed: 123, scale: 2).doubles[0])
    let soft = Naive.softmax(Matrix.random(rows: 1, columns: 6, seed: 124).doubles[0])
    let objective = HeldTargets(
      own: [1, 2, 5], classes: 6,
      options: DistillationOptions(temperature: temperature, hardWeight: hardWeight))
    func crossEntropy(_ target: [Double], _ logits: [Double], _ temperature: Double) -> Double {
      -zip(target, Naive.softmax(logits.map { $0 / temperature })).reduce(0) {
        $0 + $1.0 * log($1.1)
      }
    }
    func loss(_ logits: [Double]) -> Double {
      let mass = others.reduce(0) { $0 + soft[$1] }
      let hard = crossEntropy((0..<6).map { $0 == label ? 1 : 0 }, logits, 1)
      let held = crossEntropy(
        others.map { soft[$0] / mass }, others.map { logits[$0] }, temperature)
      return hardWeight * hard + (1 - hardWeight) * temperature * temperature * held
    }
    var row = Matrix(rows: 1, columns: 6, values: logits.map { Float($0) })
    var found: Float = 0
    row.withRow(0) {
      found = objective.replaceByGradient(
        &$0, label: Int32(label), softTarget: soft.map { Float($0) }.span, scale: 0.5)
    }
    #expect(mismatch(found, loss(logits), absolute: 1e-5, relative: 1e-5) == nil)
    let expected = logits.indices.map { index in
      0.5
        * slope(at: logits[index], step: 1e-4) { value in
          var changed = logits
          changed[index] = value
          return loss(changed)
        }
    }
    #expect(mismatch(row.values, expected, absolute: 2e-6) == nil)
    let weight = hardWeight + (1 - hardWeight) * temperature * temperature
    #expect(mismatch(objective.weight, weight, absolute: 1e-6) == nil)
  }

  private func model(_ network: AcousticNetwork, _ symbols: [String]) -> AcousticModel {
    var features = FeatureOptions()
    features.logMel?.melBins = 3
    return AcousticModel(
      network: network, features: features,
      normalizer: FeatureNormalizer(mean: [0, 0, 0], deviation: [1, 1, 1]),
      classes: ClassInventory(symbols: symbols),
      provenance: AcousticModel.Provenance(
        system: "specialist-00", seed: 1, epoch: 1, developmentAccuracy: 0, limbeckVersion: "0"))
  }

  @Test("a specialist with all classes counts as one with its own and a dustbin of the same sum")
  func fullSoftmax() throws {
    let symbols = ["A", "B", "C", "D", "E", "F"]
    // Seed 125.
    let full = AcousticNetwork(
      features: 3, context: 0...0, hidden: HiddenShape(layers: 1, units: 5), classes: 6, seed: 125)
    let ensemble = try SpecialistEnsemble(
      generalist: model(generalist, symbols),
      specialists: [SpecialistEnsemble.Specialist(model: model(full, symbols), own: [1, 2])],
      active: 6)
    let answer = ensemble.answer(input)
    let combination = SpecialistCombination(classes: 6, specialists: [[1, 2]])
    var said = full.logits(of: input)
    said.replaceRowsBySoftmax()
    let narrow = Matrix(
      rows: 20, columns: 3,
      values: (0..<20).flatMap { [said[$0, 1], said[$0, 2], 1 - said[$0, 1] - said[$0, 2]] })
    let expected = combination.combined(answer.generalist, [narrow], n: 6)
    #expect(mismatch(answer.combined.values, expected.values, absolute: 1e-6) == nil)
    #expect(ensemble.activeCount(answer.generalist) == 20)
  }

  @Test("a model with other classes than the cluster's is refused by name")
  func otherClasses() {
    let symbols = ["A", "B", "C", "D", "E", "F"]
    let own = generalist.specialist(own: [1, 2], counts: counts)
    func ensemble(_ names: [String]) throws(EnsembleFault) -> SpecialistEnsemble {
      try SpecialistEnsemble(
        generalist: model(generalist, symbols),
        specialists: [SpecialistEnsemble.Specialist(model: model(own, names), own: [1, 2])],
        active: 1)
    }
    #expect(throws: EnsembleFault.otherClasses(system: "specialist-00")) {
      try ensemble(["B", "D", dustbinSymbol])
    }
    #expect(throws: Never.self) { try ensemble(["B", "C", dustbinSymbol]) }
  }
}
