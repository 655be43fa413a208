import ArgumentParser
import KaldiIO
import Experiments

/// `limbeck info`: what is in a model, an archive or a folder.
struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is in a model, a Kaldi archive or scp, or a folder.",
    discussion: """
      Knows what limbeck writes: models, checkpoints, archives (binary, text, or packed by gzip), lists, folders \
      of features and of targets, experiments and what is in them, scores, searches, logs and ledgers; and data \
      directories and recipes. What it does not know is an error.
      """)

  @Argument(help: "A file or a folder; or ark:PATH, scp:PATH, ark:-.")
  var path: String
  @Option(
    help: """
      What an archive's values are that do not say it: matrix, doubleMatrix, vector, doubleVector, integers, \
      posterior. (default: a guess)
      """)
  var type: KaldiValue.Kind?

  @OptionGroup var commands: CommandOptions

  func run() throws {
    let description = try Description(of: path, as: type, commands: commands.policy)
    try Terminal.print(description.text)
  }
}
