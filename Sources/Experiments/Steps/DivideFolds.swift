import Training
import Corpus
import Foundation
package import Storage
package import SystemPackage

extension Folds {
  /// Where an experiment keeps them.
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
