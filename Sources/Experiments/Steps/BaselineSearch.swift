import Evaluation
import Foundation
import Logging
import Models
import Storage
import Training

extension Experiment {
  package var baselineSearchPath: String { path + "/baseline-search.json" }

  /// The networks that are tried for each baseline; none when the recipe has no search of them.
  var baselineTrials: [(baseline: System, job: TrainingJob)] {
    guard let options = recipe.baselineSearch else { return [] }
    return baselineJobs.flatMap { own in
      options.points(own.training).map { point in
        let kind = point.optimizer.kind
        let name =
          (kind == own.training.optimizer.kind ? "" : "\(kind.rawValue)-")
          + "d\(point.dropout)-r\(point.rate.learningRate)-e\(point.epochs)"
        return (
          own.system,
          TrainingJob(
            system: trial(of: own.system, name), seed: own.seed, hidden: own.hidden,
            training: point, isTrial: true)
        )
      }
    }
  }

  /// The network of a search that tries a point for a baseline.
  private func trial(of baseline: System, _ point: String) -> System {
    guard case .baseline(let pair) = baseline else {
      preconditionFailure("baselineTrials: \(baseline) is no baseline")
    }
    return .baselineTrial(pair, point)
  }

  /// Takes for each baseline the network that was best, and writes `baseline-search.json`.
  ///
  /// - Throws: `ExperimentFault` when all that were tried for a baseline diverged.
  func adoptBaselines() throws {
    let trials = baselineTrials
    let models = try trials.map { try model($0.job.system) }
    let report = BaselineSearchReport(
      zip(trials, models).map { trial, model in
        BaselineSearchReport.Point(
          baseline: trial.baseline.name, training: trial.job.training,
          developmentAccuracy: model?.provenance.developmentAccuracy,
          epoch: model?.provenance.epoch)
      })
    try AtomicFile.write(JSONText.document(report), to: baselineSearchPath)
    reporter.log.info("\(baselineSearchPath):\n\(report.table.markdown)")
    for own in baselineJobs {
      guard let chosen = report.chosen(for: own.system.name),
        let index = report.points.firstIndex(of: chosen), let model = models[index]
      else { throw ExperimentFault.allDiverged(own.system.name) }
      let trial = trials[index].job.system
      var inputs = Inputs()
      try inputs.add(file: modelPath(trial))
      try perform(
        own.system.name, inputs: inputs, outputs: [modelPath(own.system)],
        beside: [logPath(own.system)]
      ) {
        for path in [logPath, eventsPath] {
          try AtomicFile.write(try TextFile.bytes(of: path(trial)), to: path(own.system))
        }
        try model.named(own.system.name).write(to: modelPath(own.system))
      }
    }
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
