import ArgumentParser
import Corpus
import Evaluation
import Experiments
import Storage

/// `limbeck run`: runs all stages of a recipe.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run all stages of a recipe, skipping fresh steps.",
    discussion: """
      The stages are features, targets, train (members and baselines), search (T, λ and the mean, \
      if the recipe has a search), distill (soft targets and students), specialists (of the baseline, if \
      the recipe has them) and score. A step is fresh if its files are up to date; see plan. The \
      scores go to standard output as a table and to EXP/scores.json; EXP/ledger.jsonl says what \
      became of each utterance.
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
