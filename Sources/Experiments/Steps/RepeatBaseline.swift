import Corpus

/// Trains a baseline with another seed, by the options that the search has chosen for the first.
struct RepeatBaseline: Step {
  let chosen: AdoptBaseline
  /// The number of the seed, from 2.
  let number: Int
  let options: Recipe.SystemOptions
  let recipe: Recipe

  /// A step for each further seed of a recipe.
  static func steps(
    of chosen: AdoptBaseline, _ options: Recipe.SystemOptions, _ recipe: Recipe
  ) -> [any Step] {
    (1...recipe.seeds).dropFirst().map {
      RepeatBaseline(chosen: chosen, number: $0, options: options, recipe: recipe)
    }
  }

  var stage: Stage { .train }
  var makes: Product { .model(.repetition(chosen.baseline, number)) }
  var reads: [Product] {
    let copies = chosen.trials.map(\.point.copies).max() ?? 0
    return Lesson.classes(copies: copies).reads(recipe) + [.baselineSearch]
  }
  var group: String { "repetitions of \(chosen.baseline)" }

  func files(in experiment: Experiment) throws -> StepFiles {
    try network(in: experiment).files(in: experiment)
  }

  func commonInputs(in experiment: Experiment) throws -> Inputs {
    try network(in: experiment).commonInputs(in: experiment)
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    try network(in: experiment).add(to: &inputs, in: experiment)
  }

  func framesToGo(in experiment: Experiment) throws -> Int? {
    try network(in: experiment).framesToGo(in: experiment)
  }

  func settle(in experiment: Experiment) throws {
    try network(in: experiment).settle(in: experiment)
  }

  static func perform(_ steps: [Pending<RepeatBaseline>], in experiment: Experiment) throws {
    try TrainNetwork.perform(
      try steps.map {
        Pending(
          step: try $0.step.network(in: experiment), inputs: $0.inputs, files: $0.files)
      }, in: experiment)
  }

  /// The training itself.
  ///
  /// - Throws: `FileFault` when there is no search yet, `ExperimentFault` when all its trials diverged.
  private func network(in experiment: Experiment) throws -> TrainNetwork {
    let point = try chosen.best(in: experiment).point
    return TrainNetwork(
      .train, .repetition(chosen.baseline, number), seed: options.seed &+ UInt64(number - 1),
      hidden: options.hidden, training: point.training, .classes(copies: point.copies), recipe)
  }
}
