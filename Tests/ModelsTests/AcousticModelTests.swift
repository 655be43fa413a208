import Classes
import Features
import Foundation
import LinearAlgebra
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing
import Models

/// A small model with random weights.
func sampleModel(
  seed: UInt64, classes: [String] = ["A", "B", "SIL"],
  hidden: HiddenShape = HiddenShape(layers: 1, units: 6), logPriors: [Float]? = nil
) -> AcousticModel {
  var features = FeatureOptions()
  features.logMel?.melBins = 4
  return AcousticModel(
    network: AcousticNetwork(
      features: 4, context: -2...1, hidden: hidden, classes: classes.count, seed: seed),
    features: features,
    normalizer: FeatureNormalizer(mean: [1, 2, 3, 4], deviation: [0.5, 1, 2, .pi]),
    classes: ClassInventory(symbols: classes), logPriors: logPriors,
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

  @Test("log priors survive the file to the bit, and as many as classes are needed")
  func priors() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    let model = sampleModel(
      seed: 61, logPriors: [-0.1, -.pi, Float.greatestFiniteMagnitude.squareRoot()])
    try model.write(to: path)
    #expect(try AcousticModel(path: path) == model)
    var file = try SafetensorsFile(path: path)
    file.tensors["classes.logPriors"] = .init([-1, -2])
    try file.write(to: path)
    #expect(
      throws: ModelFault.incomplete(path: path, missing: "matching parts")
    ) { try AcousticModel(path: path) }
  }

  @Test("a model with a number that is not finite is refused", arguments: [Float.nan, .infinity])
  func notFinite(value: Float) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    try sampleModel(seed: 61).write(to: path)
    var file = try SafetensorsFile(path: path)
    file.tensors["layers.1.bias"] = .init([1, value, 2])
    try file.write(to: path)
    let fault = #expect(throws: ModelFault.self) { try AcousticModel(path: path) }
    #expect(fault == .incomplete(path: path, missing: "finite values throughout layers.1.bias"))
  }

  @Test("long utterances are classified piece by piece, with the same result as whole")
  func long() {
    let model = sampleModel(
      seed: 66, hidden: HiddenShape(layers: 2, units: 6, timeOffsets: [[-2, 0, 1], [-5, 4]]))
    let features = Matrix.random(rows: 2500, columns: 4, seed: 67)
    let logits = model.logits(of: features)
    #expect(logits.rows == 2500)
    // Around the borders of pieces, from the frames that matter alone.
    for frame in [1023, 1024, 2047, 2048] {
      let part = Matrix(
        rows: 21, columns: 4,
        values: (frame - 10...frame + 10).flatMap { row in (0..<4).map { features[row, $0] } })
      #expect(
        mismatch(model.logits(of: part).doubles[10], logits.doubles[frame], absolute: 1e-5) == nil)
    }
  }

  @Test("a model of version 0.2, which has a context instead, is the same model")
  func oldModel() throws {
    let folder = try TemporaryFolder()
    let model = sampleModel(seed: 68)
    let path = folder.file("model.safetensors")
    try model.write(to: path)
    var file = try SafetensorsFile(path: path)
    file.metadata["timeOffsets"] = nil
    file.metadata["context"] = JSONText.line(ContextWindow(left: 2, right: 1))
    try file.write(to: path)
    #expect(try AcousticModel(path: path) == model)
  }

  @Test("a model without a format version is read, one of another version is refused")
  func formatVersion() throws {
    let folder = try TemporaryFolder()
    let model = sampleModel(seed: 69)
    let path = folder.file("model.safetensors")
    try model.write(to: path)
    var file = try SafetensorsFile(path: path)
    #expect(file.metadata["formatVersion"] == "1")
    file.metadata["formatVersion"] = nil
    try file.write(to: path)
    #expect(try AcousticModel(path: path) == model)
    file.metadata["formatVersion"] = "3"
    try file.write(to: path)
    let fault = #expect(throws: ModelFault.self) { try AcousticModel(path: path) }
    #expect(
      fault?.description == """
        \(path): expected a limbeck model of format version 1 or 2, found version 3, which another \
        limbeck wrote
        """)
  }

  @Test("features made with other options are refused, and each difference is named")
  func otherFeatures() throws {
    let model = sampleModel(seed: 64)
    #expect(throws: Never.self) {
      try model.requireFeatures(model.features, path: "m", madeIn: .named("f"))
    }
    var other = model.features
    other.logMel?.sampleRate = 8000
    let fault = #expect(throws: ModelFault.self) {
      try model.requireFeatures(other, path: "m", madeIn: .named("f"))
    }
    #expect(
      fault?.description
        == "m: expects features that differ from those of f: sampleRate 16000, not 8000")
  }

  @Test("files that are no model, or not a whole one, are faults")
  func incomplete() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    try sampleModel(seed: 65).write(to: path)
    let whole = try SafetensorsFile(path: path)
    for key in whole.metadata.keys
    where key != "architecture" && key != "formatVersion" {
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
    // A layer without outputs, below one without inputs.
    let shapes = try (0...1).map { try #require(whole.tensors["layers.\($0).weight"]).shape }
    var empty = whole
    empty.tensors["layers.0.weight"] = .init(Matrix(rows: 0, columns: shapes[0][1]))
    empty.tensors["layers.0.bias"] = .init([])
    empty.tensors["layers.1.weight"] = .init(Matrix(rows: shapes[1][0], columns: 0))
    try empty.write(to: path)
    let fault = #expect(throws: ModelFault.self) { try AcousticModel(path: path) }
    #expect(fault == .incomplete(path: path, missing: "matching layers"))
    try folder.write("no model", to: "text")
    #expect(throws: ModelFault.self) { try AcousticModel(path: folder.file("text")) }
  }
}
