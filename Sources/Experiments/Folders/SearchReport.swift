package import Distillation
package import Evaluation
package import Storage
package import SystemPackage
import Foundation

/// The contents of `search.json`: the students that were tried, and the choice among them.
package struct SearchReport: Sendable, Equatable, Codable {
  /// One student of the search.
  package struct Point: Sendable, Equatable, Codable {
    /// The T, λ and mean that it was trained with.
    package let distillation: DistillationOptions
    /// The highest frame accuracy on the development set over its epochs, 0 to 1; nil when the
    /// training diverged.
    package let developmentAccuracy: Double?
    /// The epoch with that accuracy.
    package let epoch: Int?
  }

  /// At least one point, in the order of `SearchOptions.points`.
  package let points: [Point]
  /// The point with the highest development accuracy, the first in case of ties.
  package let chosen: DistillationOptions

  /// The choice among points; nil when all diverged.
  init?(_ points: [Point]) {
    self.points = points
    var best: Point?
    for point in points
    where point.developmentAccuracy ?? -1 > best?.developmentAccuracy ?? -1 { best = point }
    guard let best else { return nil }
    chosen = best.distillation
  }

  /// Reads a `search.json`.
  ///
  /// - Throws: `FileFault` when it is missing or malformed.
  package init(path: FilePath) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(SearchReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "a search that limbeck wrote", found: "other contents")
    }
  }

  /// The choice in one line.
  var summary: String {
    let best = points.first { $0.distillation == chosen }?.developmentAccuracy ?? .nan
    return """
      the best of \(points.count) has \(String(format: "%.2f", 100 * best)) % on the development set: \
      \(chosen.mean.rawValue) mean, T = \(chosen.temperature), λ = \(chosen.hardWeight)
      """
  }

  /// The development accuracies in per cent: a row for each mean and T, a column for each λ.
  package var table: TextTable {
    var weights: [Double] = []
    var rows: [[String]] = []
    for point in points {
      let own = point.distillation
      if !weights.contains(own.hardWeight) { weights.append(own.hardWeight) }
      let name = "\(own.mean.rawValue), T = \(own.temperature)"
      if rows.last?.first != name { rows.append([name]) }
      let mark = own == chosen ? " *" : ""
      let accuracy = point.developmentAccuracy.map { String(format: "%.2f", 100 * $0) }
      rows[rows.count - 1].append((accuracy ?? "diverged") + mark)
    }
    return TextTable(rows: [["development %"] + weights.map { "λ = \($0)" }] + rows)
  }
}
