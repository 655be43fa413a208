import Models
package import Corpus
package import LinearAlgebra
import Networks
import Storage
package import SystemPackage
package import Training

/// Labels frames with distributions that students are trained on.
package protocol Teacher: Sendable {
  /// Adds everything that its distributions depend on, except the frames.
  func add(to inputs: inout Inputs) throws

  /// The distributions for the frames of some utterances.
  ///
  /// - Parameters:
  ///   - utterances: the indices of the utterances in `frames`.
  ///   - frames: the frames, with features.
  ///   - path: the features' path, for messages.
  ///   - temperatures: each T.
  ///   - workers: the threads that share the utterances.
  ///   - progress: called now and then with the share that is done.
  /// - Returns: for each utterance and each T, a matrix [T × classes].
  /// - Throws: a fault of a model or of the features.
  func distributions(
    of utterances: Range<Int>, in frames: ArchiveFrames, path: FilePath, temperatures: [Double],
    workers: Workers, progress: (Double) -> Void
  ) throws -> [[Matrix]]
}

/// The members of an ensemble, one in memory at a time.
package struct EnsembleTeacher: Teacher {
  /// The models of all members, at least one.
  let memberPaths: [FilePath]
  let mean: TeacherMean
  /// Nil when all members label each utterance.
  var folds: Folds?

  /// The ensemble of some models, whose files need not exist yet.
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
      // Throws if it does not match the first member.
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

/// A generalist with its specialists.
///
/// For T other than 1, the logarithm of their combined distribution q serves as logits.
package struct SpecialistTeacher: Teacher {
  let ensemble: SpecialistEnsemble
  let active: Int
  /// The models of all networks.
  let paths: [FilePath]

  /// A generalist with specialists, of which some are active, and the paths of their models.
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
        return temperatures.map { combined.softened(temperature: $0) }
      }
    }
    progress(1)
    return try results.map { try $0.get() }
  }
}
