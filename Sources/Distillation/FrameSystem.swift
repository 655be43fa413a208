import Networks
import Classes
import Corpus
package import LinearAlgebra
package import Models
package import Storage
package import SystemPackage

/// What classifies frames: one model, or several whose distributions are combined.
package struct FrameSystem: Sendable {
  /// How the distributions of the models become one.
  enum Combination: Sendable {
    /// There is one model.
    case none
    /// The mean of all models.
    case mean(TeacherMean)
    /// The distribution q of a generalist, the first model, and its specialists.
    case specialists(SpecialistEnsemble)
  }

  /// The models, at least one; the first has the classes and the features of the system.
  package let models: [AcousticModel]
  /// The model's file, or the experiment's folder.
  package let path: FilePath
  /// All files that decide on the distributions.
  package let files: [FilePath]
  let combination: Combination

  /// A single model.
  ///
  /// - Throws: `ModelFault` when the file is not a model.
  package init(model path: FilePath) throws(ModelFault) {
    models = [try AcousticModel(path: path)]
    (self.path, files, combination) = (path, [path], .none)
  }

  /// The members of an ensemble.
  ///
  /// - Parameters:
  ///   - memberPaths: the members' model files, at least one.
  ///   - mean: how their distributions are averaged.
  ///   - path: the experiment's folder.
  /// - Throws: `ModelFault` when a file is not a model, `EnsembleFault` when the members' features
  ///   or classes differ.
  package init(ensemble memberPaths: [FilePath], mean: TeacherMean, path: FilePath) throws {
    models = try Ensemble(memberPaths.map { try AcousticModel(path: $0) }).members
    (self.path, files, combination) = (path, memberPaths, .mean(mean))
  }

  /// A generalist and its specialists.
  ///
  /// - Parameters:
  ///   - ensemble: the models.
  ///   - files: all files that they were read from.
  ///   - path: the experiment's folder.
  package init(specialists ensemble: SpecialistEnsemble, files: [FilePath], path: FilePath) {
    models = [ensemble.generalist] + ensemble.specialists.map(\.model)
    (self.path, self.files, combination) = (path, files, .specialists(ensemble))
  }

  /// The model that has the classes, the features and the priors of the system.
  package var first: AcousticModel { models[0] }

  /// The system's name: a file name, or the kind of combination.
  package var name: String {
    let folder = path.lastComponent?.text ?? ""
    return switch combination {
    case .none: folder
    case .mean(let mean): "ensemble of \(models.count) (\(mean.rawValue) mean) in \(folder)"
    case .specialists(let ensemble):
      "generalist with \(models.count - 1) specialists (active \(ensemble.active)) in \(folder)"
    }
  }

  /// A digest of the files' bytes and of how the models are combined.
  package func digest() throws(FileFault) -> Fingerprint {
    let digests = try files.map { file throws(FileFault) in try Fingerprint(ofFile: file) }
    let combined: String
    switch combination {
    case .none: return digests[0]
    case .mean(let mean): combined = "mean \(mean.rawValue)"
    case .specialists(let ensemble): combined = "active \(ensemble.active)"
    }
    return Fingerprint(of: ([combined] + digests.map(\.description)).joined(separator: "\n"))
  }

  /// The distributions of some frames, as `limbeck run` scores them.
  ///
  /// - Parameters:
  ///   - logits: those of each model, [frames × its classes].
  ///   - temperature: T, positive.
  /// - Returns: [frames × classes].
  package func distributions(of logits: [Matrix], temperature: Double) -> Matrix {
    switch combination {
    case .none:
      var result = logits[0]
      result.replaceRowsBySoftmax(temperature: Float(temperature))
      return result
    case .mean(let mean): return Ensemble.average(logits, temperature: temperature, mean: mean)
    case .specialists(let ensemble):
      return ensemble.answer(logits: logits).combined.softened(temperature: temperature)
    }
  }

  /// The logarithms of `distributions`.
  ///
  /// A probability of a combination that is too small for a float counts as the smallest normal
  /// one, 1.2e-38.
  package func logDistributions(of logits: [Matrix], temperature: Double) -> Matrix {
    var result: Matrix
    switch combination {
    case .none:
      result = logits[0]
      result.replaceRowsByLogSoftmax(temperature: Float(temperature))
    case .mean, .specialists:
      result = distributions(of: logits, temperature: temperature)
      result.replaceByLogarithms()
    }
    return result
  }
}
