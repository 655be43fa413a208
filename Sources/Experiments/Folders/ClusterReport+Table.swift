import Distillation
package import Evaluation
import Foundation

extension ClusterReport {
  /// The sizes of the clusters in one line.
  var summary: String {
    let sizes = clusters.map { "\($0.classes.count)" }.joined(separator: ", ")
    return "\(clusters.count) clusters of \(sizes) classes, \(uncovered.count) classes in none"
  }

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
        For each specialist: its classes' share of the \(frames) training frames; the share of these that the \
        baseline classifies correctly or takes for another class of the same specialist; and the pairs that \
        it confuses most, with their frames. Clusters in the recipe: \(options.clusters); classes in no cluster: \
        \(uncovered.count)\(uncovered.isEmpty ? "" : " (\(ClusterReport.shown(uncovered)))").
        """)
  }

  /// The names in one cell, at most 40 of them.
  private static func shown(_ names: [String]) -> String {
    names.count > 40
      ? names.prefix(40).joined(separator: " ") + " … (\(names.count - 40) more)"
      : names.joined(separator: " ")
  }
}

private func percent(_ share: Double) -> String { String(format: "%.1f", 100 * share) }
