import Corpus
import Evaluation
import Foundation
import Models
import Storage
import Training

/// Compares the networks that were tried for each baseline.
struct ChooseBaselines: Step {
  /// A network that tries a point for a baseline.
  struct Trial {
    let baseline: System
    let system: System
    let training: TrainingOptions
  }

  let trials: [Trial]

  /// The baselines as the recipe has them; or, of a recipe that searches, the trials, their comparison, and the best
  /// for each.
  static func steps(of recipe: Recipe) -> [any Step] {
    guard let options = recipe.baselineSearch else {
      return recipe.pairs.map {
        TrainNetwork(.train, $0.baseline, $0.options.baseline, .classes, recipe)
      }
    }
    var (networks, trials): ([TrainNetwork], [Trial]) = ([], [])
    for pair in recipe.pairs {
      let own = pair.options.baseline
      for point in options.points(own.training) {
        let kind = point.optimizer.kind
        let name =
          (kind == own.training.optimizer.kind ? "" : "\(kind.rawValue)-")
          + "d\(point.dropout)-r\(point.rate.learningRate)-e\(point.epochs)"
        let system = pair.baseline.trial(name)
        networks.append(
          TrainNetwork(
            .train, system, seed: own.seed, hidden: own.hidden, training: point, .classes, recipe))
        trials.append(Trial(baseline: pair.baseline, system: system, training: point))
      }
    }
    return networks + [ChooseBaselines(trials: trials)]
      + recipe.pairs.map { pair in
        AdoptBaseline(
          baseline: pair.baseline, trials: trials.filter { $0.baseline == pair.baseline })
      }
  }

  var stage: Stage { .train }
  var makes: Product { .baselineSearch }
  var reads: [Product] { trials.map { .model($0.system) } }

  func files(in experiment: Experiment) throws -> StepFiles {
    StepFiles(record: name, exact: [experiment.baselineSearchPath])
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    for trial in trials {
      inputs.add(trial.baseline.name, trial.training)
      let path = experiment.modelPath(trial.system)
      if try FileSystem.exists(path) { try inputs.add(file: path) }
    }
  }

  func make(in experiment: Experiment) throws {
    let report = BaselineSearchReport(
      try trials.map { trial in
        let provenance = try experiment.model(trial.system)?.provenance
        return BaselineSearchReport.Point(
          baseline: trial.baseline.name, training: trial.training,
          developmentAccuracy: provenance?.developmentAccuracy, epoch: provenance?.epoch)
      })
    let path = experiment.baselineSearchPath
    try AtomicFile.write(JSONText.document(report), to: path)
    experiment.reporter.log.info("\(path.text):\n\(report.table.markdown)")
  }
}

/// Takes for a baseline the network that was best.
struct AdoptBaseline: Step {
  let baseline: System
  /// Those that were tried for it.
  let trials: [ChooseBaselines.Trial]

  var stage: Stage { .train }
  var makes: Product { .model(baseline) }
  var reads: [Product] { [.baselineSearch] + trials.map { .model($0.system) } }

  func files(in experiment: Experiment) throws -> StepFiles {
    StepFiles(
      record: baseline.name, exact: [experiment.modelPath(baseline)],
      beside: [experiment.logPath(baseline)])
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    try inputs.add(file: experiment.modelPath(try best(in: experiment)))
  }

  func make(in experiment: Experiment) throws {
    let best = try best(in: experiment)
    for path in [experiment.logPath, experiment.eventsPath] {
      try AtomicFile.write(try TextFile.bytes(of: path(best)), to: path(baseline))
    }
    try AcousticModel(path: experiment.modelPath(best)).named(baseline.name)
      .write(to: experiment.modelPath(baseline))
  }

  /// The network that was best.
  ///
  /// - Throws: `ExperimentFault` when all diverged.
  private func best(in experiment: Experiment) throws -> System {
    let report = try BaselineSearchReport(path: experiment.baselineSearchPath)
    guard let chosen = report.chosen(for: baseline.name), chosen.developmentAccuracy != nil,
      let best = trials.first(where: { $0.training == chosen.training })
    else { throw ExperimentFault.allDiverged(baseline.name) }
    return best.system
  }
}

extension Experiment {
  /// A network that was trained; nil when there is none, since it has diverged.
  func model(_ system: System) throws -> AcousticModel? {
    let path = modelPath(system)
    return try FileSystem.exists(path) ? AcousticModel(path: path) : nil
  }
}

extension AcousticModel {
  /// The same model as another system's.
  fileprivate func named(_ system: String) -> AcousticModel {
    AcousticModel(
      network: network, features: features, normalizer: normalizer, classes: classes,
      logPriors: logPriors,
      provenance: Provenance(
        system: system, seed: provenance.seed, epoch: provenance.epoch,
        developmentAccuracy: provenance.developmentAccuracy,
        limbeckVersion: provenance.limbeckVersion))
  }
}
