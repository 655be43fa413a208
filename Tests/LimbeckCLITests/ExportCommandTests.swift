import Foundation
import LinearAlgebra
import Models
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("limbeck export")
struct ExportCommandTests {
  private let corpus: SampleCorpus
  private var folder: TemporaryFolder { corpus.folder }
  private var model: FilePath { corpus.experimentPath.appending("models/member-00.safetensors") }

  /// A corpus with a trained model.
  init() throws {
    corpus = try SampleCorpus()
    let run = try limbeck("run", corpus.recipePath, corpus.experimentPath, "--until", "train")
    #expect(run.status == 0, "\(run.errors)")
  }

  private func bytes(_ path: FilePath) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path.string))
  }

  @Test("a model and an ensemble are written, from features or audio, with the same bytes again")
  func graphs() throws {
    let out = folder.file("out/model.onnx")
    var sizes: [Int] = []
    let second = folder.file("second.safetensors")
    try bytes(model).write(to: URL(fileURLWithPath: second.string))
    for arguments in [[model], [model, second]] as [[any Argument]] {
      for input in ["features", "audio"] {
        let run = try limbeck(["export"] + arguments + [out, "--from", input])
        #expect(run.status == 0 && run.output.isEmpty, "\(run.errors)")
        #expect(run.errors.contains("member-00: \(input) to log posteriors of"), "\(run.errors)")
        let first = try bytes(out)
        sizes.append(first.count)
        let info = try limbeck("info", out)
        #expect(info.status == 0 && info.output.contains("\(input) to log posteriors of"))
        #expect(try limbeck(["export"] + arguments + [out, "--from", input]).status == 0)
        #expect(try bytes(out) == first)
      }
    }
    #expect(sizes[0] < sizes[1] && sizes[0] < sizes[2], "\(sizes)")
  }

  @Test("wrong usage and unusable models are named, and leave nothing behind")
  func faults() throws {
    let whole = try bytes(model)
    let own = try folder.write(whole, to: "own.safetensors")
    let cut = try folder.write(whole.prefix(whole.count / 2), to: "cut.safetensors")
    var file = try SafetensorsFile(path: own)
    let newer = folder.file("newer.safetensors")
    file.metadata["formatVersion"] = "3"
    try file.write(to: newer)
    file.metadata["formatVersion"] = "1"
    let bias = try #require(file.tensors["layers.0.bias"])
    file.tensors["layers.0.bias"] = .init(Array(repeating: Float.nan, count: bias.values.count))
    let reduced = folder.file("reduced.safetensors")
    try AcousticModel(path: own).with(.bfloat16).write(to: reduced)
    let broken = folder.file("broken.safetensors")
    try file.write(to: broken)
    let onnx = try folder.write(whole, to: "named.onnx")
    let out = folder.file("model.onnx")
    let below = own.appending("model.onnx")
    for (paths, status, message) in [
      ([own], Int32(64), "OUT: expected a name that ends in .onnx after the models"),
      ([own, model], 64, "OUT: expected a name that ends in .onnx after the models"),
      ([out], 64, "MODEL: expected at least one"),
      ([own, own, out], 64, "MODEL: expected each model once"),
      (["/dev/zero", out], 65, "expected a safetensors file, found a device"),
      ([onnx, onnx], 64, "OUT: expected another name than the model's"),
      ([folder.file("none.safetensors"), out], 66, "none.safetensors: no such file"),
      ([cut, out], 65, "cut.safetensors: expected"),
      (
        [reduced, out], 65,
        "reduced.safetensors: expected a model in float32, found one in bfloat16"
      ),
      ([newer, out], 65, "newer.safetensors: expected a limbeck model of format version 1 or 2"),
      ([broken, out], 65, "without finite values throughout layers.0.bias"),
      ([own, below], 74, "cannot be written"),
    ] as [([FilePath], Int32, String)] {
      let run = try limbeck(["export"] + paths)
      #expect(run.status == status, "\(paths): \(run.errors)")
      #expect(run.errors.contains(message), "\(paths): \(run.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: out.string))
    #expect(try bytes(own) == whole && bytes(onnx) == whole)
    let other = try limbeck("export", own, out, "--from", "samples")
    #expect(other.status == 64 && other.errors.contains("features"), "\(other.errors)")
  }
}
