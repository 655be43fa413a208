package import Corpus
import Features
import Foundation
import Storage
import Training

extension Experiment {
  private func dataDirectory(_ part: CorpusPart) throws -> DataDirectory {
    let relative =
      switch part {
      case .train: recipe.corpus.train
      case .development: recipe.corpus.development
      case .test: recipe.corpus.test
      }
    return try DataDirectory(path: resolve(relative, from: path), root: recipe.corpus.root)
  }

  /// Makes the features of each part.
  package func prepareFeatures() throws {
    for part in CorpusPart.allCases {
      let data = try dataDirectory(part)
      let folder = features(part)
      var inputs = Inputs()
      inputs.add("options", recipe.features)
      inputs.add("channel", [recipe.corpus.channel])
      if recipe.features.normalization == .speaker { try inputs.add(file: data.speakersPath) }
      for utterance in data.utterances {
        inputs.add(utterance.recording)
        inputs.add(
          utterance.id, utterance.seconds.map { [$0.lowerBound, $0.upperBound] } ?? [])
      }
      try perform(
        "features/\(part.rawValue)", inputs: inputs,
        outputs: [
          folder.archivePath, folder.scriptPath, folder.frameCountPath, folder.descriptionPath,
          folder.ledgerPath,
        ]
      ) {
        _ = try folder.extract(
          data, FeatureRequest(options: recipe.features, channel: recipe.corpus.channel),
          workers: workers, reporter: reporter)
      }
    }
  }

  /// Makes the targets of each part.
  package func prepareTargets() throws {
    let options = recipe.targets.resolved(from: path)
    var source: AlignmentSource?
    for part in CorpusPart.allCases {
      let folder = targets(part)
      var inputs = Inputs()
      inputs.add("options", recipe.targets)
      for file in options.inputs { try inputs.add(file: file) }
      try inputs.add(file: features(part).frameCountPath)
      try inputs.add(file: features(part).descriptionPath)
      try perform(
        "targets/\(part.rawValue)", inputs: inputs,
        outputs: [folder.archivePath, folder.classesPath, folder.ledgerPath]
      ) {
        let opened = try source ?? AlignmentSource(options)
        source = opened
        _ = try folder.prepare(
          opened, frameCounts: try features(part).frameCounts(),
          grid: try features(part).options().logMel.grid, reporter: reporter)
      }
    }
  }

  /// The files that hold the features and targets of a part.
  func dataFiles(_ part: CorpusPart) -> [String] {
    [
      features(part).archivePath, features(part).descriptionPath, targets(part).archivePath,
      targets(part).classesPath,
    ]
  }

  /// All utterances of a part that have features and targets.
  ///
  /// - Throws: `ExperimentFault` when there is none, or when the features are not the recipe's.
  func loadUtterances(_ part: CorpusPart) throws -> [FrameSet.Utterance] {
    let differences = recipe.features.differences(from: try features(part).options())
    guard differences.isEmpty else {
      throw ExperimentFault.otherFeatures(features(part).path, differences: differences)
    }
    let joined = try join(features(part), targets(part))
    guard !joined.utterances.isEmpty else {
      _ = try writeLedger()
      throw ExperimentFault.emptyPart(part.rawValue, ledger: ledgerPath)
    }
    return joined.utterances
  }

  /// Gathers the ledgers of all parts in one, with a line for each utterance left out.
  ///
  /// - Returns: the ledger, and how many utterances the data directories have.
  package func collectLedger() throws -> (ledger: Ledger, utterances: Int) {
    (
      try writeLedger(),
      try CorpusPart.allCases.reduce(0) { count, part in
        count + (try dataDirectory(part).count)
      }
    )
  }

  private func writeLedger() throws(FileFault) -> Ledger {
    var ledger = Ledger()
    for part in CorpusPart.allCases {
      for path in [features(part).ledgerPath, targets(part).ledgerPath]
      where FileManager.default.fileExists(atPath: path) {
        ledger.append(try Ledger(path: path))
      }
      guard FileManager.default.fileExists(atPath: features(part).descriptionPath),
        FileManager.default.fileExists(atPath: targets(part).classesPath)
      else { continue }
      let known = Set(ledger.entries.map(\.utterance))
      let unjoined = unjoined(
        try features(part).frameCounts(), try targets(part).read().labels.mapValues(\.count))
      for entry in unjoined.entries where !known.contains(entry.utterance) {
        ledger.append(entry)
      }
    }
    try ledger.write(to: ledgerPath)
    return ledger
  }
}
