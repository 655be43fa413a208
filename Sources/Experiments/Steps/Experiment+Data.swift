import Audio
package import Corpus
import Features
import Foundation
import KaldiIO
import Logging
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
    let folder = resolve(relative, from: path)
    // Without audio those utterances count that have features.
    let needsKeys = try givenPath(part) != nil && !FileSystem.exists(folder + "/wav.scp")
    return try DataDirectory(
      path: folder, root: recipe.corpus.root.map { resolve($0, from: path) }, commands: commands,
      features: needsKeys ? try givenFrames(part)?.keys : nil)
  }

  /// Where the frames of a part are that another program made; nil where they are made of the audio.
  private func givenPath(_ part: CorpusPart) -> String? {
    guard case .archives(let archives) = recipe.features else { return nil }
    return ArchiveInput.resolved(archives.archive.table(part), from: path)
  }

  private func givenFrames(_ part: CorpusPart) throws(FileFault) -> MatrixTable? {
    guard let path = givenPath(part) else { return nil }
    return try MatrixTable(path, commands: commands)
  }

  /// Makes the features of each part, and of the copies of the training part.
  func prepareFeatures() throws {
    let parts = try CorpusPart.allCases.map { ($0, try dataDirectory($0)) }
    var isAnyMade = false
    for (folder, part, request) in try featureRequests() {
      guard let data = parts.first(where: { $0.0 == part })?.1 else { continue }
      isAnyMade = try prepareFeatures(folder, of: data, request) || isAnyMade
    }
    // What is fresh was told of when it was made.
    guard isAnyMade else { return }
    let named = parts.map { ($0.rawValue, $1) }
    for remark in try PartOverlap(named, comparing: .bytes).remarks {
      reporter.log.warning("\(remark)")
    }
  }

  /// How the features of each part, and of the copies of the training part, are made.
  private func featureRequests() throws -> [(FeatureFolder, CorpusPart, FeatureRequest)] {
    switch recipe.features {
    case .made(let options):
      let request = FeatureRequest(options: options, channel: recipe.corpus.channel)
      let ofCopies = copies.map { folder, copy in
        var own = request
        own.copy = copy
        return (folder, CorpusPart.train, own)
      }
      return CorpusPart.allCases.map { (features($0), $0, request) } + ofCopies
    case .archives(let archives):
      var columns: Int?
      return try CorpusPart.allCases.compactMap { part in
        guard let table = try givenFrames(part) else { return nil }
        let known = try columns ?? table.columns()
        columns = known
        var request = FeatureRequest(given: table, options: archives.options(columns: known))
        request.statisticsPath = archives.cmvn.map {
          ArchiveInput.resolved($0.table(part), from: path)
        }
        return (features(part), part, request)
      }
    }
  }

  /// Makes the features of a folder unless they are fresh.
  ///
  /// - Returns: whether they were made.
  private func prepareFeatures(
    _ folder: FeatureFolder, of data: DataDirectory, _ request: FeatureRequest
  ) throws -> Bool {
    var inputs = Inputs()
    inputs.add("options", request.options)
    inputs.add("channel", [recipe.corpus.channel])
    if let copy = request.copy { inputs.add("copy", copy) }
    if let given = request.given { try inputs.add(given) }
    if let table = request.statisticsPath { try inputs.add(table: table) }
    let hasSpeakers = try FileSystem.exists(data.speakersPath)
    if hasSpeakers {
      try inputs.add(file: data.speakersPath)
    }
    for utterance in data.utterances {
      if request.given == nil { try inputs.add(utterance.recording) }
      inputs.add(utterance)
    }
    for fault in data.faults.entries { inputs.add("fault", fault) }
    let name = folder.path.split(separator: "/").last.map(String.init) ?? ""
    let isMade = try perform(
      "features/\(name)", inputs: inputs,
      outputs: [
        folder.archivePath, folder.frameCountPath, folder.descriptionPath, folder.ledgerPath,
      ] + (hasSpeakers ? [folder.speakersPath] : []),
      beside: [folder.scriptPath]
    ) {
      _ = try folder.extract(data, request, workers: workers, reporter: reporter)
    }
    try folder.placeScript()
    return isMade
  }

  /// Makes the targets of each part.
  func prepareTargets() throws {
    let options = recipe.targets.resolved(from: path)
    var source: AlignmentSource?
    for part in CorpusPart.allCases {
      let folder = targets(part)
      let data = try dataDirectory(part)
      var inputs = Inputs()
      inputs.add("options", recipe.targets)
      try inputs.add(alignments: options)
      for file in options.tables { try inputs.add(file: file) }
      try inputs.add(file: features(part).frameCountPath)
      try inputs.add(file: features(part).descriptionPath)
      // An alignment may be that of the recording, of which the utterance is a part.
      for utterance in data.utterances {
        inputs.add(utterance.onChannel(recipe.corpus.channel))
        if options.dependsOnSpeakers { inputs.add("speaker", [utterance.speaker]) }
      }
      try perform("targets/\(part.rawValue)", inputs: inputs, outputs: folder.files) {
        let grid = try features(part).options().grid
        let opened =
          try source
          ?? AlignmentSource(
            options, sampleRate: grid.sampleRate, workers: workers, commands: commands)
        source = opened
        let counts = try features(part).frameCounts()
        let utterances = data.utterances.compactMap { utterance in
          counts[utterance.id].map { (utterance.onChannel(recipe.corpus.channel), $0) }
        }
        _ = try folder.prepare(
          opened, options, utterances: utterances, grid: grid, reporter: reporter)
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

  /// The frames of a part, of all utterances that have features and targets.
  ///
  /// - Throws: `ExperimentFault` when there is none, or when they are not the recipe's.
  func openFrames(_ part: CorpusPart) throws -> ArchiveFrames {
    try requireData(part)
    let joined = try join(features(part), targets(part), use(of: part))
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
    try requireFeatures(features(part), copy: nil)
    let targets = targets(part)
    let differences = recipe.targets.withoutFolders.differences(from: try targets.options())
    guard differences.isEmpty else {
      throw ExperimentFault.otherOptions(targets.path, of: .targets, differences: differences)
    }
  }

  /// Throws unless features were made with the recipe's options, of the audio as it is or as it is perturbed.
  func requireFeatures(_ folder: FeatureFolder, copy: AugmentedCopy?) throws {
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
  private func use(of part: CorpusPart) -> Ledger.Stage { part == .train ? .train : .score }

  /// Gathers the ledgers of all parts in one, with a line for each utterance and stage, and checks that
  /// no frame is lost.
  ///
  /// - Parameters:
  ///   - last: the last stage that was done.
  ///   - systems: those whose training is checked; nil for all that there are after that stage.
  /// - Returns: the ledger, and how many utterances the data directories have.
  /// - Throws: `ExperimentFault.unaccounted` for frames that are neither used nor skipped.
  package func collectLedger(
    until last: Stage = .score, systems: [System]? = nil
  ) throws -> (ledger: Ledger, utterances: Int) {
    let ledger = try writeLedger(until: last)
    var utterances = 0
    for part in CorpusPart.allCases {
      let expected = try dataDirectory(part).ids
      let found = Set(
        ledger.entries.filter {
          $0.part == part.rawValue && ($0.stage == .data || $0.stage == .features)
        }.map(\.utterance))
      if let id = expected.symmetricDifference(found).min(by: inByteOrder) {
        throw ExperimentFault.unaccounted(
          ledgerPath, what: "\(part.rawValue): entries of utterance \(id)",
          expected: expected.contains(id) ? 1 : nil, found: found.contains(id) ? 1 : nil)
      }
      utterances += expected.count
    }
    try Accounts(experiment: path).check(systems: systems ?? self.systems(until: last))
    return (ledger, utterances)
  }

  @discardableResult
  private func writeLedger(until last: Stage) throws(FileFault) -> Ledger {
    var ledger = Ledger()
    for part in CorpusPart.allCases {
      var own = try Ledger(path: features(part).ledgerPath)
      if last != .features { own.append(try Ledger(path: targets(part).ledgerPath)) }
      let isUsed = part == .train ? ![.features, .targets].contains(last) : last == .score
      if isUsed {
        let known = Set(own.leftOut.map(\.utterance))
        let used = joined(
          try features(part).frameCounts(), try targets(part).labelCounts(),
          use(of: part))
        for entry in used.entries where !known.contains(entry.utterance) { own.append(entry) }
      }
      for var entry in own.entries {
        entry.part = part.rawValue
        ledger.append(entry)
      }
    }
    let isLearnt = [.distill, .specialists, .score].contains(last)
    // Before students learn from copies these need not be there.
    for (folder, copy) in copies {
      if !isLearnt, try !FileSystem.exists(folder.ledgerPath) { continue }
      var own = try Ledger(path: folder.ledgerPath)
      if isLearnt {
        // Every frame of a copy is used: its classes need not be known.
        for (id, frames) in try folder.frameCounts().sorted(by: { inByteOrder($0.key, $1.key) }) {
          var entry = Ledger.Entry(id, .train)
          (entry.framesIn, entry.framesOut) = (frames, frames)
          own.append(entry)
        }
      }
      for var entry in own.entries {
        entry.part = copy.name
        ledger.append(entry)
      }
    }
    try ledger.write(to: ledgerPath)
    return ledger
  }
}

extension Ledger {
  /// The utterances of the corpus, without their perturbed copies, some of which may be too short for a frame.
  package var withoutCopies: Ledger {
    var own = Ledger()
    for entry in entries where !AugmentedCopy.isName(entry.part ?? "") { own.append(entry) }
    return own
  }
}
