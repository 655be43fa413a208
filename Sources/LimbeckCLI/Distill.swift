import ArgumentParser
import Experiments

/// `limbeck distill`: distils an ensemble into a student.
struct Distill: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Distil a recipe's ensemble into its student.",
    discussion: """
      Reads EXP/features, EXP/targets and the members in EXP/models. Writes EXP/soft-targets and \
      EXP/models/student.safetensors. Skips fresh steps.
      """)

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup var job: TrainingJobOptions
  @OptionGroup var skipped: SkippedOptions

  func run() throws {
    let experiment = try experiment.open(job)
    try experiment.step {
      try experiment.distill()
      try skipped.check(
        experiment, until: .distill, systems: experiment.recipe.systems(of: .distill))
    }
  }
}
