import Classes
import Features
import Foundation
import LinearAlgebra
import ModelExport
import Models
import Networks
import ONNXRecords
import SwiftProtobuf
import SystemPackage
import TestSupport

/// Models with random weights, and the graphs that they are exported as.
struct ExportedModels {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a small model.
  func write(
    _ name: String, features: FeatureOptions = ExportedModels.logMel { _ in },
    timeOffsets: [[Int]] = [[-2, 0, 1], [-3]], classes: [String] = ["A", "B", "SIL"],
    deviation: Float = 2, logPriors: [Float]? = nil, seed: UInt64 = 501
  ) throws -> FilePath {
    let columns = features.columns
    let model = AcousticModel(
      network: AcousticNetwork(
        features: columns, context: 0...0,
        hidden: HiddenShape(layers: timeOffsets.count, units: 6, timeOffsets: timeOffsets),
        classes: classes.count, seed: seed),
      features: features,
      normalizer: FeatureNormalizer(
        mean: Array(repeating: 3, count: columns),
        deviation: Array(repeating: deviation, count: columns)),
      classes: ClassInventory(symbols: classes), logPriors: logPriors,
      provenance: AcousticModel.Provenance(
        system: name, seed: seed, epoch: 1, developmentAccuracy: 0.5, limbeckVersion: "0"))
    let path = folder.file("\(name).safetensors")
    try model.write(to: path)
    return path
  }

  /// Log-mel features of 8 kHz audio with 5 bands, changed by `change`.
  static func logMel(_ change: (inout LogMelOptions) -> Void) -> FeatureOptions {
    var options = LogMelOptions()
    (options.sampleRate, options.melBins) = (8000, 5)
    change(&options)
    return FeatureOptions(frames: .logMel(options))
  }

  /// Exports models and reads the file.
  func export(_ paths: [FilePath], _ input: ModelGraph.Input) throws -> Limbeck_Onnx_ModelProto {
    let path = folder.file("model.onnx")
    try ModelGraph(models: paths, input: input).write(to: path, producerVersion: "0.0")
    return try Limbeck_Onnx_ModelProto(serializedBytes: try Data(contentsOf: path.url))
  }
}

extension FilePath {
  var url: URL { URL(fileURLWithPath: string) }
}

extension Limbeck_Onnx_ModelProto {
  /// The metadata by key.
  var metadata: [String: String] {
    Dictionary(uniqueKeysWithValues: metadataProps.map { ($0.key, $0.value) })
  }

  /// A constant of 32-bit floats with its shape.
  func constant(_ name: String) -> (shape: [Int], values: [Float])? {
    guard let tensor = graph.initializer.first(where: { $0.name == name }), tensor.dataType == 1
    else { return nil }
    let bytes = Array(tensor.rawData)
    let values = stride(from: 0, to: bytes.count, by: 4).map { place in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * $1) })
    }
    return (tensor.dims.map(Int.init), values)
  }

  /// The values of a constant of 64-bit floats.
  func doubles(_ name: String) -> [Double]? {
    guard let tensor = graph.initializer.first(where: { $0.name == name }), tensor.dataType == 11
    else { return nil }
    let bytes = Array(tensor.rawData)
    return stride(from: 0, to: bytes.count, by: 8).map { place in
      Double(bitPattern: (0..<8).reduce(0) { $0 | UInt64(bytes[place + $1]) << (8 * $1) })
    }
  }

  /// The operators in order.
  var operators: [String] { graph.node.map(\.opType) }
}

extension Limbeck_Onnx_ValueInfoProto {
  /// The sizes and names of the dimensions, with the code of the type.
  var shape: String {
    let sizes = type.tensorType.shape.dim.map { size in
      switch size.value {
      case .dimValue(let count): "\(count)"
      case .dimParam(let name): name
      case nil: "?"
      }
    }
    return "\(name) \(type.tensorType.elemType): " + sizes.joined(separator: " × ")
  }
}
