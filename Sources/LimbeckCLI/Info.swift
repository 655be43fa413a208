import ArgumentParser
import KaldiIO
import Experiments

/// `limbeck info`: describes a model, an archive or a folder.
struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe a model, a Kaldi archive or scp, or a folder.",
    discussion: """
      Reads everything that limbeck writes: models, ONNX graphs, checkpoints, archives (binary, text or gzipped), lists, folders \
      of features and of targets, experiments and their contents, scores, searches, logs and ledgers; also data \
      directories and recipes. Anything else is an error.

      --machine describes the processor instead, and measures its matrix products.
      """)

  @Argument(help: "A file or a folder; or ark:PATH, scp:PATH, ark:-.")
  var path: String?
  @Flag(
    help:
      "Describe this machine: processor, kernels in use, and rates of matrix products on one thread."
  )
  var machine = false
  @Option(
    help: """
      The type of an archive's values, if the archive does not store it: matrix, doubleMatrix, vector, \
      doubleVector, integers, posterior. (default: guessed)
      """)
  var type: KaldiValue.Kind?

  @OptionGroup var commands: CommandOptions

  func validate() throws {
    guard (path == nil) == machine else {
      throw ValidationError(
        "PATH and --machine: expected one of them, found \(machine ? "both" : "none")")
    }
  }

  func run() throws {
    let description =
      if let path {
        try Description(of: path, as: type, commands: commands.policy)
      } else {
        try Description.machine()
      }
    try Terminal.print(description.text)
  }
}
