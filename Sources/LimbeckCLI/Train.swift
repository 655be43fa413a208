import ArgumentParser
import Experiments

/// `limbeck train`: hard targets to models.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the members of a recipe's ensemble and the baselines.",
    discussion: """
      Reads EXP/features and EXP/targets, writes EXP/models. What is fresh is skipped.
      """)

  @OptionGroup var experiment: ExperimentArguments
  @Option(parsing: .unconditional, help: "Train this member alone, counted from 0.")
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
