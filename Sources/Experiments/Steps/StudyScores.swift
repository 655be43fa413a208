import Classes
import Corpus
import Evaluation
import LinearAlgebra
import Models
import Storage
import Training

/// Scores of the networks trained without some utterances or a label.
extension Experiment {
  /// The classes of the withheld label.
  ///
  /// - Throws: `OptionFault` for an unknown label.
  func classes(ofLabel label: String) throws -> Set<Int32> {
    let classes = try ClassInventory(path: targets(.train).classesPath)
    let own = classes.ids(ofLabel: label)
    guard !own.isEmpty, own.count < classes.count else {
      let labels = Set(classes.labels).sorted()
      let named = nearest(to: label, among: labels)
      throw OptionFault.outOfRange(
        key: "missingClass.label",
        expected: "a label of the targets, such as \(named ?? labels.joined(separator: ", "))",
        found: label)
    }
    return Set(own)
  }

  /// The scores of the networks of `subsets`, on their training utterances and on the scored parts.
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

  /// The score of the student without a class on that class, beside that of the student with all
  /// classes.
  ///
  /// It is scored with and without an offset to the class's biases that is chosen on the
  /// development set.
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
