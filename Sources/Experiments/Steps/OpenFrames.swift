import Corpus
import Features
import Foundation
import KaldiIO
import Storage
import SystemPackage
import Training

/// Opening the frames of an experiment's archives, which must match the recipe.
extension Experiment {
  /// The files with the features and targets of a set.
  func dataFiles(_ set: UtteranceSet) -> [FilePath] {
    let (features, targets) = (features(set), targets(set))
    return [
      features.archivePath, features.descriptionPath, targets.archivePath, targets.classesPath,
    ]
  }

  /// The frames of the utterances of a set that have features and targets.
  ///
  /// - Throws: `ExperimentFault` when there are none, or they do not match the recipe.
  func openFrames(_ set: UtteranceSet) throws -> ArchiveFrames {
    try requireData(set)
    let joined = try join(features(set), targets(set), use(of: set.part))
    guard joined.frames.count > 0 else {
      try writeLedger(until: .targets)
      throw ExperimentFault.emptyPart(set.name, ledger: ledgerPath)
    }
    return joined.frames
  }

  /// Throws unless the features and targets of a set were made with the recipe's options.
  ///
  /// - Throws: `ExperimentFault.otherOptions`, or `FileFault` when their options cannot be read.
  func requireData(_ set: UtteranceSet) throws {
    try requireFeatures(set)
    let targets = targets(set)
    let differences = recipe.targets.withoutFolders.differences(from: try targets.options())
    guard differences.isEmpty else {
      throw ExperimentFault.otherOptions(targets.path, of: .targets, differences: differences)
    }
  }

  /// Throws unless the features of a set were made with the recipe's options, including its
  /// perturbation.
  func requireFeatures(_ set: UtteranceSet) throws {
    let (folder, copy) = (features(set), recipe.augmentedCopy(set))
    let found = try folder.description()
    var differences = recipe.features.differences(from: found.options)
    if recipe.corpus.channel != found.channel {
      let (own, other) = (recipe.corpus.channel, found.channel)
      differences.append(
        "channel \(own.map(String.init) ?? "none"), not \(other.map(String.init) ?? "none")")
    }
    if copy != found.copy {
      differences.append(
        "augmentation \(JSONText.line(copy?.options)), not \(JSONText.line(found.copy?.options))")
    }
    guard differences.isEmpty else {
      throw ExperimentFault.otherOptions(folder.path, of: .features, differences: differences)
    }
  }

  /// The stage that the frames of a part are for.
  func use(of part: CorpusPart) -> Ledger.Stage { part == .train ? .train : .score }
}
