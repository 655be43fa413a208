package import Evaluation
import LinearAlgebra
import Storage
import Training
package import Corpus

/// Scores one model on features and targets in folders.
package struct ModelScoring: Sendable {
  package let features: FeatureFolder
  package let targets: TargetFolder

  package init(features: FeatureFolder, targets: TargetFolder) {
    (self.features, self.targets) = (features, targets)
  }

  /// The score of a model, and the utterances that could not be scored.
  ///
  /// - Throws: `ModelFault` when the model expects other features, `ExperimentFault` when it has
  ///   other classes or nothing can be scored.
  package func score(
    modelPath: String, options: Recipe.ScoringOptions
  ) throws -> (score: SetScore, ledger: Ledger) {
    let model = try AcousticModel(path: modelPath)
    try model.requireFeatures(
      try features.options(), path: modelPath, madeIn: features.path)
    let (utterances, classes, ledger) = try join(features, targets, .score)
    guard classes == model.classes else {
      throw ExperimentFault.otherClasses(targets.classesPath, modelPath)
    }
    guard !utterances.isEmpty else {
      throw ExperimentFault.nothingToScore(
        features.path,
        reason: ledger.leftOut.first?.account ?? "empty")
    }
    let isSilence = classes.isSilence
    let tallies = utterances.map { utterance in
      FrameTally(
        predicted: model.logits(of: utterance.features).largestColumns(),
        labels: utterance.labels, isSilence: isSilence)
    }
    let bootstrap = Bootstrap(
      utterances: tallies.count, resamples: options.resamples, seed: options.seed)
    return (SetScore(meanOf: [tallies], bootstrap: bootstrap), ledger)
  }
}
