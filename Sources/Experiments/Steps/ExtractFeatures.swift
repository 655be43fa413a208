import Audio
import Corpus
import Features
import Foundation
import KaldiIO
import Storage
import SystemPackage
import Training

/// Makes the features of a part of the corpus, or of a perturbed copy.
struct ExtractFeatures: Step {
  let set: UtteranceSet

  /// A step for each part and each copy.
  static func steps(of recipe: Recipe) -> [any Step] {
    (CorpusPart.allCases.map { .part($0) } + recipe.copies).map { ExtractFeatures(set: $0) }
  }

  var stage: Stage { .features }
  var makes: Product { .features(set) }
  var reads: [Product] { [] }
  var group: String { "features" }

  func files(in experiment: Experiment) throws -> StepFiles {
    let folder = experiment.features(set)
    let hasSpeakers = try FileSystem.exists(experiment.dataDirectory(set.part).speakersPath)
    return StepFiles(
      record: name, folder: folder.path,
      exact: [
        folder.archivePath, folder.frameCountPath, folder.descriptionPath, folder.ledgerPath,
      ] + (hasSpeakers ? [folder.speakersPath] : []),
      beside: [folder.scriptPath])
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    let (data, request) = (try experiment.dataDirectory(set.part), try request(in: experiment))
    inputs.add("options", request.options)
    inputs.add("channel", [request.channel])
    if let copy = request.copy { inputs.add("copy", copy) }
    if let given = request.given { try inputs.add(given) }
    if let table = request.statisticsTable { try inputs.add(table: table) }
    if try FileSystem.exists(data.speakersPath) { try inputs.add(file: data.speakersPath) }
    for utterance in data.utterances {
      if request.given == nil { try inputs.add(utterance.recording) }
      inputs.add(utterance)
    }
    for fault in data.faults.entries { inputs.add("fault", fault) }
  }

  func settle(in experiment: Experiment) throws { try experiment.features(set).placeScript() }

  func make(in experiment: Experiment) throws {
    _ = try FeatureExtraction(
      folder: experiment.features(set), data: try experiment.dataDirectory(set.part),
      request: try request(in: experiment), workers: experiment.workers,
      reporter: experiment.reporter
    ).run()
  }

  static func perform(_ steps: [Pending<ExtractFeatures>], in experiment: Experiment) throws {
    if case .made(let settings) = experiment.recipe.features {
      _ = try experiment.featureOptions(settings, for: try experiment.sampleRates())
    }
    for pending in steps { try experiment.perform(pending) }
    // Overlaps of fresh parts were reported when those were made.
    let parts = try CorpusPart.allCases.map {
      ($0.rawValue, try experiment.dataDirectory($0))
    }
    for remark in try PartOverlap(parts, comparing: .bytes).remarks {
      experiment.reporter.log.warning("\(remark)")
    }
  }

  /// How the features are made.
  private func request(in experiment: Experiment) throws -> FeatureRequest {
    let recipe = experiment.recipe
    switch recipe.features {
    case .made(let settings):
      var request = FeatureRequest(
        options: try experiment.featureOptions(settings), channel: recipe.corpus.channel)
      request.copy = recipe.augmentedCopy(set)
      return request
    case .archives(let archives):
      guard let table = try experiment.givenFrames(set.part) else {
        preconditionFailure("ExtractFeatures: an archive for \(set.name)")
      }
      let columns = try experiment.givenFrames(.train)?.columns() ?? table.columns()
      var request = FeatureRequest(given: table, options: archives.options(columns: columns))
      request.statisticsTable = archives.cmvn.map {
        ArchiveInput.resolved($0.table(set.part), from: experiment.path)
      }
      return request
    }
  }
}

extension Experiment {
  /// The options of the recipe's features, at the rate of the audio unless the recipe has one.
  ///
  /// Only in the latter case can they be known without reading the headers of all recordings.
  func featureOptions(_ settings: FeatureSettings) throws -> FeatureOptions {
    if let rate = settings.sampleRate { return try settings.options(at: rate) }
    return try featureOptions(settings, for: try sampleRates())
  }

  fileprivate func featureOptions(
    _ settings: FeatureSettings, for rates: SampleRates
  ) throws -> FeatureOptions {
    do {
      return try settings.options(for: rates, option: "features: sampleRate")
    } catch OptionFault.outOfRange(let key, let expected, let found) {
      throw OptionFault.outOfRange(key: "features.\(key)", expected: expected, found: found)
    }
  }

  /// The sample rates of all parts, read once.
  fileprivate func sampleRates() throws -> SampleRates {
    try rates.value {
      let parts = try CorpusPart.allCases.map { ($0.rawValue, try dataDirectory($0)) }
      return try SampleRates(of: parts, workers: workers)
    }
  }

  /// The data directory of a part.
  func dataDirectory(_ part: CorpusPart) throws -> DataDirectory {
    let relative =
      switch part {
      case .train: recipe.corpus.train
      case .development: recipe.corpus.development
      case .test: recipe.corpus.test
      }
    let folder = path.pushing(relative)
    // Without `wav.scp`, the utterances are those that have features.
    let needsKeys = try givenTable(part) != nil && !FileSystem.exists(folder.appending("wav.scp"))
    return try DataDirectory(
      path: folder, root: recipe.corpus.root.map(path.pushing), commands: commands,
      features: needsKeys ? try givenFrames(part)?.keys : nil)
  }

  /// The table of a part's frames made by another program; nil for features computed from audio.
  fileprivate func givenTable(_ part: CorpusPart) -> String? {
    guard case .archives(let archives) = recipe.features else { return nil }
    return ArchiveInput.resolved(archives.archive.table(part), from: path)
  }

  fileprivate func givenFrames(_ part: CorpusPart) throws(FileFault) -> MatrixTable? {
    guard let table = givenTable(part) else { return nil }
    return try MatrixTable(table, commands: commands)
  }
}
