import Features
import Foundation
import LinearAlgebra
import ModelExport
import Models
import Networks
import ONNXRecords
import Storage
import SwiftProtobuf
import SystemPackage
import TestSupport
import Testing

@Suite("Graphs of models")
struct ModelGraphTests {
  private let models: ExportedModels

  init() throws { models = try ExportedModels() }

  @Test("a graph from features has the model's constants, shapes and metadata")
  func features() throws {
    let priors: [Float] = [-0.1, -.pi, -2.5]
    let path = try models.write("member-00", logPriors: priors)
    let model = try AcousticModel(path: path)
    let file = try models.export([path], .features)
    #expect((file.irVersion, file.producerName, file.producerVersion) == (7, "limbeck", "0.0"))
    #expect(file.opsetImport.map(\.version) == [13] && file.opsetImport[0].domain.isEmpty)
    #expect(file.graph.input.map(\.shape) == ["features 1: batch × frames × 5"])
    #expect(file.graph.output.map(\.shape) == ["logPosteriors 1: batch × frames × 3"])

    #expect(file.constant("normalizer.mean")?.values == model.normalizer.mean)
    #expect(file.constant("normalizer.scale")?.values == model.normalizer.deviation.map { 1 / $0 })
    for (index, layer) in model.network.layers.enumerated() {
      let weights = try #require(file.constant("layers.\(index).weight"))
      #expect(weights.shape == [layer.weights.columns, layer.weights.rows])
      for row in 0..<layer.weights.rows {
        for column in 0..<layer.weights.columns {
          let found = weights.values[column * layer.weights.rows + row]
          #expect(found == layer.weights[row, column], "layer \(index): \(row), \(column)")
        }
      }
      #expect(file.constant("layers.\(index).bias")?.values == layer.bias)
    }
    #expect(
      file.operators.filter { $0 == "MatMul" || $0 == "Relu" || $0 == "LogSoftmax" }
        == ["MatMul", "Relu", "MatMul", "Relu", "MatMul", "LogSoftmax"])

    let metadata = file.metadata
    #expect(metadata["formatVersion"] == "1" && metadata["input"] == "features")
    #expect(metadata["classes"] == #"["A","B","SIL"]"#)
    #expect(metadata["context"] == "[-5,-2]")
    func decoded<Value: Decodable>(_ key: String, _ type: Value.Type) throws -> Value {
      try JSONDecoder().decode(type, from: Data(try #require(metadata[key]).utf8))
    }
    #expect(try decoded("features", FeatureOptions.self) == model.features)
    #expect(
      try decoded("provenance", [AcousticModel.Provenance].self) == [model.provenance])
    #expect(try decoded("logPriors", [Float].self) == priors)
    #expect(try decoded("frames", [String: Double].self) == ["firstCentre": 0.0125, "shift": 0.01])
  }

