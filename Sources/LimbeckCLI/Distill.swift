import ArgumentParser
import Experiments

/// `limbeck distill`: distils an ensemble into students.
struct Distill: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Distil a recipe's ensemble into its students.",
    discussion: """
      Reads EXP/features, EXP/targets and the members in EXP/models. Writes EXP/soft-targets and \
      EXP/models/student.safetensors, and the models of further students. Skips fresh steps (see plan).
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
