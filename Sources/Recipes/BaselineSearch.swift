import Models
package import Evaluation
import Foundation
import Logging
package import Storage
package import Training

/// What is tried to choose how each baseline is trained, by development accuracy, as T and λ are for students:
/// all points of one grid, or of several.
package struct BaselineSearchOptions: Sendable, Equatable, Codable {
  /// All combinations of some values.
  package struct Grid: Sendable, Equatable, Codable {
    /// Absent for the baseline's own; its options are the baseline's.
    package var optimizer: OptimizerOptions.Kind?
    /// Empty for the baseline's own, as are the others.
    package var dropout: [Double] = []
    /// The final rate changes with the first.
    package var learningRate: [Double] = []
    package var epochs: [Int] = []

    package enum CodingKeys: String, CodingKey, CaseIterable {
      case optimizer, dropout, learningRate, epochs
    }

    package init(from decoder: any Decoder) throws {
      let read = try OptionReader<CodingKeys>(decoder)
      optimizer = try read.optional(.optimizer)
      dropout = try read(.dropout, default: dropout)
      learningRate = try read(.learningRate, default: learningRate)
      epochs = try read(.epochs, default: epochs)
      try requireOption(
        dropout.allSatisfy { (0...0.99).contains($0) } && Set(dropout).count == dropout.count,
        "dropout", expected: "0 to 0.99, each once", found: dropout)
      try requireOption(
        learningRate.allSatisfy { $0 > 0 && $0.isFinite }
          && Set(learningRate).count == learningRate.count,
        "learningRate", expected: "above 0, each once", found: learningRate)
      try requireOption(
        epochs.allSatisfy { (1...100_000).contains($0) } && Set(epochs).count == epochs.count,
        "epochs", expected: "1 to 100,000, each once", found: epochs)
    }

    fileprivate func points(_ own: TrainingOptions) -> [TrainingOptions] {
      (dropout.isEmpty ? [own.dropout] : dropout).flatMap { dropout in
        (learningRate.isEmpty ? [own.rate.learningRate] : learningRate).flatMap { rate in
          (epochs.isEmpty ? [own.epochs] : epochs).map { epochs in
            var point = own
            (point.dropout, point.epochs) = (dropout, epochs)
            point.optimizer.kind = optimizer ?? own.optimizer.kind
            point.rate.learningRate = rate
            point.rate.finalLearningRate *= rate / own.rate.learningRate
            return point
          }
        }
      }
    }
  }

  package let grids: [Grid]

  /// Reads one grid, or a list of them.
  package init(from decoder: any Decoder) throws {
    if (try? decoder.unkeyedContainer()) != nil {
      grids = try [Grid](from: decoder)
    } else {
      grids = [try Grid(from: decoder)]
    }
  }

  /// Writes what `init(from:)` reads.
  package func encode(to encoder: any Encoder) throws { try grids.encode(to: encoder) }

  /// The options that are tried, each once; those of the baseline itself when there is no grid.
  func points(_ own: TrainingOptions) -> [TrainingOptions] {
    var points: [TrainingOptions] = []
    for point in grids.flatMap({ $0.points(own) }) where !points.contains(point) {
      points.append(point)
    }
    return points.isEmpty ? [own] : points
  }
}

/// What `baseline-search.json` holds: the baselines that were tried, and the choice for each.
package struct BaselineSearchReport: Sendable, Equatable, Codable {
  /// One network.
  package struct Point: Sendable, Equatable, Codable {
    /// Whose options it tries: `baseline`, or `baseline-NAME`.
    package let baseline: String
    package let training: TrainingOptions
    /// The highest frame accuracy on the development set over its epochs; nil when the training diverged.
    package let developmentAccuracy: Double?
    /// The epoch that had it.
    package let epoch: Int?
  }

  package let points: [Point]

  /// Reads a `baseline-search.json`.
  package init(path: String) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(BaselineSearchReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "a search of limbeck", found: "other JSON or none")
    }
  }

  fileprivate init(_ points: [Point]) { self.points = points }

  /// The point of the highest development accuracy of a baseline, the first of equals; nil when none was tried
  /// or all diverged.
  package func chosen(for baseline: String) -> Point? {
    var best: Point?
    for point in points where point.baseline == baseline {
      if point.developmentAccuracy ?? -1 > best?.developmentAccuracy ?? -1 { best = point }
    }
    return best
  }

  /// A row for each network, with a star beside those that were chosen.
  package var table: TextTable {
    TextTable(
      rows: [
        ["baseline", "optimizer", "dropout", "learning rate", "epochs", "kept", "development %"]
      ]
        + points.map { point in
          [
            point.baseline, point.training.optimizer.kind.rawValue, "\(point.training.dropout)",
            "\(point.training.rate.learningRate)", "\(point.training.epochs)",
            point.epoch.map { "\($0)" } ?? "",
            (point.developmentAccuracy.map { String(format: "%.2f", 100 * $0) } ?? "diverged")
              + (point == chosen(for: point.baseline) ? " *" : ""),
          ]
        })
  }
}

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
        own.system.name, inputs: inputs, outputs: [modelPath(own.system)], beside: [logPath(own.system)]
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
      provenance: Provenance(
        system: system, seed: provenance.seed, epoch: provenance.epoch,
        developmentAccuracy: provenance.developmentAccuracy,
        limbeckVersion: provenance.limbeckVersion))
  }
}
