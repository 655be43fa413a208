import Distillation
package import Evaluation
import Foundation

extension ClusterReport {
  /// A row for each cluster.
  package var table: TextTable {
    TextTable(
      rows: [
        ["specialist", "classes", "frames %", "right %", "confused within %", "most", "names"]
      ]
        + clusters.enumerated().map { index, own in
          [
            System.specialist(index).name, "\(own.classes.count)",
            percent(Double(own.frames) / Double(max(1, frames))), percent(own.right),
            percent(own.confusedWithin),
            own.pairs.map { "\($0.classes.joined(separator: "/")) \($0.frames)" }
              .joined(separator: ", "),
            ClusterReport.shown(own.classes),
          ]
        },
      note: """
        Of the \(frames) training frames: the share of each specialist's classes, how many of these the baseline \
        classifies rightly, how many it takes for another class of the same specialist, and the pairs that it \
        confuses most, with how many frames. Clusters asked for: \(options.clusters); classes in none: \
        \(uncovered.count)\(uncovered.isEmpty ? "" : " (\(ClusterReport.shown(uncovered)))").
        """)
  }

  /// Names in one cell.
  private static func shown(_ names: [String]) -> String {
    names.count > 40
      ? names.prefix(40).joined(separator: " ") + " … (\(names.count - 40) more)"
      : names.joined(separator: " ")
  }
}

private func percent(_ share: Double) -> String { String(format: "%.1f", 100 * share) }
