import Models
import Classes
import Corpus
import Distillation
import Evaluation
import Foundation
import LinearAlgebra
import Storage
import Training

/// A network that learns from a share of the utterances.
struct SubsetJob {
  let share: Double
  /// Whether it has soft targets besides.
  let hasSoftTargets: Bool
  let job: TrainingJob
}

extension Experiment {
  /// The jobs of the recipe's shares; for each that of hard targets first.
  var subsetJobs: [SubsetJob] {
    guard let options = recipe.subsets else { return [] }
    return options.shares.flatMap { share in
      let name = SubsetOptions.name(of: share)
      return [
        SubsetJob(
          share: share, hasSoftTargets: false,
          job: TrainingJob(.subset(name, targets: "hard"), options.hard)),
        SubsetJob(
          share: share, hasSoftTargets: true,
          job: TrainingJob(.subset(name, targets: "soft"), options.soft)),
      ]
    }
  }

  /// The job of the student that does not learn from a label's frames; nil when the recipe has none.
  var missingClassJob: TrainingJob? {
    recipe.missingClass.map { TrainingJob(.missing(label: $0.label), $0.student) }
  }

  /// Trains the networks of `subsets`, and the student of `missingClass`, on the soft targets of the training
  /// frames.
  func trainStudies() throws {
    let options = try distillation()
    let folder = softTargetFolder(options.mean, options.temperature)
    guard let train = try transferParts(folder, copies: 0).first else { return }
    for subset in subsetJobs {
      guard let seed = recipe.subsets?.seed else { continue }
      let frames = train.frames.share(subset.share, seed: seed)
      try trainStudents(
        [(subset.job, options)],
        on: [
          train.with(
            frames, softTargetsPath: subset.hasSoftTargets ? train.softTargetsPath : nil,
            largest: train.largest)
        ]
      ) { inputs in
        inputs.add("share", [subset.share, Double(seed)])
      }
    }
    guard let missing = recipe.missingClass, let job = missingClassJob else { return }
    let own = try classes(of: missing)
    try trainStudents(
      [(job, options)],
      on: [
        train.with(
          train.frames.leavingOut(own), softTargetsPath: train.softTargetsPath,
          largest: train.largest)
      ]
    ) { inputs in
      inputs.add("missing class", missing.label)
    }
  }

  /// Throws for a label that there is not and for clusters that there cannot be, before anything is trained for
  /// them.
  func checkStudies() throws {
    if let missing = recipe.missingClass { _ = try classes(of: missing) }
    if let options = recipe.specialists { try check(options.clustering) }
  }

  /// The classes of the label that is held out.
  ///
  /// - Throws: `OptionFault` for a label that there is not.
  private func classes(of missing: MissingClassOptions) throws -> Set<Int32> {
    let classes = try ClassInventory(path: targets(.train).classesPath)
    let own = classes.ids(ofLabel: missing.label)
    guard !own.isEmpty, own.count < classes.count else {
      let labels = Set(classes.labels).sorted()
      let named = nearest(to: missing.label, among: labels)
      throw OptionFault.outOfRange(
        key: "missingClass.label",
        expected: "a label of the targets, as \(named ?? labels.joined(separator: ", "))",
        found: missing.label)
    }
    return Set(own)
  }

  /// What the networks of `subsets` score, on what they learnt from and on the scored parts.
  func subsetScores(
    development: TalliedSet, _ onDevelopment: Bootstrap, test: TalliedSet, _ onTest: Bootstrap,
    by rules: ScoringRules
  ) throws -> [SubsetScore]? {
    guard let seed = recipe.subsets?.seed else { return nil }
    let all = try openFrames(.train)
    return try subsetJobs.compactMap { subset in
      let system = subset.job.system
      let model = try AcousticModel(path: modelPath(system))
      let frames = all.share(subset.share, seed: seed)
      let train = try (0..<frames.count).map { index in
        rules.tally(
          predicted: try frames.logits(of: index, by: model, path: features(.train).path)
            .largestColumns(),
          labels: try frames.labels(of: index))
      }
      guard
        let onOthers = AccuracyScore(
          development.tallies([system.name]), .all, bootstrap: onDevelopment),
        let score = AccuracyScore(test.tallies([system.name]), .all, bootstrap: onTest)
      else { return nil }
      return SubsetScore(
        system: system.name, epoch: model.provenance.epoch, train: train, development: onOthers,
        test: score)
    }
  }

  /// What the student that lacks a class scores on it, before and after the class's biases are set on the
  /// development set, beside the student that lacks none.
  func missingClassScore(
    onTest: Bootstrap, by rules: ScoringRules
  ) throws -> MissingClassScore? {
    guard let missing = recipe.missingClass, let job = missingClassJob else { return nil }
    let own = try classes(of: missing)
    func choices(_ system: System, _ part: CorpusPart) throws -> [LabelChoices] {
      let model = try AcousticModel(path: modelPath(system))
      let frames = try openFrames(part)
      return try (0..<frames.count).map { index in
        LabelChoices(
          try frames.logits(of: index, by: model, path: features(part).path),
          labels: try frames.labels(of: index), own: own, by: rules)
      }
    }
    let offset = LabelChoices.bestOffset(try choices(job.system, .development))
    let test = try choices(job.system, .test)
    let systems = [
      MissingClassScore.System("student", try choices(.student(nil), .test), offset: 0, onTest),
      MissingClassScore.System(job.system.name, test, offset: 0, onTest),
      MissingClassScore.System("\(job.system), biases set", test, offset: offset, onTest),
    ]
    return MissingClassScore(
      label: missing.label, offset: offset, systems: systems.compactMap { $0 })
  }
}
