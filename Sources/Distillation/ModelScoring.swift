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

/// Scores one model on the features and targets of two folders.
package struct ModelScoring: Sendable {
  /// The features, with the speakers.
  package let features: FeatureFolder
  /// The targets.
  package let targets: TargetFolder
  /// The options that the features were made with.
  private let made: FeatureOptions
  /// The features' name in messages.
  let name: Origin
  /// The features that cannot be read.
  private let unreadable: [Ledger.Entry]

  /// Scoring on features in a folder.
  ///
  /// - Throws: `FileFault` when the features' options cannot be read.
  package init(features: FeatureFolder, targets: TargetFolder) throws(FileFault) {
    (self.features, self.targets) = (features, targets)
    (made, name, unreadable) = (try features.options(), .file(features.path), [])
  }

  /// Scoring on features in a table.
  ///
  /// - Parameters:
  ///   - table: the features.
  ///   - targets: their targets.
  package init(features table: borrowing TableFolder, targets: TargetFolder) {
    (features, self.targets) = (table.features, targets)
    (made, name, unreadable) = (table.options, table.origin, table.unreadable)
  }

  /// Scores a model.
  ///
  /// - Parameters:
  ///   - modelPath: the model's path.
  ///   - options: the bootstrap's options, and a map to fold classes by.
  /// - Returns: the score with its rules; a ledger of all utterances; and, if the table lacks
  ///   options that the model expects, a warning that they could not be compared.
  /// - Throws: `ModelFault` when the model expects other features, `ExperimentFault` when it has
  ///   other classes or nothing can be scored.
  package func score(
    modelPath: FilePath, options: ScoringOptions
  ) throws -> (score: ModelScore, ledger: Ledger, doubt: String?) {
    let (model, frames, ledger) = try open(modelPath: modelPath)
    let rules = try ScoringRules(model.classes, fold: options.fold)
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

  /// Opens a model and the frames that it is scored on, which must fit it.
  ///
  /// - Parameter modelPath: the model's path.
  /// - Returns: the model, at least one utterance, and a ledger of all utterances.
  /// - Throws: as `score(modelPath:options:)`.
  func open(
    modelPath: FilePath
  ) throws -> (model: AcousticModel, frames: ArchiveFrames, ledger: Ledger) {
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
    return (model, frames, ledger)
  }

  private func doubt(of expected: FeatureOptions, path: FilePath) -> String? {
    guard made.logMel == nil, expected != made else { return nil }
    return """
      \(name): only the number of its features is known, \(made.columns) in a frame; \
      limbeck info \(path.text) shows what the model expects
      """
  }
}

/// A score with its rules, side by side in JSON.
package struct ModelScore: Sendable, Encodable {
  /// The rules of the score, in words.
  package let rules: String
  /// The score of the set.
  package let score: SetScore
  /// The decisions on whole utterances; nil if none were made.
  package var decisions: UtteranceScore?

  private enum CodingKeys: String, CodingKey { case rules, decisions }

  package func encode(to encoder: any Encoder) throws {
    try score.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(rules, forKey: .rules)
    try container.encodeIfPresent(decisions, forKey: .decisions)
  }
}

extension FeatureFolder {
  /// The speakers of some utterances; nil unless the speaker of each is known.
  package func speakers(of utterances: [String]) throws(FileFault) -> Speakers? {
    guard let speakers = try speakers() else { return nil }
    let own = utterances.compactMap { speakers[$0] }
    return own.count == utterances.count ? Speakers(own) : nil
  }
}
