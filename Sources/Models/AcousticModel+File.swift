import Classes
package import Features
import Foundation
import LinearAlgebra
import Networks
package import Storage
package import SystemPackage

/// A fault of a model file, or of features that do not fit the model.
package enum ModelFault: Fault, Equatable {
  /// The file is missing, unreadable or not a safetensors file.
  case file(FileFault)
  /// The safetensors file is not a limbeck model, or lacks what `missing` says.
  case incomplete(path: FilePath, missing: String)
  /// The model has a format version that this limbeck does not know.
  case otherVersion(path: FilePath, found: String)
  /// The features were computed with options other than the model's; one string per difference.
  case otherFeatures(path: FilePath, features: Origin, differences: [String])

  /// That of the file fault, otherwise 65 (`data`).
  package var exitStatus: ExitStatus {
    if case .file(let fault) = self { fault.exitStatus } else { .data }
  }

  package var description: String {
    switch self {
    case .file(let fault): fault.description
    case .incomplete(let path, let missing):
      "\(path.text): expected a limbeck model, found a file without \(missing)"
    case .otherVersion(let path, let found):
      "\(path.text): expected a limbeck model of format version \(AcousticModel.formatVersion), "
        + "found version \(found), which another limbeck wrote"
    case .otherFeatures(let path, let features, let differences):
      "\(path.text): expects features that differ from those of \(features): "
        + differences.joined(separator: "; ")
    }
  }
}

extension AcousticModel {
  /// The version of the file's format, which changes when an older reader would misread the file.
  ///
  /// Older models have no version and count as version 1.
  package static let formatVersion = "1"

  /// Writes the model as one safetensors file.
  ///
  /// The mean and deviation of the normaliser are tensors, so that they keep every bit. Everything
  /// else is in the metadata, as JSON unless it is plain text. In a row of `layers.N.weight`, the
  /// weights of the layer's first `timeOffsets` entry come first.
  package func write(to path: FilePath) throws(FileFault) {
    var file = SafetensorsFile()
    for (index, layer) in network.layers.enumerated() {
      file.tensors["layers.\(index).weight"] = .init(layer.weights)
      file.tensors["layers.\(index).bias"] = .init(layer.bias)
    }
    file.tensors["normalizer.mean"] = .init(normalizer.mean)
    file.tensors["normalizer.deviation"] = .init(normalizer.deviation)
    if let logPriors { file.tensors["classes.logPriors"] = .init(logPriors) }
    file.metadata = [
      "formatVersion": AcousticModel.formatVersion,
      "architecture": "time-delay, ReLU",
      "layers": "\(network.layers.count)",
      "timeOffsets": JSONText.line(network.layers.map(\.offsets)),
      "features": JSONText.line(features),
      "classes": JSONText.line(classes.symbols),
      "provenance": JSONText.line(provenance),
    ]
    try file.write(to: path)
  }

  /// Reads a model that `write` wrote, or one of limbeck 0.2 (feed-forward, with a `context`).
  ///
  /// - Throws: `ModelFault` when the file is unreadable, incomplete, of another format version, or
  ///   has parts that do not fit.
  package init(path: FilePath) throws(ModelFault) {
    let file = try ModelFile(path: path)
    let layers = try file.layers()
    let features: FeatureOptions = try file.value("features")
    let symbols: [String] = try file.value("classes")
    let mean = try file.tensor("normalizer.mean", dimensions: 1).values
    let deviation = try file.tensor("normalizer.deviation", dimensions: 1).values
    let logPriors = try file.optionalTensor("classes.logPriors", dimensions: 1)?.values
    guard let first = layers.first, let last = layers.last, Set(symbols).count == symbols.count,
      symbols.count <= ClassInventory.most,
      first.inputs == features.columns,
      last.bias.count == symbols.count, mean.count == features.columns,
      logPriors?.count ?? symbols.count == symbols.count,
      deviation.count == mean.count, deviation.allSatisfy({ $0 > 0 })
    else { throw .incomplete(path: path, missing: "matching parts") }
    self.init(
      network: AcousticNetwork(layers: layers), features: features,
      normalizer: FeatureNormalizer(mean: mean, deviation: deviation),
      classes: ClassInventory(symbols: symbols), logPriors: logPriors,
      provenance: try file.value("provenance"))
  }

