import ArgumentParser
import Experiments

/// `limbeck train`: trains models on hard targets.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a recipe's ensemble members and baselines.",
    discussion: """
      Reads EXP/features and EXP/targets. Writes EXP/models. Skips fresh steps (see plan).
      """)

  @OptionGroup var experiment: ExperimentArguments
  @Option(parsing: .unconditional, help: "Train only this member, counted from 0.")
  var member: Int?
  @OptionGroup var job: TrainingJobOptions
  @OptionGroup var skipped: SkippedOptions

  func run() throws {
    let experiment = try experiment.open(job)
    try experiment.step {
      if let member {
        try experiment.trainMember(member)
      } else {
        try experiment.trainMembersAndBaselines()
      }
      try skipped.check(experiment, until: member == nil ? .train : .targets)
    }
  }
}
