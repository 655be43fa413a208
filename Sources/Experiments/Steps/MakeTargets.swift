import Corpus
import Features
import Foundation
import Storage

/// Makes the frame targets of a part of the corpus.
struct MakeTargets: Step {
  let part: CorpusPart

  /// A step for each part.
  static func steps(of recipe: Recipe) -> [any Step] {
    CorpusPart.allCases.map { MakeTargets(part: $0) }
  }

  var stage: Stage { .targets }
  var makes: Product { .targets(.part(part)) }
  var reads: [Product] { [.features(.part(part))] }
  /// Alignments are read once for all parts.
  var group: String { "targets" }

  func files(in experiment: Experiment) throws -> StepFiles {
    let folder = experiment.targets(.part(part))
    return StepFiles(record: name, folder: folder.path, exact: folder.files)
  }

  func commonInputs(in experiment: Experiment) throws -> Inputs {
    let options = experiment.recipe.targets.resolved(from: experiment.path)
    var inputs = try Inputs()
    // The files that the paths name are added below.
    inputs.add("options", options.withoutFolders)
    try inputs.add(alignments: options)
    for file in options.tables { try inputs.add(file: file) }
    return inputs
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    let features = experiment.features(.part(part))
    try inputs.add(file: features.frameCountPath)
    try inputs.add(file: features.descriptionPath)
    let dependsOnSpeakers = experiment.recipe.targets.dependsOnSpeakers
    // An alignment may cover the whole recording that the utterance is part of.
    for utterance in try experiment.dataDirectory(part).utterances {
      inputs.add(utterance.onChannel(experiment.recipe.corpus.channel))
      if dependsOnSpeakers { inputs.add("speaker", [utterance.speaker]) }
    }
  }

  func framesToGo(in experiment: Experiment) throws -> Int? {
    try experiment.features(.part(part)).frameCounts().values.reduce(0, +)
  }

  static func perform(_ steps: [Pending<MakeTargets>], in experiment: Experiment) throws {
    let options = experiment.recipe.targets.resolved(from: experiment.path)
    let rate = try experiment.features(.part(steps[0].step.part)).options().grid.sampleRate
    let source = try AlignmentSource(
      options, sampleRate: rate, workers: experiment.workers, commands: experiment.commands)
    for pending in steps {
      try experiment.perform(pending) {
        try pending.step.make(of: source, options, in: experiment)
      }
    }
  }

  private func make(
    of source: AlignmentSource, _ options: TargetOptions, in experiment: Experiment
  ) throws {
    let features = experiment.features(.part(part))
    let counts = try features.frameCounts()
    let utterances = try experiment.dataDirectory(part).utterances.compactMap { utterance in
      counts[utterance.id].map { (utterance.onChannel(experiment.recipe.corpus.channel), $0) }
    }
    _ = try experiment.targets(.part(part)).prepare(
      source, options, utterances: utterances, grid: try features.options().grid,
      reporter: experiment.reporter)
  }
}
