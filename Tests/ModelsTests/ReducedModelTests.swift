import Features
import Foundation
import LinearAlgebra
import Models
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Models in reduced precision and their files")
struct ReducedModelTests {
  private let folder: TemporaryFolder
  private var path: FilePath { folder.file("model.safetensors") }

  init() throws { folder = try TemporaryFolder() }

  private let features = Matrix.random(rows: 200, columns: 4, seed: 602)

  /// A time-delay model in int8, and in float32.
  private func models() -> (int8: AcousticModel, float32: AcousticModel) {
    let model = sampleModel(
      seed: 601, hidden: HiddenShape(layers: 2, units: 30, timeOffsets: [[-2, 0, 1], [-5, 4]]))
    var calibration = Calibration(of: model)
    calibration.add(features.rows(Array(0..<80)))
    calibration.add(features.rows(Array(80..<200)))
    return (calibration.model(data: "feats"), model)
  }

  @Test("int8 and bfloat16 models survive their files to the bit, and the files are small")
  func roundTrip() throws {
    let (int8, float32) = models()
    #expect(int8.calibration == Calibration.Record(data: "feats", utterances: 2, frames: 200))
    for (model, size) in [(int8, 1), (float32.with(.bfloat16), 2)] {
      try model.write(to: path)
      let again = try AcousticModel(path: path)
      #expect(again == model)
      #expect(again.logits(of: features) == model.logits(of: features))
      let file = try SafetensorsFile(path: path)
      #expect(file.metadata["precision"] == model.precision.name.rawValue)
      let tensor = try #require(file.tensors["layers.1.weight"])
      #expect(tensor.elements.type == (size == 1 ? "I8" : "BF16"))
      let bytes = try TextFile.bytes(of: path)
      try again.write(to: folder.file("again"))
      #expect(try TextFile.bytes(of: folder.file("again")) == bytes)
    }
  }

  @Test("logits are close to those in float32, and a reduced model is no float32 model")
  func closeness() throws {
    let (int8, float32) = models()
    let exact = float32.logits(of: features)
    // Logits of some units; 8 bits of inputs up to three units in 127 steps, through three layers.
    #expect(mismatch(int8.logits(of: features).values, exact.values, absolute: 0.25) == nil)
    #expect(
      mismatch(float32.with(.bfloat16).logits(of: features).values, exact.values, absolute: 0.1)
        == nil)
    #expect(int8.network != float32.network && int8 != float32)
    try float32.requireFloat32(path: "m")
    #expect(throws: ModelFault.reduced(path: "m", precision: .int8)) {
      try int8.requireFloat32(path: "m")
    }
    #expect(
      ModelFault.reduced(path: "m", precision: .int8).description
        == "m: expected a model in float32, found one in int8")
  }

  @Test("every cut of the frames gives the same logits, to the bit")
  func cuts() {
    for model in [models().int8, models().float32.with(.bfloat16)] {
      let whole = model.logits(of: features)
      for size in [1, 7, 100] {
        var stream = LogitStream(model, mostFrames: 48)
        var logits = Matrix(rows: 0, columns: 3)
        for start in stride(from: 0, to: 200, by: size) {
          stream.push(features.rows(Array(start..<min(200, start + size))), appendingTo: &logits)
        }
        stream.push(features.rows([]), isLast: true, appendingTo: &logits)
        #expect(logits == whole, "pieces of \(size)")
      }
    }
  }

  @Test("a file that lacks a part of an int8 model is a fault")
  func incomplete() throws {
    try models().int8.write(to: path)
    let whole = try SafetensorsFile(path: path)
    for key in ["formatVersion", "precision", "calibration", "timeOffsets"] {
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
  }

  /// Changes of a file, with a part of the message.
  static let changes: [(String, String, @Sendable (inout SafetensorsFile) -> Void)] = [
    ("version", "format version 1 or 2, found version 3", { $0.metadata["formatVersion"] = "3" }),
    ("precision", "a known precision", { $0.metadata["precision"] = "int4" }),
    ("other precision", "type BF16", { $0.metadata["precision"] = "bfloat16" }),
    ("no step", "usable", { $0.tensors["layers.0.inputStep"] = .init([0]) }),
    ("negative step", "usable", { $0.tensors["layers.1.inputStep"] = .init([-1]) }),
    ("tiny step", "usable", { $0.tensors["layers.1.inputStep"] = .init([0x1p-140]) }),
    ("infinite step", "finite", { $0.tensors["layers.1.inputStep"] = .init([.infinity]) }),
    ("two steps", "matching steps", { $0.tensors["layers.1.inputStep"] = .init([1, 1]) }),
    ("no steps", "matching steps", { $0.tensors["layers.1.inputStep"] = .init([]) }),
    ("few steps", "matching steps", { $0.tensors["layers.1.weightStep"] = .init([1]) }),
    (
      "huge steps", "usable",
      { $0.tensors["layers.1.weightStep"] = .init(Array(repeating: 1e37, count: 30)) }
    ),
    (
      "deviation", "matching parts",
      { $0.tensors["normalizer.deviation"] = .init([0x1p-149, 1, 1, 1]) }
    ),
    (
      "floats", "type I8",
      { $0.tensors["layers.1.weight"] = .init(Matrix(rows: 30, columns: 60)) }
    ),
  ]

  @Test("a file whose numbers cannot be used is a fault", arguments: changes.indices)
  func unusable(index: Int) throws {
    let (name, message, change) = ReducedModelTests.changes[index]
    try models().int8.write(to: path)
    var file = try SafetensorsFile(path: path)
    change(&file)
    try file.write(to: path)
    let fault = #expect(throws: ModelFault.self, "\(name)") { try AcousticModel(path: path) }
    #expect("\(try #require(fault))".contains(message), "\(name)")
  }

  @Test("layers of too many inputs for 32-bit sums are refused")
  func tooWide() throws {
    try models().int8.write(to: path)
    var file = try SafetensorsFile(path: path)
    let columns = 2 * (ByteWeights.mostInputs / 2 + 1)
    file.tensors["layers.0.weight"] = .init(
      shape: [columns / 2, 12], elements: .int8(Array(repeating: 1, count: 6 * columns)))
    for name in ["weightStep", "bias"] {
      file.tensors["layers.0.\(name)"] = .init(Array(repeating: 1, count: columns / 2))
    }
    file.tensors["layers.1.weight"] = .init(
      shape: [1, columns], elements: .int8(Array(repeating: 1, count: columns)))
    for name in ["weightStep", "bias"] { file.tensors["layers.1.\(name)"] = .init([1]) }
    try file.write(to: path)
    #expect(throws: ModelFault.tooWide(path: path)) { try AcousticModel(path: path) }
  }
}
