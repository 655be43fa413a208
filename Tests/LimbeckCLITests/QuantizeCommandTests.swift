import Foundation
import Limbeck
import Models
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("limbeck quantize")
struct QuantizeCommandTests {
  let corpus: SampleCorpus
  var folder: TemporaryFolder { corpus.folder }
  var model: FilePath { corpus.experimentPath.appending("models/member-00.safetensors") }
  var features: FilePath { corpus.experimentPath.appending("features/train") }
  var targets: FilePath { corpus.experimentPath.appending("targets/test") }
  var test: FilePath { corpus.experimentPath.appending("features/test") }

  /// A corpus with a trained model.
  init() throws {
    corpus = try SampleCorpus()
    let run = try limbeck("run", corpus.recipePath, corpus.experimentPath, "--until", "train")
    #expect(run.status == 0, "\(run.errors)")
  }

  /// The accuracy that `score` reports.
  private func accuracy(_ model: FilePath) throws -> Double {
    let run = try limbeck("score", model, test, targets, "--json", folder.file("score.json"))
    #expect(run.status == 0, "\(run.errors)")
    let json = try JSONSerialization.jsonObject(
      with: TextFile.bytes(of: folder.file("score.json")))
    return try #require((json as? [String: Any])?["accuracy"] as? Double)
  }

  @Test("a trained network keeps its accuracy, and every command takes it")
  func accuracy() throws {
    let exact = try accuracy(model)
    for (precision, options) in [
      ("int8", ["--data", features.string]), ("bfloat16", []),
    ] {
      let out = folder.file("\(precision).safetensors")
      let run = try limbeck(
        ["quantize", model, out, "--precision", precision] + (options as [any Argument]))
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.output.contains("precision    \(precision)\n"), "\(run.output)")
      #expect(run.output.contains("of \(model.string)\n"), "\(run.output)")
      // At most two frames in a hundred of this small set may change.
      #expect(abs(try accuracy(out) - exact) <= 0.02, "\(precision)")
      let info = try limbeck("info", out)
      #expect(info.output.contains("precision    \(precision)"), "\(info.output)")
      #expect(info.output.contains("calibrated on") == (precision == "int8"))
      let posteriors = try limbeck("posteriors", out, test, folder.file("out-\(precision)"))
      #expect(posteriors.status == 0, "\(posteriors.errors)")
      let library = try Model(path: out.string)
      #expect(library.classes == (try Model(path: model.string)).classes)
      let again = try limbeck(
        ["quantize", out, folder.file("twice"), "--precision", precision]
          + (options as [any Argument]))
      #expect(again.status == 65)
      #expect(again.errors.contains("expected a model in float32, found one in \(precision)"))
    }
    let table = try limbeck(
      "quantize", model, folder.file("table"), "--data", "scp:\(features.string)/feats.scp")
    #expect(table.status == 0, "\(table.errors)")
    #expect(
      try AcousticModel(path: folder.file("table")).precision
        == AcousticModel(path: folder.file("int8.safetensors")).precision)
  }

  @Test("the machine is described with the rates of its products")
  func machine() throws {
    let run = try limbeck("info", "--machine")
    #expect(run.status == 0, "\(run.errors)")
    for line in ["processor", "instructions", "OpenBLAS", "float32", "bfloat16", "int8"] {
      #expect(run.output.split(separator: "\n").contains { $0.hasPrefix(line) }, "\(run.output)")
    }
    #expect(try limbeck("info").status == 64)
    #expect(try limbeck("info", "--machine", model).status == 64)
  }

  @Test("weights beyond the range of bfloat16 are refused, and no file is left")
  func tooLarge() throws {
    var file = try SafetensorsFile(path: model)
    let bias = try #require(file.tensors["layers.0.weight"])
    file.tensors["layers.0.weight"] = .init(
      shape: bias.shape,
      elements: .float32([.greatestFiniteMagnitude] + bias.values.dropFirst()))
    let (large, out) = (folder.file("large.safetensors"), folder.file("reduced.safetensors"))
    try file.write(to: large)
    for arguments in [["--precision", "bfloat16"], ["--data", features.string]] {
      let run = try limbeck(["quantize", large.string, out.string] + arguments)
      #expect(run.status == 65, "\(run.errors)")
      #expect(run.errors.contains("found others in layers.0"), "\(run.errors)")
      #expect(!FileManager.default.fileExists(atPath: out.string))
    }
  }

  @Test("wrong usage and files of others are refused")
  func refusals() throws {
    let out = folder.file("out")
    let data = features.string
    for (arguments, status, message) in [
      ([model.string, out.string], 64, "--data: expected features"),
      ([model.string, out.string, "--precision", "bfloat16", "--data", data], 64, "found \(data)"),
      ([model.string, out.string, "--precision", "int4"], 64, "int4"),
      ([model.string, out.string, "--data", data, "--frames", "0"], 64, "found 0"),
      ([model.string, out.string, "--data", data, "--frames", "\(Int.max)"], 64, "--frames"),
      ([model.string, "-", "--data", data], 64, "expected the name of a file"),
      ([model.string, folder.path.string, "--data", data], 65, "found another file"),
      (["/dev/zero", out.string, "--data", data], 65, "found a device"),
      ([model.string, model.string, "--data", data], 64, "another name"),
      ([model.string, corpus.recipePath.string, "--data", data], 65, "found another file"),
      ([model.string, out.string, "--data", folder.file("none").string], 66, "none"),
      ([corpus.recipePath.string, out.string, "--data", data], 65, "safetensors"),
    ] {
      let run = try limbeck(["quantize"] + arguments)
      #expect(run.status == Int32(status), "\(arguments): \(run.errors)")
      #expect(run.errors.contains(message), "\(arguments): \(run.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: out.string))
  }
}