  /// Throws when features computed with `options` are not what the model expects.
  ///
  /// - Parameters:
  ///   - options: the options of the features.
  ///   - path: the model's path, for the message.
  ///   - folder: where the features are, for the message.
  /// - Throws: `ModelFault.otherFeatures`.
  package func requireFeatures(
    _ options: FeatureOptions, path: FilePath, madeIn folder: Origin
  ) throws(ModelFault) {
    let differences = features.differences(from: options)
    guard differences.isEmpty else {
      throw .otherFeatures(path: path, features: folder, differences: differences)
    }
  }
}

/// Reads the parts of a file that `AcousticModel.write(to:)` wrote.
private struct ModelFile {
  let path: FilePath
  private let file: SafetensorsFile

  init(path: FilePath) throws(ModelFault) {
    self.path = path
    do {
      file = try SafetensorsFile(path: path)
    } catch {
      throw .file(error)
    }
    let version = file.metadata["formatVersion"] ?? AcousticModel.formatVersion
    guard version == AcousticModel.formatVersion else {
      throw .otherVersion(path: path, found: version)
    }
  }

  /// The value of a metadata key.
  func value<Value: Decodable>(_ key: String) throws(ModelFault) -> Value {
    guard let text = file.metadata[key],
      let value = try? JSONDecoder().decode(Value.self, from: Data(text.utf8))
    else { throw .incomplete(path: path, missing: "\(key) in its metadata") }
    return value
  }

  /// A tensor with this number of dimensions, all of whose values are finite.
  func tensor(_ name: String, dimensions: Int) throws(ModelFault) -> SafetensorsFile.Tensor {
    guard let tensor = file.tensors[name], tensor.shape.count == dimensions else {
      throw .incomplete(path: path, missing: "a tensor \(name) of \(dimensions) dimensions")
    }
    guard tensor.values.allSatisfy(\.isFinite) else {
      throw .incomplete(path: path, missing: "finite values throughout \(name)")
    }
    return tensor
  }

  /// A tensor that older files lack.
  func optionalTensor(
    _ name: String, dimensions: Int
  ) throws(ModelFault) -> SafetensorsFile.Tensor? {
    file.tensors[name] == nil ? nil : try tensor(name, dimensions: dimensions)
  }

  /// The layers, each of which takes the outputs of the one before.
  func layers() throws(ModelFault) -> [AffineLayer] {
    var layers: [AffineLayer] = []
    for (index, offsets) in try timeOffsets().enumerated() {
      let weights = try tensor("layers.\(index).weight", dimensions: 2)
      let bias = try tensor("layers.\(index).bias", dimensions: 1)
      guard bias.shape[0] == weights.shape[0], bias.shape[0] > 0, !offsets.isEmpty,
        zip(offsets, offsets.dropFirst()).allSatisfy({ $0 < $1 }),
        offsets.allSatisfy({ (-100_000...100_000).contains($0) }),
        weights.shape[1] % offsets.count == 0,
        layers.last.map({ $0.bias.count == weights.shape[1] / offsets.count }) ?? true
      else { throw .incomplete(path: path, missing: "matching layers") }
      layers.append(
        AffineLayer(
          weights: Matrix(
            rows: weights.shape[0], columns: weights.shape[1], values: weights.values),
          bias: bias.values, offsets: offsets))
    }
    return layers
  }

  /// The time offsets of each layer.
  private func timeOffsets() throws(ModelFault) -> [[Int]] {
    let layers: Int = try value("layers")
    if file.metadata["timeOffsets"] == nil, layers > 0, layers <= file.tensors.count {
      // A feed-forward network of version 0.2.
      let context: ContextWindow = try value("context")
      return [Array(context.offsets)] + Array(repeating: [0], count: layers - 1)
    }
    let offsets: [[Int]] = try value("timeOffsets")
    guard offsets.count == layers else {
      throw .incomplete(path: path, missing: "the timeOffsets of each layer")
    }
    return offsets
  }
}
