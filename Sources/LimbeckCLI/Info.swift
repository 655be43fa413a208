import ArgumentParser
import Foundation
import Recipes

/// `limbeck info`: what is in a model, an archive or an experiment.
struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is in a model, a Kaldi archive, or an experiment's folder.")

  @Argument(
    help: "A .safetensors model, a binary .ark of float matrices or integer vectors, or a folder.")
  var path: String

  func run() throws {
    try Terminal.print(try Description(of: path).text)
  }
}
