package import Storage
package import SystemPackage

/// A division of the utterances of a data directory into training, development and test set.
///
/// The part of an utterance depends on the id of its unit alone, so it stays the same when other
/// utterances are added. Shares are therefore approximate.
package struct DataSplit: Sendable, Equatable, Codable {
  /// What is never divided.
  package enum Unit: String, Sendable, Codable, CaseIterable {
    /// Each utterance is placed by itself.
    case utterance
    /// All segments of a recording are in the same part.
    case recording
    /// All utterances of a speaker are in the same part.
    case speaker
  }

  /// The share of the units in the development set, from 0 to 1.
  package var development: Double
  /// The share of the units in the test set, from 0 to 1; with `development` below 1 in all.
  package var test: Double
  /// What is never divided.
  package var unit: Unit
  /// Another seed gives another division.
  package var seed: UInt64

  /// A division with the given shares.
  package init(development: Double, test: Double, unit: Unit, seed: UInt64 = 1) {
    precondition(
      development >= 0 && test >= 0 && development + test < 1,
      "DataSplit: shares of \(development) and \(test)")
    (self.development, self.test, self.unit, self.seed) = (development, test, unit, seed)
  }

  /// The part of a unit, by its id.
  ///
  /// The first 52 bits of a digest of seed and id are a number from 0 up to 1. Numbers below `test`
  /// are in the test set, those above it by less than `development` in the development set.
  package func part(of id: String) -> CorpusPart {
    let digits = Fingerprint(of: "\(seed) \(id)").description.prefix(13)
    let number = Double(UInt64(digits, radix: 16) ?? 0) / Double(1 << 52 as UInt64)
    if number < test { return .test }
    return number < test + development ? .development : .train
  }

  /// The parts that are meant to have utterances.
  var wanted: [CorpusPart] {
    CorpusPart.allCases.filter { part in
      switch part {
      case .train: true
      case .development: development > 0
      case .test: test > 0
      }
    }
  }

  /// The smallest seed up to 10,000 that leaves no wanted part empty; nil if there is none.
  func fittingSeed(for units: Set<String>) -> UInt64? {
    guard units.count >= wanted.count else { return nil }
    return (1...10_000).first { seed in
      var other = self
      other.seed = seed
      let found = Set(units.lazy.map(other.part))
      return wanted.allSatisfy(found.contains)
    }
  }

  /// The unit of each utterance of a data directory, usable or not, by the utterance's id.
  ///
  /// - Throws: `SplitFault.noSpeaker` when speakers are the unit and some are not known, and
  ///   `FileFault` when a file cannot be read.
  func units(of data: DataDirectory) throws -> [String: String] {
    let ids = data.ids
    var units = Dictionary(uniqueKeysWithValues: ids.map { ($0, $0) })
    switch unit {
    case .utterance: break
    case .recording: for own in data.utterances { units[own.id] = own.recordingID }
    case .speaker:
      guard try FileSystem.exists(data.speakersPath) else {
        throw FileFault.missing(path: data.speakersPath)
      }
      let speakers = try data.speakers()
      let unknown = ids.filter { speakers[$0] == nil }
      if let first = unknown.min(by: inByteOrder) {
        throw SplitFault.noSpeaker(
          path: data.speakersPath, utterances: unknown.count, of: ids.count, example: first)
      }
      for id in ids { units[id] = speakers[id] }
    }
    return units
  }
}

/// A data directory that cannot be divided as requested.
package enum SplitFault: Fault, Equatable {
  /// Speakers are the unit, but `utt2spk` does not have those of some utterances.
  case noSpeaker(path: FilePath, utterances: Int, of: Int, example: String)
  /// No unit falls into a part; `seed` is one with which each part has some.
  case emptyPart(CorpusPart, of: FilePath, units: Int, DataSplit.Unit, seed: UInt64?)

  /// Always `data`.
  package var exitStatus: ExitStatus { .data }

  package var description: String {
    switch self {
    case .noSpeaker(let path, let utterances, let all, let example):
      "\(path.text): expected the speaker of each utterance, found none for \(utterances) of "
        + "\(all), such as \(example)"
    case .emptyPart(let part, let path, let units, let unit, let seed):
      "\(path.text): expected at least one \(unit) in each part, found none of \(units) in \(part)"
        + (seed.map { "; use --seed \($0)" } ?? "; add data, or divide by a smaller unit")
    }
  }
}
