package import Distillation
package import Evaluation
package import Storage
package import SystemPackage
import Foundation

/// What `search.json` holds: the students that were tried, and the choice among them.
package struct SearchReport: Sendable, Equatable, Codable {
  /// One student.
  package struct Point: Sendable, Equatable, Codable {
    package let distillation: DistillationOptions
    /// The highest frame accuracy on the development set over its epochs; nil when the training diverged.
    package let developmentAccuracy: Double?
    /// The epoch that had it.
    package let epoch: Int?
  }

  /// In the order of `SearchOptions.points`; at least one.
  package let points: [Point]
  /// The point of the highest development accuracy, the first of equals.
  package let chosen: DistillationOptions

  /// Nil when all diverged.
  init?(_ points: [Point]) {
    self.points = points
    var best: Point?
    for point in points
    where point.developmentAccuracy ?? -1 > best?.developmentAccuracy ?? -1 { best = point }
    guard let best else { return nil }
    chosen = best.distillation
  }

  /// Reads a `search.json`.
  package init(path: FilePath) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(SearchReport.self, from: data)
    } catch {
      throw .malformed(path: path, expected: "a search of limbeck", found: "other JSON or none")
    }
  }

  /// The development accuracies in per cent as a table for people: a row for each mean and T, a column for
  /// each λ.
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
