import ArgumentParser
import Corpus
import Evaluation
import Experiments
import Storage
import SystemPackage

/// `limbeck run`: runs all stages of a recipe.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run all stages of a recipe, skipping fresh steps.",
    discussion: """
      The stages are features, targets, train (members and baselines), search (T, λ and the mean, \
      if the recipe has a search), distill (soft targets and students), specialists (of the baseline, if \
      the recipe has them) and score. A step is fresh if its files are up to date; see plan. The \
      verdict goes to standard output, all scores to EXP/scores.json and, as tables, to \
      EXP/scores.md; EXP/ledger.jsonl says what became of each utterance.
      """)

  @OptionGroup var experiment: ExperimentArguments
  @Option(help: "The last stage to run.")
  var until = Stage.score
  @Flag(help: "Then also write EXP/report.html, as limbeck report does.")
  var report = false
  @OptionGroup var job: TrainingJobOptions
  @OptionGroup var skipped: SkippedOptions

  func validate() throws {
    guard !report || until == .score else {
      throw ValidationError("--report: expected no --until, since it needs the scores")
    }
  }

  func run() throws {
    let experiment = try experiment.open(job)
    let (ledger, utterances) = try experiment.run(until: until)
    if until == .score {
      let page: Result<FilePath?, any Error> = Result {
        try report ? ReportCommand.write(experiment, showing: nil) : nil
      }
      try printVerdict(of: experiment, ledger, utterances, page: try? page.get())
      _ = try page.get()
    }
    try skipped.check(ledger.withoutCopies, of: utterances, path: .file(experiment.ledgerPath))
  }

  /// Prints the verdict, what was skipped, and where the rest is.
  private func printVerdict(
    of experiment: Experiment, _ ledger: Ledger, _ utterances: Int, page: FilePath?
  ) throws {
    let verdict = try experiment.verdict()
    let places = [
      ("all scores", experiment.tablesPath.text), ("utterances", experiment.ledgerPath.text),
      ("report", page?.text ?? "run limbeck report \(experiment.path.text)"),
    ]
    try Terminal.print(
      """
      \(verdict.text)\
      utterances skipped: \(ledger.withoutCopies.leftOutCount) of \(utterances)

      \(places.map { "\($0): \($1)\n" }.joined())
      """)
  }
}

extension Stage: ExpressibleByArgument {}
