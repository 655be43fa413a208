import Corpus
package import Features
import Storage

/// The source of a recipe's features.
package enum FeatureChoice: Sendable, Codable {
  /// Computed from the audio.
  case made(FeatureSettings)
  /// Computed by another program and read from archives.
  case archives(ArchiveFeatures)

  package init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: ArchiveFeatures.CodingKeys.self)
    self =
      keys.contains(.archive)
      ? .archives(try ArchiveFeatures(from: decoder)) : .made(try FeatureSettings(from: decoder))
    // Each part would be normalised by its own statistics, but a model by the training set's.
    try requireOption(
      transform.normalization != .global, "normalization",
      expected: "none, utterance or speaker, since a model normalises by its training set",
      found: transform.normalization.rawValue)
  }

  package func encode(to encoder: any Encoder) throws {
    switch self {
    case .made(let settings): try settings.encode(to: encoder)
    case .archives(let archives): try archives.encode(to: encoder)
    }
  }

  /// The choice with other archives, each a path or a specifier.
  func replacingTables(_ table: (String) -> String) -> FeatureChoice {
    guard case .archives(var own) = self else { return self }
    own.archive = own.archive.replacing(table)
    own.cmvn = own.cmvn?.replacing(table)
    return .archives(own)
  }

  /// The transform of the frames, such as normalisation and deltas.
  var transform: FeatureTransform {
    switch self {
    case .made(let settings): settings.transform
    case .archives(let archives): archives.transform
    }
  }

  /// The options in which a folder's features differ from the recipe's, in words.
  func differences(from found: FeatureOptions) -> [String] {
    switch (self, found.frames) {
    case (.made(let settings), .logMel): return settings.differences(from: found)
    case (.archives(let own), .given(let given)):
      return own.grid.differences(from: given.grid)
        + own.transform.differences(from: found.transform)
    case (.made, .given): return ["frames from audio, not from an archive"]
    case (.archives, .logMel): return ["frames from an archive, not from audio"]
    }
  }
}

/// Features whose frames another program computed, as an archive or list for each part of the
/// corpus.
package struct ArchiveFeatures: Sendable, Codable {
  /// A table for each part of the corpus: a path, `ark:PATH` or `scp:PATH`.
  package struct Tables: Sendable, Codable {
    private(set) var train: String
    private(set) var development: String
    private(set) var test: String

    enum CodingKeys: String, CodingKey, CaseIterable { case train, development, test }

    package init(from decoder: any Decoder) throws {
      let read = try OptionReader<CodingKeys>(decoder)
      train = try read(.train)
      development = try read(.development)
      test = try read(.test)
    }

    func replacing(_ table: (String) -> String) -> Tables {
      var own = self
      (own.train, own.development, own.test) = (table(train), table(development), table(test))
      return own
    }

    func table(_ part: CorpusPart) -> String {
      switch part {
      case .train: train
      case .development: development
      case .test: test
      }
    }
  }

  fileprivate(set) var archive: Tables
  /// Kaldi's statistics by speaker or utterance for normalisation; nil computes them from the
  /// frames.
  fileprivate(set) var cmvn: Tables?
  let grid: GivenGrid
  let transform: FeatureTransform

  enum CodingKeys: String, CodingKey, CaseIterable { case archive, cmvn }

  package init(from decoder: any Decoder) throws {
    let own = CodingKeys.allCases.map(\.stringValue)
    let ofGrid = GivenGrid.CodingKeys.allCases.map(\.stringValue)
    let ofTransform = FeatureTransform.CodingKeys.allCases.map(\.stringValue)
    let read = try OptionReader<CodingKeys>(decoder, besides: ofGrid + ofTransform)
    archive = try read(.archive)
    cmvn = try read.optional(.cmvn)
    grid = try GivenGrid(from: decoder, besides: own + ofTransform)
    transform = try FeatureTransform(from: decoder, besides: own + ofGrid)
    try transform.validate()
    try requireOption(
      cmvn == nil || transform.normalization != .none, "normalization",
      expected: "speaker or utterance, by which cmvn has its statistics",
      found: transform.normalization.rawValue)
  }

  /// The options of features whose frames have this many columns.
  func options(columns: Int) -> FeatureOptions {
    FeatureOptions(
      frames: .given(GivenFrames(columns: columns, grid: grid)), transform: transform)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(archive, forKey: .archive)
    try container.encodeIfPresent(cmvn, forKey: .cmvn)
    try grid.encode(to: encoder)
    try transform.encode(to: encoder)
  }
}
