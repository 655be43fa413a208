import Corpus
import Features
import Foundation
import LinearAlgebra
import Networks
import Storage
import TestSupport
import Testing
import Training

/// A small model with random weights.
func sampleModel(seed: UInt64, classes: [String] = ["A", "B", "SIL"]) -> AcousticModel {
  var features = FeatureOptions()
  features.logMel.melBins = 4
  return AcousticModel(
    network: FeedForwardNetwork(
      inputs: 16, hidden: HiddenShape(layers: 1, units: 6), classes: classes.count, seed: seed),
    features: features,
    normalizer: FeatureNormalizer(mean: [1, 2, 3, 4], deviation: [0.5, 1, 2, .pi]),
    context: ContextWindow(left: 2, right: 1), classes: ClassInventory(symbols: classes),
    provenance: AcousticModel.Provenance(
      system: "member-00", seed: seed, epoch: 3, developmentAccuracy: 0.1 + 0.2,
      limbeckVersion: "0"))
}

@Suite("Models and their files")
struct AcousticModelTests {
  @Test("a model survives its file to the bit")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let model = sampleModel(seed: 61)
    try model.write(to: folder.file("model.safetensors"))
    #expect(try AcousticModel(path: folder.file("model.safetensors")) == model)
  }

  @Test("an utterance is classified as a training set of that utterance is")
  func sameAsTraining() {
    let model = sampleModel(seed: 62)
    let features = Matrix.random(rows: 9, columns: 4, seed: 63, scale: 3)
    let set = FrameSet(
      [
        .init(id: "other", features: features, labels: Array(repeating: 0, count: 9)),
        .init(id: "own", features: features, labels: Array(repeating: 0, count: 9)),
      ], normalizer: model.normalizer, context: model.context)
    var input = Matrix(rows: 0, columns: set.inputs)
    set.gather((9..<18).map { Int32($0) }[...], into: &input)
    #expect(model.logits(of: features) == model.network.logits(of: input))
  }

  @Test("features made with other options are refused, and each difference is named")
  func otherFeatures() throws {
    let model = sampleModel(seed: 64)
    #expect(throws: Never.self) {
      try model.requireFeatures(model.features, path: "m", madeIn: "f")
    }
    var other = model.features
    other.logMel.sampleRate = 8000
    let fault = #expect(throws: ModelFault.self) {
      try model.requireFeatures(other, path: "m", madeIn: "f")
    }
    #expect(
      fault?.description
        == "m: expects other features than those of f: sampleRate 16000, not 8000")
  }

  @Test("files that are no model, or not a whole one, are faults")
  func incomplete() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    try sampleModel(seed: 65).write(to: path)
    let whole = try SafetensorsFile(path: path)
    for key in whole.metadata.keys where key != "architecture" {
      var part = whole
      part.metadata[key] = nil
      try part.write(to: path)
      #expect(throws: ModelFault.self, "without \(key)") { try AcousticModel(path: path) }
    }
    for name in whole.tensors.keys {
      var part = whole
      part.tensors[name] = nil
      try part.write(to: path)
      #expect(throws: ModelFault.self, "without \(name)") { try AcousticModel(path: path) }
    }
    var wrong = whole
    wrong.tensors["normalizer.mean"] = .init([1, 2])
    try wrong.write(to: path)
    #expect(throws: ModelFault.self) { try AcousticModel(path: path) }
    try folder.write("no model", to: "text")
    #expect(throws: ModelFault.self) { try AcousticModel(path: folder.file("text")) }
  }
}
