import ArgumentParser
import Corpus
import Evaluation
import Experiments
import Storage

/// `limbeck run`: all stages of a recipe.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run all stages of a recipe; what is fresh is skipped.",
    discussion: """
      The stages: features, targets, train (members and baselines), search (T and λ, where the \
      recipe asks for it), distill (soft targets and students), specialists (of the baseline, where \
      the recipe asks for them), score. The table of scores goes to standard output and to \
      EXP/scores.json; utterances skipped are named in EXP/ledger.jsonl.
      """)

  @OptionGroup var experiment: ExperimentArguments
  @Option(help: "The last stage to run.")
  var until = Stage.score
  @OptionGroup var job: TrainingJobOptions
  @OptionGroup var skipped: SkippedOptions

  func run() throws {
    let experiment = try experiment.open(job)
    let (ledger, utterances) = try experiment.run(until: until)
    if until == .score { try Terminal.print(try experiment.readScores().table) }
    try skipped.check(ledger.withoutCopies, of: utterances, path: .file(experiment.ledgerPath))
  }
}

extension Stage: ExpressibleByArgument {}
