import Corpus
import Foundation
import LinearAlgebra
package import Storage
package import SystemPackage

/// A division of the training utterances into folds, so that each utterance can be labelled by
/// members that were not trained on it.
///
/// Stacked generalisation (Wolpert, 1992). The utterances of a speaker stay in one fold if speakers
/// are known and there are at least as many speakers as folds.
package struct Folds: Sendable, Equatable, Codable {
  /// The number of folds.
  package let count: Int
  /// The fold of each utterance, from 0.
  private let ofUtterances: [String: Int]

  /// Divides utterances into folds of about the same number of speakers, or of utterances.
  ///
  /// - Parameters:
  ///   - utterances: their ids.
  ///   - speakers: the speaker of each; nil to divide by utterance, as for a single speaker.
  ///   - count: the number of folds.
  ///   - seed: the seed of the division.
  package init(utterances: [String], speakers: [String: String]?, count: Int, seed: UInt64) {
    var units = utterances.map { speakers?[$0] ?? $0 }
    if Set(units).count < count { units = utterances }
    let names = Set(units).sorted(by: inByteOrder)
    var generator = SeededGenerator(seed, UInt64(count))
    var folds: [String: Int] = [:]
    for (place, name) in generator.permutation(of: names.count).enumerated() {
      folds[names[Int(name)]] = place % count
    }
    self.count = count
    ofUtterances = Dictionary(
      uniqueKeysWithValues: zip(utterances, units).map { ($0, folds[$1] ?? 0) })
  }

  /// Whether a member, counted from 0, is trained on an utterance; false for an utterance in no
  /// fold.
  package func isTrained(member: Int, on utterance: String) -> Bool {
    ofUtterances[utterance].map { $0 != member % count } ?? false
  }

  /// The path of an experiment's folds.
  static func path(in experiment: FilePath) -> FilePath {
    experiment.appending("models/folds.json")
  }

  /// Reads the folds of an experiment; nil when every member is trained on all utterances.
  ///
  /// - Throws: `FileFault` when the file cannot be read or is malformed.
  package init?(experiment: FilePath) throws(FileFault) {
    let path = Folds.path(in: experiment)
    guard try FileSystem.exists(path) else { return nil }
    do {
      self = try JSONDecoder().decode(Folds.self, from: try TextFile.bytes(of: path))
    } catch {
      throw .malformed(path: path, expected: "folds of utterances", found: "other contents")
    }
  }
}

/// Writes the folds of the ensemble's members, for the check of the ledger.
struct DivideFolds: Step {
  /// One step for a recipe with folds, otherwise none.
  static func steps(of recipe: Recipe) -> [any Step] {
    recipe.ensemble.folds == nil ? [] : [DivideFolds()]
  }

  var stage: Stage { .train }
  var makes: Product { .folds }
  var reads: [Product] { [.features(.train), .targets(.train)] }

  func files(in experiment: Experiment) throws -> StepFiles {
    StepFiles(record: name, exact: [Folds.path(in: experiment.path)])
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    inputs.add("folds", try experiment.folds())
  }

  func make(in experiment: Experiment) throws {
    guard let folds = try experiment.folds() else { return }
    try AtomicFile.write(JSONText.document(folds), to: Folds.path(in: experiment.path))
  }
}

extension Experiment {
  /// The folds of the training utterances; nil when the recipe has none.
  ///
  /// - Throws: `FileFault` when there are fewer utterances than folds.
  func folds() throws(FileFault) -> Folds? {
    guard let count = recipe.ensemble.folds else { return nil }
    let labels = try targets(.train).labelCounts()
    let utterances = try features(.train).frameCounts().filter { labels[$0.key] == $0.value }
    guard utterances.count >= count else {
      throw .malformed(
        path: targets(.train).archivePath,
        expected: "at least one utterance for each of \(count) folds", found: "\(utterances.count)")
    }
    return Folds(
      utterances: utterances.keys.sorted(by: inByteOrder),
      speakers: try features(.train).speakers(), count: count, seed: recipe.ensemble.seed)
  }
}
