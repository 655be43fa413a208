import Corpus
import Distillation
import Features
import Networks
import Storage
import Training

/// Trains one network.
struct TrainNetwork: Step {
  let stage: Stage
  let system: System
  let seed: UInt64
  let hidden: HiddenShape
  /// The frames that the first layer of a feed-forward network sees.
  let context: ContextWindow
  let training: TrainingOptions
  let lesson: Lesson
  let reads: [Product]

  init(
    _ stage: Stage, _ system: System, seed: UInt64, hidden: HiddenShape,
    context: ContextWindow? = nil, training: TrainingOptions, _ lesson: Lesson, _ recipe: Recipe
  ) {
    (self.stage, self.system, self.seed) = (stage, system, seed)
    (self.hidden, self.training, self.lesson) = (hidden, training, lesson)
    self.context = context ?? recipe.context
    reads = lesson.reads(recipe)
  }

  init(
    _ stage: Stage, _ system: System, _ options: Recipe.SystemOptions, _ lesson: Lesson,
    _ recipe: Recipe
  ) {
    self.init(
      stage, system, seed: options.seed, hidden: options.hidden, training: options.training, lesson,
      recipe)
  }

  var makes: Product { .model(system) }
  var group: String { lesson.group }

  /// A trial that diverges is not a fault; it simply has no model.
  var mayEndWithoutFiles: Bool {
    switch system {
    case .studentTrial, .baselineTrial: true
    default: false
    }
  }

  /// Only as many specialists are trained as clusters were found.
  func isNeeded(in experiment: Experiment) throws -> Bool {
    guard case .specialist(let number, _) = lesson else { return true }
    return try number < experiment.foundSpecialists().count
  }

  func check(in experiment: Experiment) throws {
    if case .withoutLabel(let label, _) = lesson { _ = try experiment.classes(ofLabel: label) }
  }

  func files(in experiment: Experiment) throws -> StepFiles {
    StepFiles(
      record: system.name, folder: experiment.checkpointsPath(system),
      exact: [experiment.modelPath(system)], beside: [experiment.logPath(system)])
  }

  func commonInputs(in experiment: Experiment) throws -> Inputs {
    var inputs = try experiment.trainingInputs()
    try lesson.addCommon(to: &inputs, in: experiment)
    return inputs
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    inputs.add("seed", seed)
    inputs.add("hidden", hidden)
    inputs.add("training", training)
    inputs.add("context", context)
    try lesson.add(to: &inputs, in: experiment)
  }

  /// The frames of all epochs, less those of the epochs completed by the last checkpoint.
  func framesToGo(in experiment: Experiment) throws -> Int? {
    let folds = lesson.foldedMember == nil ? nil : try experiment.folds()
    var frames = 0
    for set in lesson.sets {
      for (id, count) in try experiment.features(set).frameCounts()
      where lesson.foldedMember.map({ folds?.isTrained(member: $0, on: id) ?? true }) ?? true {
        frames += count
      }
    }
    if case .share(let share, _, _) = lesson { frames = Int(share * Double(frames)) }
    let passes = try CheckpointFolder.passes(in: experiment.checkpointsPath(system))
    return frames * max(0, training.epochs - passes)
  }

  /// Removes checkpoints, which must be kept until the record is written: a stopped run resumes
  /// from them.
  func settle(in experiment: Experiment) throws {
    let folder = experiment.checkpointsPath(system)
    guard try FileSystem.exists(folder), let lock = try? FolderLock(folder) else { return }
    try CheckpointFolder.remove(folder)
    _ = consume lock
  }
}

extension TrainNetwork {
  /// The ensemble's members.
  static func members(of recipe: Recipe) -> [any Step] {
    let copies = recipe.copies(for: .members).count
    return recipe.ensemble.all.enumerated().map { number, member in
      let group = member.group
      return TrainNetwork(
        .train, .member(number), seed: member.seed, hidden: group.hidden, context: group.context,
        training: group.training,
        group.folds == nil
          ? .classes(copies: copies) : .classesWithoutFold(of: number, copies: copies),
        recipe)
    }
  }

  /// A system with each seed of a recipe; the seeds follow the first.
  static func repetitions(
    _ stage: Stage, _ system: System, _ options: Recipe.SystemOptions, _ lesson: Lesson,
    _ recipe: Recipe
  ) -> [TrainNetwork] {
    system.repetitions(recipe.seeds).enumerated().map { place, system in
      TrainNetwork(
        stage, system, seed: options.seed &+ UInt64(place), hidden: options.hidden,
        training: options.training, lesson, recipe)
    }
  }

  /// The students of the ensemble.
  static func students(of recipe: Recipe) -> [any Step] {
    let own = recipe.search == nil ? recipe.distillation : nil
    let lesson = Lesson.softTargets(
      .ofStudents(recipe), own, copies: recipe.copies(for: .students).count)
    return recipe.pairs.flatMap {
      repetitions(.distill, $0.student, $0.options.student, lesson, recipe)
    }
  }

  /// The networks that train on a share of the utterances, for each share the one with hard targets
  /// alone first, and the student without a label's frames.
  static func studies(of recipe: Recipe) -> [any Step] {
    let labels = SoftTargets.ofStudents(recipe)
    return recipe.subsetSystems.map { own in
      TrainNetwork(
        .distill, own.system, own.options,
        .share(own.share, seed: own.seed, own.hasSoftTargets ? labels : nil), recipe)
    }
      + (recipe.missingClass.map { own in
        [
          TrainNetwork(
            .distill, .missing(label: own.label), own.student, .withoutLabel(own.label, labels),
            recipe)
        ]
      } ?? [])
  }

  /// The specialists, with the soft targets that constrain those with all classes.
  static func specialists(of recipe: Recipe) -> [any Step] {
    guard let own = recipe.specialists else { return [] }
    let held = own.fullSoftmax.map { SoftTargets.held($0.mean, temperature: $0.temperature) }
    return (held.map { [LabelFrames(.specialists, $0, of: .train, recipe)] } ?? [])
      + (0..<own.clustering.clusters).map { number in
        TrainNetwork(
          .specialists, .specialist(number), seed: own.seed &+ UInt64(number),
          hidden: recipe.baseline.hidden, training: own.training, .specialist(number, held), recipe)
      }
  }

  /// Three students trained alike: of the generalist, of the generalist with its specialists, and
  /// of an ensemble of as many networks.
  static func studentsOfSpecialists(of recipe: Recipe) -> [any Step] {
    guard let student = recipe.specialists?.student else { return [] }
    return System.Teacher.allCases.flatMap { teacher -> [any Step] in
      let labels = SoftTargets.distilled(teacher)
      return [
        LabelFrames(.specialists, labels, of: .train, recipe),
        TrainNetwork(
          .specialists, .distilled(from: teacher), student, .softTargets(labels, nil, copies: 0),
          recipe),
      ]
    }
  }
}
