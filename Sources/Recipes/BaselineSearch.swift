package import Evaluation
import Foundation
import Logging
package import Storage
package import Training

/// What is tried to choose how each baseline is trained, by development accuracy, as T and λ are for students.
package struct BaselineSearchOptions: Sendable, Equatable, Codable {
  /// Empty for the baseline's own, as are the others.
  package var dropout: [Double] = []
  /// The final rate changes with the first.
  package var learningRate: [Double] = []
  package var epochs: [Int] = []

  package enum CodingKeys: String, CodingKey, CaseIterable { case dropout, learningRate, epochs }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
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

  /// The options that are tried, of which there is one at least.
  func points(_ own: TrainingOptions) -> [TrainingOptions] {
    (dropout.isEmpty ? [own.dropout] : dropout).flatMap { dropout in
      (learningRate.isEmpty ? [own.rate.learningRate] : learningRate).flatMap { rate in
        (epochs.isEmpty ? [own.epochs] : epochs).map { epochs in
          var point = own
          (point.dropout, point.epochs) = (dropout, epochs)
          point.rate.learningRate = rate
          point.rate.finalLearningRate *= rate / own.rate.learningRate
          return point
        }
      }
    }
  }
}

/// What `baseline-search.json` holds: the baselines that were tried, and the choice for each.
package struct BaselineSearchReport: Sendable, Equatable, Codable {
  /// One network.
  package struct Point: Sendable, Equatable, Codable {
    /// Whose options it tries: `baseline`, or `baseline-NAME`.
    package let baseline: String
    package let training: TrainingOptions
    /// The highest frame accuracy on the development set over its epochs.
    package let developmentAccuracy: Double
    /// The epoch that had it.
    package let epoch: Int
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

  /// The point of the highest development accuracy of a baseline, the first of equals; nil when none was tried.
  package func chosen(for baseline: String) -> Point? {
    var best: Point?
    for point in points where point.baseline == baseline {
      if point.developmentAccuracy > best?.developmentAccuracy ?? -1 { best = point }
    }
    return best
  }

  /// A row for each network, with a star beside those that were chosen.
  package var table: TextTable {
    TextTable(
      rows: [["baseline", "dropout", "learning rate", "epochs", "kept", "development %"]]
        + points.map { point in
          [
            point.baseline, "\(point.training.dropout)", "\(point.training.rate.learningRate)",
            "\(point.training.epochs)", "\(point.epoch)",
            String(format: "%.2f", 100 * point.developmentAccuracy)
              + (point == chosen(for: point.baseline) ? " *" : ""),
          ]
        })
  }
}

extension Experiment {
  package var baselineSearchPath: String { path + "/baseline-search.json" }

  /// The networks that are tried for each baseline; none when the recipe has no search of them.
  var baselineTrials: [(baseline: String, job: TrainingJob)] {
    guard let options = recipe.baselineSearch else { return [] }
    return baselineJobs.flatMap { own in
      options.points(own.training).map { point in
        let name = "d\(point.dropout)-r\(point.rate.learningRate)-e\(point.epochs)"
        return (
          own.system,
          TrainingJob(
            system: "search-\(own.system)-\(name)", seed: own.seed, hidden: own.hidden,
            training: point)
        )
      }
    }
  }

  /// The baselines as they are trained, by the options that the search has chosen.
  ///
  /// - Throws: `FileFault` when a network that was tried is not there.
  func chosenBaselineJobs() throws -> [TrainingJob] {
    guard recipe.baselineSearch != nil else { return baselineJobs }
    let report = BaselineSearchReport(
      try baselineTrials.map { baseline, job in
        let provenance = try AcousticModel(path: modelPath(job.system)).provenance
        return BaselineSearchReport.Point(
          baseline: baseline, training: job.training,
          developmentAccuracy: provenance.developmentAccuracy, epoch: provenance.epoch)
      })
    try AtomicFile.write(JSONText.document(report), to: baselineSearchPath)
    reporter.log.info("\(baselineSearchPath):\n\(report.table.markdown)")
    return baselineJobs.map { own in
      TrainingJob(
        system: own.system, seed: own.seed, hidden: own.hidden,
        training: report.chosen(for: own.system)?.training ?? own.training)
    }
  }
}
