import Corpus
import Foundation
import LinearAlgebra
package import Storage
package import SystemPackage

/// A division of the training utterances, so that each can be labelled by members that do not know it.
///
/// That is stacked generalisation (Wolpert, 1992). Speakers stay whole where they are known and
/// not fewer than folds.
package struct Folds: Sendable, Equatable, Codable {
  package let count: Int
  /// The fold of each utterance, from 0.
  private let ofUtterances: [String: Int]

  /// - Parameters:
  ///   - utterances: their ids.
  ///   - speakers: the speaker of each; nil, or one for all, to divide by utterances.
  ///   - count: how many folds there are.
  ///   - seed: decides which utterances go together.
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

  /// Whether a member, counted from 0, is trained on an utterance; none is on one that is in no fold.
  package func isTrained(member: Int, on utterance: String) -> Bool {
    ofUtterances[utterance].map { $0 != member % count } ?? false
  }

  /// Where an experiment keeps them.
  static func path(in experiment: FilePath) -> FilePath {
    experiment.appending("models/folds.json")
  }

  /// The folds of an experiment; nil when each member is trained on all utterances.
  package init?(experiment: FilePath) throws(FileFault) {
    let path = Folds.path(in: experiment)
    guard try FileSystem.exists(path) else { return nil }
    do {
      self = try JSONDecoder().decode(Folds.self, from: try TextFile.bytes(of: path))
    } catch {
      throw .malformed(path: path, expected: "folds of utterances", found: "other JSON or none")
    }
  }
}

/// Writes the folds of the ensemble's members, for the accounts.
struct DivideFolds: Step {
  /// One step, of a recipe with folds.
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
  /// The folds of the utterances that are trained on; nil when the recipe has none.
  ///
  /// - Throws: `FileFault` when there are fewer utterances than folds.
  func folds() throws(FileFault) -> Folds? {
    guard let count = recipe.ensemble.folds else { return nil }
    let labels = try targets(.train).labelCounts()
    let utterances = try features(.train).frameCounts().filter { labels[$0.key] == $0.value }
    guard utterances.count >= count else {
      throw .malformed(
        path: targets(.train).archivePath,
        expected: "an utterance for each of \(count) folds at least", found: "\(utterances.count)")
    }
    return Folds(
      utterances: utterances.keys.sorted(by: inByteOrder),
      speakers: try features(.train).speakers(), count: count, seed: recipe.ensemble.seed)
  }
}
