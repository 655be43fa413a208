import Logging
import LinearAlgebra
import ArgumentParser
import Corpus
import Distillation
import Foundation
import Models
import Networks
import Storage
import SystemPackage

/// `limbeck quantize`: writes a model in 8 bits or in bfloat16.
struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a smaller and faster model: in int8 or bfloat16 instead of float32.",
    discussion: """
      int8 rounds the weights and the inputs of every layer to 8 bits. Each output's weights get their own step, \
      and each layer's input the step that loses least on the frames of --data, such as the training features. \
      Products are summed in 32-bit integers, so every processor computes the same logits of the same features.

      bfloat16 rounds weights and inputs to 16 bits, with sums in float32; it needs no data.

      score, posteriors, info and the library take OUT like any other model. Specialists are only trained from \
      models in float32.
      """)

  @Argument(help: "A model written by train or distill.")
  var model: FilePath
  @Argument(help: "The model to write.")
  var out: FilePath
  @Option(help: "int8 or bfloat16.")
  var precision = Precision.int8
  @Option(
    help: ArgumentHelp(
      "For int8: a folder of features, or a table: feats.scp, feats.ark, ark:… or scp:….",
      valueName: "feats"))
  var data: String?
  @Option(
    parsing: .unconditional,
    help: "With --data: how many frames to look at; utterances are taken at equal distances.")
  var frames = 50_000
  @OptionGroup var commands: CommandOptions

  /// The precisions to choose from.
  enum Precision: String, CaseIterable, ExpressibleByArgument {
    case int8, bfloat16
  }

  func validate() throws {
    guard (data != nil) == (precision == .int8) else {
      throw ValidationError(
        precision == .int8
          ? "--data: expected features that int8 is calibrated on, found none"
          : "--data: expected none for bfloat16, found \(data ?? "")")
    }
    guard (1...1_000_000_000).contains(frames) else {
      throw ValidationError("--frames: expected 1 to 1,000,000,000, found \(frames)")
    }
    guard out.string != "-" else {
      throw ValidationError("OUT: expected the name of a file, found -")
    }
    guard out.absolute != model.absolute else {
      throw ValidationError("OUT: expected another name than MODEL's, found \(out.text)")
    }
  }

  func run() throws {
    try requireOwn()
    let quantization = try ModelQuantization(modelPath: model)
    let reduced =
      if let data { try calibrated(quantization, data) } else { quantization.inBFloat16 }
    try reduced.requireUsableNumbers(path: model)
    try reduced.write(to: out)
    let (before, after) = (try size(model), try size(out))
    var text = "precision    \(reduced.precision.name.rawValue)\n"
    if let own = reduced.calibration {
      text += "calibration  \(own.frames) frames of \(own.utterances) utterances in \(own.data)\n"
    }
    text += String(
      format: "file         %d bytes, %.3f of %@\n", after, Double(after) / Double(before),
      model.text)
    try Terminal.print(text)
  }

  private func calibrated(
    _ quantization: ModelQuantization, _ data: String
  ) throws -> AcousticModel {
    let folder = try FilePath(text: data)
    guard try !FileSystem.isFolder(folder) else {
      return try quantization.inInt8(
        calibratedOn: FeatureFolder(path: folder), frames: frames)
    }
    let table = try TableFolder(
      data, commands: commands.policy, workers: .all, reporter: Terminal.reporter(.warnings))
    let model = try quantization.inInt8(calibratedOn: table, frames: frames)
    _ = consume table
    return model
  }

  /// Throws when OUT exists and is not a model.
  private func requireOwn() throws {
    guard try FileSystem.exists(out) else { return }
    do throws(ModelFault) { _ = try AcousticModel(path: out) } catch {
      guard !error.isOfMachine else { throw error }
      throw FileFault.malformed(
        path: out, expected: "no file, or a model to replace", found: "another file")
    }
  }

  private func size(_ path: FilePath) throws -> Int { try FileSystem.facts(of: path)?.size ?? 0 }
}
