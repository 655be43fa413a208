package import Evaluation
import Foundation
package import Storage
package import SystemPackage
package import Training

/// What `baseline-search.json` holds: the baselines that were tried, and the choice for each.
package struct BaselineSearchReport: Sendable, Equatable, Codable {
  /// One network.
  package struct Point: Sendable, Equatable, Codable {
    /// Whose options it tries: `baseline`, or `baseline-NAME`.
    package let baseline: String
    package let training: TrainingOptions
    /// How many perturbed copies it learnt from; absent for none.
    package let copies: Int?
    /// The highest frame accuracy on the development set over its epochs; nil when the training diverged.
    package let developmentAccuracy: Double?
    /// The epoch that had it.
    package let epoch: Int?
  }

  package let points: [Point]

  /// Reads a `baseline-search.json`.
  package init(path: FilePath) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(BaselineSearchReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "a search of limbeck", found: "other JSON or none")
    }
  }

  init(_ points: [Point]) { self.points = points }

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
        [
          "baseline", "optimizer", "dropout", "learning rate", "epochs", "copies", "kept",
          "development %",
        ]
      ]
        + points.map { point in
          [
            point.baseline, point.training.optimizer.kind.rawValue, "\(point.training.dropout)",
            "\(point.training.rate.learningRate)", "\(point.training.epochs)",
            "\(point.copies ?? 0)",
            point.epoch.map { "\($0)" } ?? "",
            (point.developmentAccuracy.map { String(format: "%.2f", 100 * $0) } ?? "diverged")
              + (point == chosen(for: point.baseline) ? " *" : ""),
          ]
        })
  }
}
