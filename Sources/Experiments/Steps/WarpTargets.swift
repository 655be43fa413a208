import Corpus
import Features
import Storage

/// Makes the frame targets of a perturbed copy, from those of the training part.
struct WarpTargets: Step {
  let set: UtteranceSet

  /// A step for each copy.
  static func steps(of recipe: Recipe) -> [any Step] { recipe.copies.map { WarpTargets(set: $0) } }

  var stage: Stage { .targets }
  var makes: Product { .targets(set) }
  var reads: [Product] { [.features(set), .targets(.train)] }

  func files(in experiment: Experiment) throws -> StepFiles {
    let folder = experiment.targets(set)
    return StepFiles(record: name, folder: folder.path, exact: folder.files)
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    let (features, targets) = (experiment.features(set), experiment.targets(.train))
    try inputs.add(file: features.frameCountPath)
    try inputs.add(file: features.descriptionPath)
    if try FileSystem.exists(features.speakersPath) { try inputs.add(file: features.speakersPath) }
    for file in [targets.archivePath, targets.classesPath, targets.descriptionPath] {
      try inputs.add(file: file)
    }
  }

  func framesToGo(in experiment: Experiment) throws -> Int? {
    try experiment.features(set).frameCounts().values.reduce(0, +)
  }

  func make(in experiment: Experiment) throws {
    let features = experiment.features(set)
    guard let copy = experiment.recipe.augmentedCopy(set) else {
      preconditionFailure("WarpTargets: \(set.name) is no copy")
    }
    let speakers = try features.speakers() ?? [:]
    let copies = try features.frameCounts().sorted { inByteOrder($0.key, $1.key) }.map {
      TargetFolder.Copy(
        id: $0, frames: $1, speed: copy.perturbation(of: $0, speakers: speakers).speed)
    }
    try experiment.targets(set).prepare(
      copyOf: experiment.targets(.train), copies, grid: try features.options().grid,
      reporter: experiment.reporter)
  }
}