  @Test("every tensor that an operation takes exists by then, and has a name of its own")
  func order() throws {
    var options = ExportedModels.logMel {
      ($0.snipEdges, $0.useEnergy, $0.rawEnergy, $0.usePower) = (false, true, false, false)
    }
    options.transform.normalization = .utterance
    options.transform.normalizeVariance = true
    options.transform.deltas = 2
    let paths = try (0..<3).map {
      try models.write("member-0\($0)", features: options, seed: UInt64($0))
    }
    for input in ModelGraph.Input.allCases {
      let graph = try models.export(paths, input).graph
      var known = graph.input.map(\.name) + graph.initializer.map(\.name)
      for node in graph.node {
        for name in node.input { #expect(known.contains(name), "\(input): \(node.name)") }
        known += node.output
      }
      #expect(Set(known).count == known.count, "\(input)")
      #expect(known.last == "logPosteriors")
    }
  }

  @Test("a graph from audio takes samples at the model's rate")
  func audio() throws {
    var options = ExportedModels.logMel { _ in }
    options.transform.deltas = 1
    let file = try models.export([try models.write("student", features: options)], .audio)
    #expect(file.graph.input.map(\.shape) == ["samples 1: batch × samples"])
    #expect(file.graph.output.map(\.shape) == ["logPosteriors 1: batch × frames × 3"])
    #expect(file.metadata["sampleRate"] == "8000" && file.metadata["fullScale"] == "1")
    #expect(try #require(file.constant("bands")).shape == [129, 5])
    let deltas = try #require(file.constant("deltas"))
    #expect(deltas.shape == [25, 10])
    // The frame itself, then the second one after it: 2 / (4 + 1 + 1 + 4).
    #expect(deltas.values[12 * 10 + 2] == 1 && deltas.values[22 * 10 + 7] == 0.2)
  }

  static let frames: [@Sendable (inout LogMelOptions) -> Void] = [
    { _ in },
    { ($0.removeDCOffset, $0.preEmphasis, $0.window) = (false, 0, .hamming) },
    { ($0.roundToPowerOfTwo, $0.window, $0.blackmanCoefficient) = (false, .blackman, 0.4) },
    { ($0.highFrequency, $0.lowFrequency, $0.frameLength) = (-400, 150, 30) },
  ]

  @Test("the matrices of a graph from audio give the extractor's frame", arguments: 0..<4)
  func matrices(number: Int) throws {
    let change = ModelGraphTests.frames[number]
    let features = ExportedModels.logMel {
      change(&$0)
      ($0.useEnergy, $0.rawEnergy, $0.precision) = (true, false, .double)
    }
    let options = try #require(features.logMel)
    let file = try models.export([try models.write("a", features: features)], .audio)
    let real = try #require(file.doubles("spectrum.real"))
    let imaginary = try #require(file.doubles("spectrum.imaginary"))
    let energy = try #require(file.doubles("energy"))
    let bands = try #require(file.constant("bands"))
    // With an offset, which must be removed or not.
    let sound = generatedWaveform(count: options.grid.window).map { 0.2 * $0 + 0.1 }
    let power = energy.indices.map { frequency in
      let parts = [real, imaginary].map { part in
        sound.indices.reduce(0.0) {
          $0 + Double(sound[$1]) * part[$1 * energy.count + frequency]
        }
      }
      return parts[0] * parts[0] + parts[1] * parts[1]
    }
    let sums = (0..<5).map { band in
      power.indices.reduce(0.0) { $0 + power[$1] * Double(bands.values[$1 * 5 + band]) }
    }
    let found = [zip(power, energy).reduce(0.0) { $0 + $1.0 * $1.1 }] + sums
    var extractor = LogMelExtractor(options: options)
    let expected = extractor.logMel(of: sound, utterance: "").values
    // A single-precision frame rounds by less than 1e-4 in a band's logarithm.
    #expect(
      mismatch(found.map { log($0) }, expected, absolute: 1e-4) == nil)
  }

  @Test("the mean of several models has one output, and the same models give the same bytes")
  func ensemble() throws {
    let paths = [
      try models.write("member-00", timeOffsets: [[-4, 0]]),
      try models.write("member-01", timeOffsets: [[0, 7]], seed: 502),
    ]
    let file = try models.export(paths, .features)
    #expect(file.operators.filter { $0 == "LogSoftmax" }.count == 2)
    #expect(file.operators.suffix(3) == ["Mean", "Log", "Add"])
    #expect(file.metadata["ensemble"] == "arithmetic mean of posteriors")
    #expect(file.metadata["context"] == "[-4,7]")
    #expect(file.constant("members.1.layers.0.weight") != nil)
    let again = try models.export(paths, .features)
    #expect(try again.serializedBytes() as Data == file.serializedBytes())
  }

