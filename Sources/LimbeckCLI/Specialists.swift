import ArgumentParser
import Experiments
import Storage

/// `limbeck specialists`: trains a generalist's specialists, and distils all into one model.
struct Specialists: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Train specialists of a recipe's baseline, and distil baseline and specialists into one model.",
    discussion: """
      Reads EXP/features, EXP/targets, and the baseline and members in EXP/models. Writes \
      EXP/specialists/clusters.json, EXP/models/specialist-00.safetensors and so on, and the students \
      EXP/models/distilled-*.safetensors. Skips fresh steps (see plan).
      """)

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup var job: TrainingJobOptions
  @OptionGroup var skipped: SkippedOptions

  func run() throws {
    let experiment = try experiment.open(job)
    guard experiment.recipe.specialists != nil else {
      throw ValidationError(
        "\(self.experiment.recipe.text): expected a section specialists, found none")
    }
    try experiment.step {
      try experiment.trainSpecialists()
      try skipped.check(
        experiment, until: .train, systems: experiment.recipe.systems(of: .specialists))
    }
  }
}
