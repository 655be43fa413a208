import Corpus
import Distillation
import Evaluation
import Foundation
import Models
import Storage
import Training

/// Compares the students that try points of T, λ and the mean, and records the best.
struct ChooseDistillation: Step {
  /// A student that tries a point.
  struct Trial {
    let system: System
    let distillation: DistillationOptions
  }

  let search: SearchOptions
  let trials: [Trial]
  let reads: [Product]

  /// For a recipe with a search: the ensemble's soft targets at each T, the students that try each
  /// point, and their comparison.
  static func steps(of recipe: Recipe) -> [any Step] {
    guard let options = recipe.search else { return [] }
    var training = recipe.student.training
    training.epochs = options.epochs ?? training.epochs
    let copies = recipe.copies(for: .students).prefix(options.copies ?? Int.max)
    let points = options.points(of: recipe.distillation)
    var steps: [any Step] = []
    for mean in Set(points.map(\.mean)).sorted(by: { $0.rawValue < $1.rawValue }) {
      let temperatures = Set(points.map(\.temperature)).sorted()
      let labels = temperatures.map { SoftTargets.ensemble(mean, temperature: $0) }
      for set in [.train] + copies {
        steps += labels.map { LabelFrames(.search, $0, of: set, recipe) }
      }
      for (temperature, labels) in zip(temperatures, labels) {
        for point in points where point.mean == mean && point.temperature == temperature {
          steps.append(
            TrainNetwork(
              .search, .trial(of: point), seed: recipe.student.seed, hidden: recipe.student.hidden,
              training: training, .softTargets(labels, point, copies: copies.count), recipe))
        }
      }
    }
    let trials = points.map { Trial(system: .trial(of: $0), distillation: $0) }
    return steps + [
      ChooseDistillation(
        search: options, trials: trials, reads: trials.map { .model($0.system) })
    ]
  }

  var stage: Stage { .search }
  var makes: Product { .search }

  func files(in experiment: Experiment) throws -> StepFiles {
    StepFiles(record: name, exact: [experiment.searchPath])
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    inputs.add("search", search)
    for trial in trials {
      inputs.add(trial.system.name, trial.distillation)
      let path = experiment.modelPath(trial.system)
      if try FileSystem.exists(path) { try inputs.add(file: path) }
    }
  }

  func make(in experiment: Experiment) throws {
    let points = try trials.map { trial in
      let provenance = try experiment.model(trial.system)?.provenance
      return SearchReport.Point(
        distillation: trial.distillation, developmentAccuracy: provenance?.developmentAccuracy,
        epoch: provenance?.epoch)
    }
    guard let report = SearchReport(points) else {
      throw ExperimentFault.allDiverged(System.student(nil).name)
    }
    let path = experiment.searchPath
    try AtomicFile.write(JSONText.document(report), to: path)
    experiment.reporter.log.info("\(path.text): \(report.summary)")
  }
}

extension Experiment {
  /// The T, λ and mean of the students: the search's choice, or the recipe's without a search.
  ///
  /// - Throws: `FileFault` when the recipe has a search that was not run.
  func distillation() throws(FileFault) -> DistillationOptions {
    recipe.search == nil ? recipe.distillation : try SearchReport(path: searchPath).chosen
  }
}
