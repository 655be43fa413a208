import Classes
import Features
import Foundation
import Models
import Networks
import ONNXRecords
import Storage
import SwiftProtobuf
package import SystemPackage

/// A model, or the mean of several, as an ONNX graph.
///
/// The graph has one output, `logPosteriors`: [batch × frames × classes], the natural logarithms of
/// the posteriors. For several models it is the logarithm of the arithmetic mean of their
/// posteriors. Beyond the edges of an utterance its first or last frame is repeated, so all
/// utterances of a batch have the same length.
package struct ModelGraph: Sendable {
  /// What the graph is computed from.
  package enum Input: String, Sendable, CaseIterable {
    /// `features`, [batch × frames × features]: features computed with the model's options,
    /// normalised by utterance or speaker where the options say so, with deltas.
    case features
    /// `samples`, [batch × samples]: one channel at the model's rate; full scale is [-1, 1).
    case audio
  }

  /// The version of the graph's metadata, inputs and output.
  package static let formatVersion = "1"

  private let input: Input
  private let models: [AcousticModel]
  /// The path of the first model, for messages.
  private let path: FilePath

  /// Reads models and checks that they make one graph.
  ///
  /// - Parameters:
  ///   - paths: the model, or the members of an ensemble.
  ///   - input: what the graph is computed from.
  /// - Throws: `ExportFault` when a model is unusable, has other features or classes than the first,
  ///   or a graph cannot compute its features from samples.
  package init(models paths: [FilePath], input: Input) throws(ExportFault) {
    guard let first = paths.first else { throw .noModels }
    var models: [AcousticModel] = []
    for path in paths {
      let model: AcousticModel
      do throws(ModelFault) {
        model = try AcousticModel(path: path)
        try model.requireFloat32(path: path)
      } catch { throw .model(error) }
      guard model.normalizer.deviation.allSatisfy({ (1 / $0).isFinite }) else {
        throw .tinyDeviation(path: path)
      }
      if let example = models.first {
        guard model.classes == example.classes else {
          throw .otherClasses(path: path, first: first)
        }
        let differences = example.features.differences(from: model.features)
        guard differences.isEmpty else {
          throw .otherFeatures(path: path, first: first, differences: differences)
        }
      }
      if input == .audio { try ModelGraph.requireAudio(model.features, path) }
      models.append(model)
    }
    (self.input, self.models, path) = (input, models, first)
  }

  /// Throws when a graph cannot compute features from the samples of one utterance.
  private static func requireAudio(
    _ options: FeatureOptions, _ path: FilePath
  ) throws(ExportFault) {
    guard let logMel = options.logMel else {
      throw .needsFeatures(
        path: path, expected: "log-mel features", found: "features of another program")
    }
    guard logMel.dither == 0 else {
      throw .needsFeatures(
        path: path, expected: "dither 0, since a graph cannot repeat the noise",
        found: "dither \(logMel.dither)")
    }
    switch options.transform.normalization {
    case .none, .utterance: break
    case .speaker, .global:
      throw .needsFeatures(
        path: path, expected: "normalization none or utterance",
        found: "normalization \(options.transform.normalization.rawValue)")
    }
  }

  /// What the graph is, in words.
  package var summary: String {
    let names = models.map(\.provenance.system).joined(separator: ", ")
    return "\(models.count == 1 ? names : "the mean of \(names)"): \(input.rawValue) to log "
      + "posteriors of \(models[0].classes.count) classes, ONNX operators "
      + "\(GraphBuilder.operatorSet)"
  }

  /// Writes the graph, which is renamed into place when complete.
  ///
  /// Equal models give equal bytes.
  ///
  /// - Parameters:
  ///   - path: the file to write.
  ///   - producerVersion: the version of the program, for the file.
  /// - Throws: `ExportFault` when the graph is too large, or cannot be written.
  package func write(to path: FilePath, producerVersion: String) throws(ExportFault) {
    try requireRoom()
    var message = Limbeck_Onnx_ModelProto()
    message.irVersion = GraphBuilder.formatVersion
    (message.producerName, message.producerVersion) = ("limbeck", producerVersion)
    message.docString = summary
    var operators = Limbeck_Onnx_OperatorSetIdProto()
    operators.version = GraphBuilder.operatorSet
    message.opsetImport = [operators]
    message.graph = graph
    message.metadataProps = metadata.map { key, value in
      var entry = Limbeck_Onnx_StringStringEntryProto()
      (entry.key, entry.value) = (key, value)
      return entry
    }
    guard let bytes: Data = try? message.serializedBytes() else {
      preconditionFailure("ModelGraph: a graph of less than 2 GB does not serialise")
    }
    do throws(FileFault) { try AtomicFile.write(bytes, to: path) } catch { throw .file(error) }
  }

  // MARK: - The graph

  /// The graph from the input to the log posteriors.
  private var graph: Limbeck_Onnx_GraphProto {
    let options = models[0].features
    var builder = GraphBuilder(name: "limbeck")
    var features: GraphBuilder.Tensor
    switch (input, options.logMel) {
    case (.audio, let logMel?):
      features = builder.input(
        "samples", [.free("batch"), .free("samples")],
        doc: "one channel at \(logMel.sampleRate) Hz, full scale [-1, 1)")
      features = builder.features(
        of: features, logMel: logMel, transform: options.transform)
    default:
      features = builder.input(
        "features", [.free("batch"), .free("frames"), .fixed(options.columns)],
        doc: "computed with the options in the metadata, before the model's own normaliser")
    }
    var logits: [GraphBuilder.Tensor] = []
    for (index, model) in models.enumerated() {
      let prefix = models.count == 1 ? "" : "members.\(index)."
      logits.append(builder.logits(of: features, by: model, prefix: prefix))
    }
    builder.output(
      builder.logPosteriors(of: logits, named: "logPosteriors"),
      [.free("batch"), .free("frames"), .fixed(models[0].classes.count)],
      doc: "natural logarithms; the classes are in the order of the metadata")
    return builder.graph
  }

  /// Throws when the graph would have 2 GB or more, or there is too little memory to build it.
  private func requireRoom() throws(ExportFault) {
    var need = MemoryNeed()
    for model in models { need.add("weights", model.network.parameterCount) }
    if input == .audio, let logMel = models[0].features.logMel {
      let frequencies = logMel.transformSize / 2 + 1
      need.add("the Fourier transform", 2, logMel.grid.window, frequencies, size: 8)
      need.add("mel bands", frequencies, logMel.melBins)
      let transform = models[0].features.transform
      need.add(
        "deltas", 2 * transform.deltas * transform.deltaWindow + 1, 1 + transform.deltas,
        transform.deltas > 0 ? logMel.columns : 0, logMel.columns)
    }
    // Room for the operations and metadata.
    guard need.bytes < 2 << 30 - 1 << 26 else {
      throw .tooLarge(path: path, bytes: need.bytes)
    }
    // The graph's own values, and its bytes.
    need.add("the file", 2, need.bytes, size: 1)
    do throws(MemoryFault) {
      try MemoryBudget.current().require(need, for: path.text, remedy: "raise the limit")
    } catch {
      throw .memory(error)
    }
  }

  // MARK: - The metadata

  /// What a program needs to know of the graph, as JSON unless it is plain text; in a fixed order.
  private var metadata: [(key: String, value: String)] {
    let features = models[0].features
    let contexts = models.map(\.network.context)
    let context = [
      contexts.map(\.lowerBound).min() ?? 0, contexts.map(\.upperBound).max() ?? 0,
    ]
    var entries = [
      ("formatVersion", ModelGraph.formatVersion),
      ("input", input.rawValue),
      ("classes", JSONText.line(models[0].classes.symbols)),
      ("features", JSONText.line(features)),
      (
        "frames",
        JSONText.line([
          "firstCentre": features.grid.centre(ofFrame: 0), "shift": features.grid.shiftInSeconds,
        ])
      ),
      ("context", JSONText.line(context)),
      ("provenance", JSONText.line(models.map(\.provenance))),
    ]
    if models.count > 1 { entries.append(("ensemble", "arithmetic mean of posteriors")) }
    if input == .audio {
      entries += [("sampleRate", "\(features.grid.sampleRate)"), ("fullScale", "1")]
    }
    if let priors = models[0].logPriors, models.allSatisfy({ $0.logPriors == priors }) {
      entries.append(("logPriors", JSONText.line(priors)))
    }
    return entries
  }
}
