import ArgumentParser
import Corpus
import Distillation
import Evaluation
import Foundation
import LinearAlgebra
import Logging
import Storage
import SystemPackage

/// `limbeck score`: computes the frame accuracy of a model.
struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score a model on features and targets.",
    discussion: """
      Prints the frame accuracy on all frames and on those whose true class is not silence, the \
      negative log-likelihood, and the expected calibration error, each with a 95 % bootstrap \
      interval; then the scoring rules. Intervals are over speakers, or over utterances if there is \
      only one speaker or speakers are unknown. A single utterance has no interval.
      """)

  @Argument(help: "A model written by train or distill.")
  var model: FilePath
  @Argument(help: "A folder of features, or a table: feats.scp, feats.ark, ark:… or scp:….")
  var feats: String
  @Argument(help: "A folder of targets.")
  var targets: FilePath
  @Option(
    help: """
      A map that folds classes before they are compared, one FROM TO per line; a label's states keep \
      their numbers.
      """)
  var fold: FilePath?
  @Flag(
    help: """
      Also decide on each utterance as a whole: the label with the largest sum of log posteriors, against \
      the utterance's one label besides silence.
      """)
  var utterances = false
  @Option(help: "Also write the score to this file as JSON.")
  var json: FilePath?
  @OptionGroup var skipped: SkippedOptions

  func run() throws {
    let targets = TargetFolder(path: targets)
    let folder = try FilePath(text: feats)
    guard try !FileSystem.isFolder(folder) else {
      return try report(
        ModelScoring(features: FeatureFolder(path: folder), targets: targets))
    }
    let table = try TableFolder(feats, workers: .all, reporter: Terminal.reporter(.progress))
    try report(ModelScoring(features: table, targets: targets))
    _ = consume table
  }

  private func report(_ scoring: ModelScoring) throws {
    var options = ScoringOptions()
    options.fold = fold
    var (scored, ledger, doubt) = try scoring.score(modelPath: model, options: options)
    let count = ledger.entries.count
    if utterances {
      let (decisions, undecided) = try scoring.decide(modelPath: model, options: options)
      scored.decisions = decisions
      for entry in undecided { ledger.append(entry) }
    }
    if let doubt { Terminal.complain("warning: \(doubt)") }
    let score = scored.score
    var text = line("all frames", score.accuracy, score.low, score.high, score.frames)
    if let speech = score.withoutSilence {
      text += line("without silence", speech.accuracy, speech.low, speech.high, speech.frames)
    }
    if let own = score.negativeLogLikelihood {
      text +=
        String(format: "NLL            : %.3f nats a frame (", own.value)
        + interval(own.low, own.high) { String(format: "%.3f", $0) } + ")\n"
    }
    if let own = score.calibrationError {
      text +=
        String(format: "ECE            : %.2f %% (", 100 * own.value)
        + interval(own.low, own.high) { String(format: "%.2f", 100 * $0) } + ")\n"
    }
    if let own = scored.decisions { text += line(own) }
    try Terminal.print("\(text)\(scored.rules) Scored: \(score.extent).\n")
    if let json {
      try AtomicFile.write(JSONText.document(scored), to: json)
    }
    for entry in ledger.leftOut {
      Terminal.complain(entry.account)
    }
    try skipped.check(
      ledger, of: count, path: .named("the lines above"))
  }

  private func line(_ score: UtteranceScore) -> String {
    String(format: "utterances     : %.2f %% (", 100 * score.accuracy)
      + interval(score.low, score.high) { String(format: "%.2f", 100 * $0) }
      + ") of \(score.decisions.count) utterances, each decided among \(score.labels) labels\n"
  }

  private func line(
    _ name: String, _ accuracy: Double, _ low: Double?, _ high: Double?, _ frames: Int
  ) -> String {
    String(
      format: "%@: %.2f %% (", name.padding(toLength: 15, withPad: " ", startingAt: 0),
      100 * accuracy)
      + interval(low, high) { String(format: "%.2f", 100 * $0) } + ") of \(frames) frames\n"
  }
}
