package import Evaluation
import Foundation
package import Storage
package import SystemPackage
package import Training

/// The contents of `baseline-search.json`: the points tried for each baseline.
package struct BaselineSearchReport: Sendable, Equatable, Codable {
  /// One network of the search.
  package struct Point: Sendable, Equatable, Codable {
    /// The baseline that it was trained for: `baseline`, or `baseline-NAME`.
    package let baseline: String
    /// The options that it was trained with.
    package let training: TrainingOptions
    /// The number of perturbed copies that it was trained on; absent for none.
    package let copies: Int?
    /// The highest frame accuracy on the development set over its epochs, 0 to 1; nil when the
    /// training diverged.
    package let developmentAccuracy: Double?
    /// The epoch with that accuracy.
    package let epoch: Int?
  }

  /// All networks, in the order of the search.
  package let points: [Point]

  /// Reads a `baseline-search.json`.
  ///
  /// - Throws: `FileFault` when it is missing or malformed.
  package init(path: FilePath) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(BaselineSearchReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "a search that limbeck wrote", found: "other contents")
    }
  }

  init(_ points: [Point]) { self.points = points }

  /// The point of a baseline with the highest development accuracy, the first in case of ties; nil
  /// when none was tried or all diverged.
  package func chosen(for baseline: String) -> Point? {
    var best: Point?
    for point in points where point.baseline == baseline {
      if point.developmentAccuracy ?? -1 > best?.developmentAccuracy ?? -1 { best = point }
    }
    return best
  }

  /// The chosen points in one line.
  var summary: String {
    var names: [String] = []
    for point in points where !names.contains(point.baseline) { names.append(point.baseline) }
    return names.map { name in
      let tried = points.count { $0.baseline == name }
      guard let best = chosen(for: name), let accuracy = best.developmentAccuracy else {
        return "\(name): all \(tried) diverged"
      }
      return """
        \(name): the best of \(tried) has \(String(format: "%.2f", 100 * accuracy)) % on the development set \
        (\(best.training.optimizer.kind.rawValue), dropout \(best.training.dropout), \
        learning rate \(best.training.rate.learningRate), \(best.training.epochs) epochs, \
        \(best.copies ?? 0) copies)
        """
    }.joined(separator: "; ")
  }

  /// A row for each network, with a star beside the chosen ones.
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