  @Test("models that do not fit each other, or an input, are faults that say why")
  func faults() throws {
    let path = try models.write("a")
    func fault(_ paths: [FilePath], _ input: ModelGraph.Input = .features) -> String? {
      let fault = #expect(throws: ExportFault.self) {
        try ModelGraph(models: paths, input: input)
      }
      #expect(paths.isEmpty || fault?.exitStatus == .data)
      return fault?.description
    }
    #expect(fault([]) == "export: expected at least one model, found none")
    let others = try models.write("b", classes: ["A", "C", "SIL"])
    #expect(fault([path, others]) == "\(others): expected the classes of \(path), found others")
    let wide = try models.write("c", features: ExportedModels.logMel { $0.melBins = 6 })
    #expect(
      fault([path, wide]) == """
        \(wide): expects features that differ from those of \(path): melBins 5, not 6
        """)
    let tiny = try models.write("d", deviation: .leastNonzeroMagnitude)
    #expect(fault([tiny])?.contains("deviations of features with a finite reciprocal") == true)

    let dithered = try models.write("e", features: ExportedModels.logMel { $0.dither = 1 })
    #expect(try models.export([dithered], .features).metadata["input"] == "features")
    #expect(
      fault([dithered], .audio) == """
        \(dithered): a graph from audio: expected dither 0, since a graph cannot repeat the noise, \
        found dither 1.0; export it from features
        """)
    var options = ExportedModels.logMel { _ in }
    options.transform.normalization = .speaker
    let normalised = try models.write("f", features: options)
    #expect(fault([normalised], .audio)?.contains("found normalization speaker") == true)
    let given = FeatureOptions(frames: .given(GivenFrames(columns: 5)))
    let foreign = try models.write("g", features: given)
    #expect(fault([foreign], .audio)?.contains("found features of another program") == true)
  }

  @Test("a transform beyond the size of a protocol buffer is refused before it is computed")
  func size() throws {
    let options = ExportedModels.logMel { ($0.sampleRate, $0.frameLength) = (1_000_000, 50) }
    let path = try models.write("long", features: options)
    let graph = try ModelGraph(models: [path], input: .audio)
    let out = models.folder.file("long.onnx")
    let fault = #expect(throws: ExportFault.self) {
      try graph.write(to: out, producerVersion: "0")
    }
    #expect(
      fault?.description.hasPrefix("\(path): expected a graph of less than 2 GB, found 26.2")
        == true,
      "\(String(describing: fault))")
    #expect(!FileManager.default.fileExists(atPath: out.string))
  }

  @Test("a file describes itself, and a part of it is a fault")
  func description() throws {
    _ = try models.export([try models.write("student")], .audio)
    let path = models.folder.file("model.onnx")
    let bytes = try Data(contentsOf: path.url)
    #expect(GraphDescription.isGraph(Array(bytes.prefix(20))[...]))
    let text = try GraphDescription(path: path).text
    let lines = text.split(separator: "\n").map(String.init)
    #expect(
      lines[0] == """
        graph        student: audio to log posteriors of 3 classes, ONNX operators 13, limbeck 0.0
        """)
    #expect(lines[1] == "input        samples [batch × samples] at 8000 Hz, full scale [-1, 1)")
    #expect(lines[2] == "output       logPosteriors [batch × frames × 3]")
    #expect(lines[4] == "classes      3: A B SIL …")
    for count in [20, bytes.count / 2, bytes.count - 1] {
      let cut = try models.folder.write(bytes.prefix(count), to: "cut.onnx")
      let fault = #expect(throws: FileFault.self, "\(count) bytes") {
        try GraphDescription(path: cut)
      }
      #expect(fault?.exitStatus == .data)
    }
  }

  @Test("a graph that cannot be written leaves what was there")
  func unwritable() throws {
    let graph = try ModelGraph(models: [try models.write("a")], input: .features)
    let out = try models.folder.write("a file, no folder", to: "file").appending("model.onnx")
    let fault = #expect(throws: ExportFault.self) {
      try graph.write(to: out, producerVersion: "0")
    }
    #expect(fault?.exitStatus == .inputOutput)
    let pipe = FilePath("/dev/null")
    #expect(throws: ExportFault.file(.unwritable(path: pipe, reason: "it is not a regular file"))) {
      try graph.write(to: pipe, producerVersion: "0")
    }
  }
}
