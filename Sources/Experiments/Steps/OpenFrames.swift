import Corpus
import Features
import Foundation
import KaldiIO
import Storage
import SystemPackage
import Training

/// The frames of an experiment's archives, which must be the recipe's.
extension Experiment {
  /// The files that hold the features and targets of a part.
  func dataFiles(_ part: CorpusPart) -> [FilePath] {
    [
      features(.part(part)).archivePath, features(.part(part)).descriptionPath,
      targets(part).archivePath,
      targets(part).classesPath,
    ]
  }

  /// The frames of a part, of all utterances that have features and targets.
  ///
  /// - Throws: `ExperimentFault` when there is none, or when they are not the recipe's.
  func openFrames(_ part: CorpusPart) throws -> ArchiveFrames {
    try requireData(part)
    let joined = try join(features(.part(part)), targets(part), use(of: part))
    guard joined.frames.count > 0 else {
      try writeLedger(until: .targets)
      throw ExperimentFault.emptyPart(part.rawValue, ledger: ledgerPath)
    }
    return joined.frames
  }

  /// Throws unless the features and targets of a part were made with the recipe's options.
  ///
  /// - Parameter part: which.
  /// - Throws: `ExperimentFault.otherOptions`, and `FileFault` when it cannot be told.
  func requireData(_ part: CorpusPart) throws {
    try requireFeatures(.part(part))
    let targets = targets(part)
    let differences = recipe.targets.withoutFolders.differences(from: try targets.options())
    guard differences.isEmpty else {
      throw ExperimentFault.otherOptions(targets.path, of: .targets, differences: differences)
    }
  }

  /// Throws unless features were made with the recipe's options, of the audio as it is or as it is perturbed.
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

  /// What the frames of a part are for.
  func use(of part: CorpusPart) -> Ledger.Stage { part == .train ? .train : .score }
}
