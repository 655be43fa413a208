import ArgumentParser
import Corpus
import ModelExport
import Storage
import SystemPackage

/// `limbeck export`: writes a model as an ONNX graph.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model, or the mean of several, as an ONNX graph for other programs.",
    usage: "limbeck export <model> ... <out.onnx> [--from features|audio]",
    discussion: """
      The graph has the model's normaliser, context and network; with --from audio, also its features. Its output \
      is [batch x frames x classes], the logarithms of the posteriors. The metadata of the file names the classes, \
      the options of the features and the models.

      From features, the input is what `limbeck features` writes with the model's options: [batch x frames x \
      features], normalised and with deltas if the options say so. From audio, it is [batch x samples]: one channel \
      at the model's sample rate, full scale [-1, 1).

      With several models, the output is the logarithm of the arithmetic mean of their posteriors.
      """)

  @Argument(
    help: ArgumentHelp(
      "Models written by train or distill, then the file to write, which ends in .onnx.",
      valueName: "model ... out.onnx"))
  var paths: [FilePath]
  @Option(help: ArgumentHelp("The input of the graph.", valueName: "features|audio"))
  var from = ModelGraph.Input.features

  func validate() throws {
    guard let out = paths.last, out.string.hasSuffix(".onnx") else {
      throw ValidationError(
        "OUT: expected a name that ends in .onnx after the models, found \(paths.last?.text ?? "none")"
      )
    }
    guard paths.count > 1 else {
      throw ValidationError("MODEL: expected at least one before \(out.text), found none")
    }
    let models = paths.dropLast().map(\.absolute)
    guard Set(models).count == models.count else {
      throw ValidationError("MODEL: expected each model once, found one twice")
    }
    guard !models.contains(out.absolute) else {
      throw ValidationError("OUT: expected another name than the model's, found \(out.text)")
    }
  }

  func run() throws {
    let graph = try ModelGraph(models: paths.dropLast(), input: from)
    guard let out = paths.last else { return }
    try graph.write(to: out, producerVersion: limbeckVersion)
    Terminal.reporter().log.info("\(out.text): \(graph.summary)")
  }
}

extension ModelGraph.Input: ExpressibleByArgument {}
