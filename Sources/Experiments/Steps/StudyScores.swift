import Classes
import Corpus
import Evaluation
import LinearAlgebra
import Models
import Storage
import Training

/// What the networks that lack utterances or a label score.
extension Experiment {
  /// The classes of the label that is held out.
  ///
  /// - Throws: `OptionFault` for a label that there is not.
  func classes(ofLabel label: String) throws -> Set<Int32> {
    let classes = try ClassInventory(path: targets(.train).classesPath)
    let own = classes.ids(ofLabel: label)
    guard !own.isEmpty, own.count < classes.count else {
      let labels = Set(classes.labels).sorted()
      let named = nearest(to: label, among: labels)
      throw OptionFault.outOfRange(
        key: "missingClass.label",
        expected: "a label of the targets, as \(named ?? labels.joined(separator: ", "))",
        found: label)
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
    return try recipe.subsetSystems.compactMap { subset in
      let system = subset.system
      let model = try AcousticModel(path: modelPath(system))
      let frames = all.share(subset.share, seed: seed)
      let train = try (0..<frames.count).map { index in
        rules.tally(
          predicted: try frames.logits(of: index, by: model, path: .file(features(.train).path))
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
    guard let missing = recipe.missingClass else { return nil }
    let own = try classes(ofLabel: missing.label)
    let system = System.missing(label: missing.label)
    func choices(_ system: System, _ part: CorpusPart) throws -> [LabelChoices] {
      let model = try AcousticModel(path: modelPath(system))
      let frames = try openFrames(.part(part))
      return try (0..<frames.count).map { index in
        LabelChoices(
          try frames.logits(of: index, by: model, path: .file(features(.part(part)).path)),
          labels: try frames.labels(of: index), own: own, by: rules)
      }
    }
    let offset = LabelChoices.bestOffset(try choices(system, .development))
    let test = try choices(system, .test)
    let systems = [
      MissingClassScore.System("student", try choices(.student(nil), .test), offset: 0, onTest),
      MissingClassScore.System(system.name, test, offset: 0, onTest),
      MissingClassScore.System("\(system), biases set", test, offset: offset, onTest),
    ]
    return MissingClassScore(
      label: missing.label, offset: offset, systems: systems.compactMap { $0 })
  }
}
