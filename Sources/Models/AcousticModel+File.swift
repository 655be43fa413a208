import Classes
package import Features
import Foundation
import LinearAlgebra
package import Networks
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
  /// The model is in another precision than float32, which the work needs.
  case reduced(path: FilePath, precision: NetworkPrecision.Name)
  /// A layer has too many inputs for 8 bits.
  case tooWide(path: FilePath)
  /// The weights of a layer are outside the range of a precision.
  case unrepresentable(path: FilePath, layer: Int, precision: NetworkPrecision.Name)

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
      "\(path.text): expected a limbeck model of format version \(AcousticModel.FormatVersion.known), "
        + "found version \(found), which another limbeck wrote"
    case .otherFeatures(let path, let features, let differences):
      "\(path.text): expects features that differ from those of \(features): "
        + differences.joined(separator: "; ")
    case .reduced(let path, let precision):
      "\(path.text): expected a model in float32, found one in \(precision.rawValue)"
    case .unrepresentable(let path, let layer, let precision):
      "\(path.text): expected weights in the range of \(precision.rawValue), "
        + "found others in layers.\(layer)"
    case .tooWide(let path):
      "\(path.text): expected layers of at most \(ByteWeights.mostInputs) inputs for int8, found more"
    }
  }
}

extension AcousticModel {
  /// The versions of the file's format; a new one is due when an older reader would misread the file.
  enum FormatVersion: String, CaseIterable {
    /// Weights in float32; also models without a version, which are older.
    case float32 = "1"
    /// Weights in a reduced precision.
    case reduced = "2"

    /// All of them, for messages.
    static var known: String { allCases.map(\.rawValue).joined(separator: " or ") }
  }

  /// Writes the model as one safetensors file.
  ///
  /// The mean and deviation of the normaliser are tensors, so that they keep every bit. Everything
  /// else is in the metadata, as JSON unless it is plain text. In a row of `layers.N.weight`, the
  /// weights of the layer's first `timeOffsets` entry come first.
  ///
  /// A model in a reduced precision has `formatVersion` 2, its `precision`, and weights of type
  /// `BF16` or `I8`. For int8, `layers.N.weightStep` is the value of one step of each output's
  /// weights, `layers.N.inputStep` that of the layer's input, and `calibration` names the data on
  /// which the latter was chosen.
  package func write(to path: FilePath) throws(FileFault) {
    var file = SafetensorsFile()
    for (index, layer) in network.layers.enumerated() {
      let shape = [layer.weights.rows, layer.weights.columns]
      let elements: SafetensorsFile.Elements
      switch precision {
      case .float32: elements = .float32(layer.weights.values)
      case .bfloat16: elements = .bfloat16(layer.weights.bfloat16)
      case .int8(let steps):
        elements = .int8(layer.bytes(steps[index]))
        file.tensors["layers.\(index).weightStep"] = .init(steps[index].weights)
        file.tensors["layers.\(index).inputStep"] = .init([steps[index].input])
      }
      file.tensors["layers.\(index).weight"] = .init(shape: shape, elements: elements)
      file.tensors["layers.\(index).bias"] = .init(layer.bias)
    }
    file.tensors["normalizer.mean"] = .init(normalizer.mean)
    file.tensors["normalizer.deviation"] = .init(normalizer.deviation)
    if let logPriors { file.tensors["classes.logPriors"] = .init(logPriors) }
    file.metadata = [
      "formatVersion": (precision == .float32 ? FormatVersion.float32 : .reduced).rawValue,
      "architecture": "time-delay, ReLU",
      "layers": "\(network.layers.count)",
      "timeOffsets": JSONText.line(network.layers.map(\.offsets)),
      "features": JSONText.line(features),
      "classes": JSONText.line(classes.symbols),
      "provenance": JSONText.line(provenance),
    ]
    if precision != .float32 {
      file.metadata["precision"] = precision.name.rawValue
    }
    if let calibration { file.metadata["calibration"] = JSONText.line(calibration) }
    try file.write(to: path)
  }

  /// Reads a model that `write` wrote, or one of limbeck 0.2 (feed-forward, with a `context`).
  ///
  /// - Throws: `ModelFault` when the file is unreadable, incomplete, of another format version, or
  ///   has parts that do not fit.
  package init(path: FilePath) throws(ModelFault) {
    let file = try ModelFile(path: path)
    let precision = try file.precision()
    let layers = try file.layers(precision)
    let features: FeatureOptions = try file.value("features")
    let symbols: [String] = try file.value("classes")
    let mean = try file.tensor("normalizer.mean", dimensions: 1).values
    let deviation = try file.tensor("normalizer.deviation", dimensions: 1).values
    let logPriors = try file.optionalTensor("classes.logPriors", dimensions: 1)?.values
    guard let first = layers.first, let last = layers.last, Set(symbols).count == symbols.count,
      symbols.count <= ClassInventory.most,
      first.affine.inputs == features.columns,
      last.affine.bias.count == symbols.count, mean.count == features.columns,
      logPriors?.count ?? symbols.count == symbols.count,
      deviation.count == mean.count, deviation.allSatisfy({ $0 > 0 }),
      // So that finite features never become NaN, which 8 bits cannot hold.
      precision != .int8 || deviation.allSatisfy({ (1 / $0).isFinite })
    else { throw .incomplete(path: path, missing: "matching parts") }
    self.init(
      network: AcousticNetwork(layers: layers.map(\.affine)), features: features,
      normalizer: FeatureNormalizer(mean: mean, deviation: deviation),
      classes: ClassInventory(symbols: symbols), logPriors: logPriors,
      provenance: try file.value("provenance"),
      precision: file.precision(precision, layers), calibration: try file.calibration(precision))
  }

