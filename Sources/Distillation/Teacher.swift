import Models
package import Corpus
import Foundation
package import LinearAlgebra
import Networks
import Storage
package import SystemPackage
package import Training

/// What labels frames with distributions that students learn from.
package protocol Teacher: Sendable {
  /// Adds all that its distributions depend on, the frames aside.
  func add(to inputs: inout Inputs) throws

  /// The distributions for the frames of some utterances.
  ///
  /// - Parameters:
  ///   - utterances: of `frames`.
  ///   - frames: with their features.
  ///   - path: where the features are, for messages.
  ///   - temperatures: each T.
  ///   - workers: share the utterances.
  ///   - progress: told now and then which share is done.
  /// - Returns: of each utterance, for each T: frames × classes.
  /// - Throws: what is wrong with a model or the features.
  func distributions(
    of utterances: Range<Int>, in frames: ArchiveFrames, path: FilePath, temperatures: [Double],
    workers: Workers, progress: (Double) -> Void
  ) throws -> [[Matrix]]
}

/// The members of an ensemble, of which one is in memory at a time.
package struct EnsembleTeacher: Teacher {
  /// The models of all members, at least one.
  let memberPaths: [FilePath]
  let mean: TeacherMean
  /// Nil when all members label each utterance.
  var folds: Folds?

  package init(memberPaths: [FilePath], mean: TeacherMean, folds: Folds? = nil) {
    (self.memberPaths, self.mean, self.folds) = (memberPaths, mean, folds)
  }

  package func add(to inputs: inout Inputs) throws {
    if let folds { inputs.add("folds", folds) }
    inputs.add("mean", mean)
    for path in memberPaths { try inputs.add(file: path) }
  }

  package func distributions(
    of utterances: Range<Int>, in frames: ArchiveFrames, path: FilePath, temperatures: [Double],
    workers: Workers, progress: (Double) -> Void
  ) throws -> [[Matrix]] {
    var sums = utterances.map { _ in
      temperatures.map { EnsembleMean(mean, temperature: $0) }
    }
    var first: AcousticModel?
    for (number, memberPath) in memberPaths.enumerated() {
      let member = try AcousticModel(path: memberPath)
      // Throws when it does not fit the first.
      _ = try Ensemble([first ?? member, member])
      first = first ?? member
      let before = sums
      let results = workers.map(utterances.count) { index -> Result<[EnsembleMean], any Error> in
        Result {
          try Interruption.check()
          var own = before[index]
          let utterance = utterances.lowerBound + index
          if let folds, folds.isTrained(member: number, on: frames.id(of: utterance)) { return own }
          let logits = try frames.logits(of: utterance, by: member, path: .file(path))
          for place in own.indices { own[place].add(logits) }
          return own
        }
      }
      sums = try results.map { try $0.get() }
      progress(Double(number + 1) / Double(memberPaths.count))
    }
    return sums.map { $0.map(\.distributions) }
  }
}

/// A generalist with its specialists: their combination q, whose logarithm stands for logits at other temperatures
/// than 1.
package struct SpecialistTeacher: Teacher {
  let ensemble: SpecialistEnsemble
  let active: Int
  /// The models of all networks.
  let paths: [FilePath]

  package init(ensemble: SpecialistEnsemble, active: Int, paths: [FilePath]) {
    (self.ensemble, self.active, self.paths) = (ensemble, active, paths)
  }

  package func add(to inputs: inout Inputs) throws {
    inputs.add("active", active)
    inputs.add("sets", ensemble.specialists.map(\.own))
    for path in paths { try inputs.add(file: path) }
  }

  package func distributions(
    of utterances: Range<Int>, in frames: ArchiveFrames, path: FilePath, temperatures: [Double],
    workers: Workers, progress: (Double) -> Void
  ) throws -> [[Matrix]] {
    let results = workers.map(utterances.count) { index -> Result<[Matrix], any Error> in
      Result {
        try Interruption.check()
        let utterance = utterances.lowerBound + index
        let combined = ensemble.answer(try frames.features(of: utterance, path: .file(path)))
          .combined
        try frames.requireFinite(combined, of: utterance, path: .file(path))
        return temperatures.map { softened(combined, temperature: $0) }
      }
    }
    progress(1)
    return try results.map { try $0.get() }
  }

  /// A distribution q for each frame, at T.
  private func softened(_ combined: Matrix, temperature: Double) -> Matrix {
    guard temperature != 1 else { return combined }
    var result = combined
    result.forEachRow { _, row in
      for place in row.indices { row[place] = log(max(row[place], .leastNormalMagnitude)) }
    }
    result.replaceRowsBySoftmax(temperature: Float(temperature))
    return result
  }
}
