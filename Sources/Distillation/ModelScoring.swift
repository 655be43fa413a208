import Classes
import Models
package import Evaluation
import LinearAlgebra
import Features
import Networks
package import Storage
package import SystemPackage
import Training
package import Corpus

/// Scores one model on features and targets in folders.
package struct ModelScoring: Sendable {
  package let features: FeatureFolder
  package let targets: TargetFolder
  /// What the features were made with.
  private let made: FeatureOptions
  /// What messages call the features.
  private let name: Origin
  /// The features that cannot be read.
  private let unreadable: [Ledger.Entry]

  package init(features: FeatureFolder, targets: TargetFolder) throws(FileFault) {
    (self.features, self.targets) = (features, targets)
    (made, name, unreadable) = (try features.options(), .file(features.path), [])
  }

  /// - Parameters:
  ///   - table: features in a table.
  ///   - targets: their targets.
  package init(features table: borrowing TableFolder, targets: TargetFolder) {
    (features, self.targets) = (table.features, targets)
    (made, name, unreadable) = (table.options, table.origin, table.unreadable)
  }

  /// The score of a model, its rules, and the utterances that could not be scored.
  ///
  /// - Parameters:
  ///   - modelPath: the model.
  ///   - options: the bootstrap's, and a map to fold by.
  /// - Returns: a ledger of all utterances besides; and in words what is not known of the features and the model asks
  ///   for, nil where that is nothing.
  /// - Throws: `ModelFault` when the model expects other features, `FileFault` when it has
  ///   other classes or nothing can be scored.
  package func score(
    modelPath: FilePath, options: ScoringOptions
  ) throws -> (score: ModelScore, ledger: Ledger, doubt: String?) {
    let model = try AcousticModel(path: modelPath)
    try model.requireFeatures(
      made, path: modelPath, madeIn: name)
    let (frames, classes, joined) = try join(features, targets, .score)
    let isUnreadable = Set(unreadable.map(\.utterance))
    var ledger = Ledger()
    for entry in unreadable + joined.entries.filter({ !isUnreadable.contains($0.utterance) }) {
      ledger.append(entry)
    }
    guard frames.count > 0 else {
      throw FileFault.malformed(
        path: name, expected: "at least one utterance with features and targets",
        found: "none (\(ledger.leftOut.first?.account ?? "empty"))")
    }
    guard classes == model.classes else {
      throw FileFault.malformed(
        path: targets.classesPath, expected: "the classes of \(modelPath.text)", found: "others")
    }
    try ThreadMemory.require(
      forLogitsOf: frames, by: 1, classes: classes.count, workers: .one)
    let rules = try ScoringRules(classes, fold: options.fold)
    let tallies = try (0..<frames.count).map { index in
      var posteriors = try frames.logits(of: index, by: model, path: name)
      posteriors.replaceRowsBySoftmax(temperature: 1)
      return rules.tally(posteriors, labels: try frames.labels(of: index))
    }
    let speakers = try features.speakers(of: frames.ids)
    let bootstrap = Bootstrap(
      utterances: tallies.count, speakers: speakers, resamples: options.resamples,
      seed: options.seed)
    let score = SetScore(meanOf: [tallies], speakers: speakers, bootstrap: bootstrap)
    let text = "\(rules.text) Intervals: 95 %, from resampled \(bootstrap.unit)."
    return (
      ModelScore(rules: text, score: score), ledger, doubt(of: model.features, path: modelPath)
    )
  }

  private func doubt(of expected: FeatureOptions, path: FilePath) -> String? {
    guard made.logMel == nil, expected != made else { return nil }
    return """
      \(name): no more is known of its features than that a frame has \(made.columns); limbeck info \(path.text) \
      tells what it expects
      """
  }
}

/// A score with its rules; in JSON they stand side by side.
package struct ModelScore: Sendable, Encodable {
  package let rules: String
  package let score: SetScore

  private enum CodingKeys: String, CodingKey { case rules }

  package func encode(to encoder: any Encoder) throws {
    try score.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(rules, forKey: .rules)
  }
}

extension FeatureFolder {
  /// Whose some utterances are; nil when it is not known of each.
  package func speakers(of utterances: [String]) throws(FileFault) -> Speakers? {
    guard let speakers = try speakers() else { return nil }
    let own = utterances.compactMap { speakers[$0] }
    return own.count == utterances.count ? Speakers(own) : nil
  }
}