  /// Throws unless all weights and steps are usable numbers, so that the model can be read again.
  ///
  /// - Parameter path: the file of the model in float32.
  /// - Throws: `ModelFault.unrepresentable` for the first layer with others.
  package func requireUsableNumbers(path: FilePath) throws(ModelFault) {
    for (index, layer) in network.layers.enumerated() {
      var isUsable = layer.weights.isFinite
      if case .int8(let steps) = precision { isUsable = isUsable && steps[index].areUsable }
      guard isUsable else {
        throw .unrepresentable(path: path, layer: index, precision: precision.name)
      }
    }
  }

  /// Throws `ModelFault.reduced` for a model that is not in float32, which training needs.
  package func requireFloat32(path: FilePath) throws(ModelFault) {
    guard precision == .float32 else {
      throw .reduced(path: path, precision: precision.name)
    }
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
  private let version: AcousticModel.FormatVersion
  private let file: SafetensorsFile

  init(path: FilePath) throws(ModelFault) {
    self.path = path
    do {
      file = try SafetensorsFile(path: path)
    } catch {
      throw .file(error)
    }
    let found = file.metadata["formatVersion"] ?? AcousticModel.FormatVersion.float32.rawValue
    guard let version = AcousticModel.FormatVersion(rawValue: found) else {
      throw .otherVersion(path: path, found: found)
    }
    self.version = version
  }

  /// The value of a metadata key.
  func value<Value: Decodable>(_ key: String) throws(ModelFault) -> Value {
    guard let text = file.metadata[key],
      let value = try? JSONDecoder().decode(Value.self, from: Data(text.utf8))
    else { throw .incomplete(path: path, missing: "\(key) in its metadata") }
    return value
  }

  /// The precision of the weights.
  func precision() throws(ModelFault) -> NetworkPrecision.Name {
    guard version == .reduced else { return .float32 }
    guard let precision = file.metadata["precision"].flatMap(NetworkPrecision.Name.init) else {
      throw .incomplete(path: path, missing: "a known precision in its metadata")
    }
    return precision
  }

  /// The precision with the steps of the layers.
  func precision(
    _ name: NetworkPrecision.Name, _ layers: [Layer]
  ) -> NetworkPrecision {
    switch name {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .int8: .int8(layers.compactMap(\.steps))
    }
  }

  /// What the steps of an int8 model were chosen on.
  func calibration(
    _ precision: NetworkPrecision.Name
  ) throws(ModelFault) -> Calibration.Record? {
    precision == .int8 ? try value("calibration") : nil
  }

  /// A tensor with this number of dimensions and type, all of whose values are finite.
  func tensor(
    _ name: String, dimensions: Int, type: String = "F32"
  ) throws(ModelFault) -> SafetensorsFile.Tensor {
    guard let tensor = file.tensors[name], tensor.shape.count == dimensions,
      tensor.elements.type == type
    else {
      throw .incomplete(
        path: path, missing: "a tensor \(name) of \(dimensions) dimensions and type \(type)")
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

  /// A layer with the steps of its 8-bit numbers; nil in other precisions.
  struct Layer {
    let affine: AffineLayer
    let steps: ByteSteps?
  }

  /// The layers, each of which takes the outputs of the one before.
  func layers(_ precision: NetworkPrecision.Name) throws(ModelFault) -> [Layer] {
    let type =
      switch precision {
      case .float32: "F32"
      case .bfloat16: "BF16"
      case .int8: "I8"
      }
    var layers: [Layer] = []
    for (index, offsets) in try timeOffsets().enumerated() {
      let weights = try tensor("layers.\(index).weight", dimensions: 2, type: type)
      let bias = try tensor("layers.\(index).bias", dimensions: 1)
      guard bias.shape[0] == weights.shape[0], bias.shape[0] > 0, !offsets.isEmpty,
        zip(offsets, offsets.dropFirst()).allSatisfy({ $0 < $1 }),
        offsets.allSatisfy({ (-100_000...100_000).contains($0) }),
        weights.shape[1] > 0, weights.shape[1] % offsets.count == 0,
        layers.last.map({ $0.affine.bias.count == weights.shape[1] / offsets.count }) ?? true
      else { throw .incomplete(path: path, missing: "matching layers") }
      let affine = AffineLayer(
        weights: Matrix(
          rows: weights.shape[0], columns: weights.shape[1], values: weights.values),
        bias: bias.values, offsets: offsets)
      layers.append(
        precision == .int8
          ? try quantized(affine, index, weights) : Layer(affine: affine, steps: nil))
    }
    return layers
  }

  /// A layer in 8 bits, with its weights in float32.
  private func quantized(
    _ numbers: AffineLayer, _ index: Int, _ weights: SafetensorsFile.Tensor
  ) throws(ModelFault) -> Layer {
    let own = try tensor("layers.\(index).weightStep", dimensions: 1)
    let input = try tensor("layers.\(index).inputStep", dimensions: 1)
    guard own.shape[0] == weights.shape[0], input.shape[0] == 1,
      case .int8(let bytes) = weights.elements
    else { throw .incomplete(path: path, missing: "matching steps of layers.\(index)") }
    let steps = ByteSteps(weights: own.values, input: input.values[0])
    guard steps.areUsable else {
      throw .incomplete(path: path, missing: "steps of layers.\(index) that are usable")
    }
    guard numbers.weights.columns > 0, numbers.weights.columns <= ByteWeights.mostInputs else {
      throw .tooWide(path: path)
    }
    return Layer(affine: numbers.with(bytes, steps), steps: steps)
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
