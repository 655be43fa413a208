import Corpus
package import Distillation
import LinearAlgebra
import Logging
import Storage
package import SystemPackage

/// Networks of a scored experiment whose distributions are combined.
package enum CombinedSystem: Sendable {
  /// The mean of all members, of the kind that the recipe or its search chose.
  case ensemble
  /// The generalist and its specialists.
  case specialists

  /// Reads the models of an experiment.
  ///
  /// - Parameter path: the experiment's folder, whose `recipe.yaml` is the recipe of its scores.
  /// - Returns: the models, combined as `limbeck run` scores them.
  /// - Throws: `FileFault` when the experiment has not been scored or the recipe has no specialists,
  ///   and the fault of a model.
  package func open(_ path: FilePath) throws -> FrameSystem {
    let recipePath = path.appending("recipe.yaml")
    let experiment = Experiment(
      recipe: try Recipe(path: recipePath), path: path, workers: .one,
      reporter: Reporter(log: Logger(label: "limbeck")) { _ in })
    switch self {
    case .ensemble:
      return try FrameSystem(
        ensemble: experiment.recipe.memberSystems.map(experiment.modelPath),
        mean: experiment.distillation().mean, path: path)
    case .specialists:
      guard experiment.recipe.specialists != nil else {
        throw FileFault.malformed(
          path: recipePath, expected: "a recipe with specialists", found: "one without")
      }
      let systems = try [System.generalist] + experiment.foundSpecialists()
      return try FrameSystem(
        specialists: experiment.specialistEnsemble(),
        files: systems.map(experiment.modelPath) + [experiment.clustersPath], path: path)
    }
  }
}
