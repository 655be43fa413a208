import Corpus
import Evaluation
import Foundation
import Models
import Storage
import Training

/// Compares the networks tried for each baseline and records the best.
struct ChooseBaselines: Step {
  /// A network that tries a point of a baseline's search.
  struct Trial {
    let baseline: System
    let system: System
    let point: BaselineSearchOptions.Point
  }

  let trials: [Trial]

  /// The recipe's baselines; if the recipe has a search, the trials, their comparison, and the best
  /// trial of each baseline.
  static func steps(of recipe: Recipe) -> [any Step] {
    let copies = recipe.copies(for: .baselines).count
    guard let options = recipe.baselineSearch else {
      return recipe.pairs.flatMap {
        TrainNetwork.repetitions(
          .train, $0.baseline, $0.options.baseline, .classes(copies: copies), recipe)
      }
    }
    var (networks, trials): ([TrainNetwork], [Trial]) = ([], [])
    for pair in recipe.pairs {
      let own = pair.options.baseline
      for point in options.points(.init(training: own.training, copies: copies)) {
        let system = pair.baseline.trial(name(of: point, besides: own.training))
        networks.append(
          TrainNetwork(
            .train, system, seed: own.seed, hidden: own.hidden, training: point.training,
            .classes(copies: point.copies), recipe))
        trials.append(Trial(baseline: pair.baseline, system: system, point: point))
      }
    }
    // Those that share their frames are trained side by side.
    networks.sort { $0.lesson.copies < $1.lesson.copies }
    return networks + [ChooseBaselines(trials: trials)]
      + recipe.pairs.flatMap { pair -> [any Step] in
        let best = AdoptBaseline(
          baseline: pair.baseline, trials: trials.filter { $0.baseline == pair.baseline })
        return [best] + RepeatBaseline.steps(of: best, pair.options.baseline, recipe)
      }
  }

  /// What a trial is called, where the recipe's own baseline has other options.
  private static func name(
    of point: BaselineSearchOptions.Point, besides own: TrainingOptions
  ) -> String {
    let (training, kind) = (point.training, point.training.optimizer.kind)
    return (kind == own.optimizer.kind ? "" : "\(kind.rawValue)-")
      + "d\(training.dropout)-r\(training.rate.learningRate)-e\(training.epochs)"
      + (point.copies == 0 ? "" : "-c\(point.copies)")
  }

  var stage: Stage { .train }
  var makes: Product { .baselineSearch }
  var reads: [Product] { trials.map { .model($0.system) } }

  func files(in experiment: Experiment) throws -> StepFiles {
    StepFiles(record: name, exact: [experiment.baselineSearchPath])
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    for trial in trials {
      inputs.add(trial.baseline.name, trial.point.training)
      if trial.point.copies > 0 { inputs.add("copies", trial.point.copies) }
      let path = experiment.modelPath(trial.system)
      if try FileSystem.exists(path) { try inputs.add(file: path) }
    }
  }

  func make(in experiment: Experiment) throws {
    let report = BaselineSearchReport(
      try trials.map { trial in
        let provenance = try experiment.model(trial.system)?.provenance
        return BaselineSearchReport.Point(
          baseline: trial.baseline.name, training: trial.point.training, copies: trial.point.copies,
          developmentAccuracy: provenance?.developmentAccuracy, epoch: provenance?.epoch)
      })
    let path = experiment.baselineSearchPath
    try AtomicFile.write(JSONText.document(report), to: path)
    experiment.reporter.log.info("\(path.text): \(report.summary)")
  }
}

/// Copies the best trial of a baseline as the baseline.
struct AdoptBaseline: Step {
  let baseline: System
  /// The networks that were tried for it.
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
    try inputs.add(file: experiment.modelPath(try best(in: experiment).system))
  }

  func make(in experiment: Experiment) throws {
    let best = try best(in: experiment).system
    for path in [experiment.logPath, experiment.eventsPath] {
      try AtomicFile.write(try TextFile.bytes(of: path(best)), to: path(baseline))
    }
    try AcousticModel(path: experiment.modelPath(best)).named(baseline.name)
      .write(to: experiment.modelPath(baseline))
  }

  /// The trial with the highest development accuracy.
  ///
  /// - Throws: `ExperimentFault` when all trials diverged.
  func best(in experiment: Experiment) throws -> ChooseBaselines.Trial {
    let report = try BaselineSearchReport(path: experiment.baselineSearchPath)
    guard let chosen = report.chosen(for: baseline.name), chosen.developmentAccuracy != nil,
      let best = trials.first(where: {
        $0.point == .init(training: chosen.training, copies: chosen.copies ?? 0)
      })
    else { throw ExperimentFault.allDiverged(baseline.name) }
    return best
  }
}

extension Experiment {
  /// A trained network; nil if it has no model because it diverged.
  func model(_ system: System) throws -> AcousticModel? {
    let path = modelPath(system)
    return try FileSystem.exists(path) ? AcousticModel(path: path) : nil
  }
}

extension AcousticModel {
  /// The same model under another system's name.
  fileprivate func named(_ system: String) -> AcousticModel {
    AcousticModel(
      network: network, features: features, normalizer: normalizer, classes: classes,
      logPriors: logPriors,
      provenance: Provenance(
        system: system, seed: provenance.seed, epoch: provenance.epoch,
        developmentAccuracy: provenance.developmentAccuracy,
        limbeckVersion: provenance.limbeckVersion),
      precision: precision, calibration: calibration)
  }
}
