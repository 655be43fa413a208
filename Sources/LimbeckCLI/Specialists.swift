import ArgumentParser
import Experiments
import Storage

/// `limbeck specialists`: a generalist to specialists, and both to one model.
struct Specialists: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the specialists of a recipe's baseline, and distil both into one model.",
    discussion: """
      Reads EXP/features, EXP/targets, and the baseline and the members in EXP/models; writes \
      EXP/specialists/clusters.json, EXP/models/specialist-00.safetensors and so on, and the students \
      EXP/models/distilled-*.safetensors. What is fresh is skipped.
      """)

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup var job: TrainingJobOptions
  @OptionGroup var skipped: SkippedOptions

  func run() throws {
    let experiment = try experiment.open(job)
    guard experiment.recipe.specialists != nil else {
      throw ValidationError(
        "\(self.experiment.recipe.text): expected the section specialists, found none")
    }
    try experiment.step {
      try experiment.trainSpecialists()
      try skipped.check(
        experiment, until: .train, systems: experiment.recipe.systems(of: .specialists))
    }
  }
}
