import Foundation

/// A table for people to read.
package struct TextTable: Sendable {
  /// The header and the rows below it, all with the same number of cells.
  package let rows: [[String]]
  /// An explanation below the table; may be empty.
  package let note: String

  /// A table of at least a header row.
  package init(rows: [[String]], note: String = "") {
    (self.rows, self.note) = (rows, note)
  }

  /// The table in Markdown, with the note below it.
  package var markdown: String {
    markdownTable(rows, leftColumns: 1) + (note.isEmpty ? "" : "\n\(note)\n")
  }
}

extension ScoreReport {
  /// The report as Markdown tables.
  ///
  /// Accuracies are in per cent, each with half the width of its 95 % interval.
  package var table: String {
    ([systemTable, comparisonTable, memberTable, subsetTable, missingClassTable]
      + [specialists?.coverageTable, specialists?.costTable, specialists?.comparisonTable])
      .compactMap { $0?.markdown }.joined(separator: "\n") + "\n" + rules + "\n"
  }

  /// The scores of all systems.
  package var systemTable: TextTable? {
    let varies = systems.contains { $0.seeds != nil }
    let head =
      ["system", "parameters", "frames/s", "development %", "test %"]
      + (varies ? ["s.d. over seeds"] : [])
      + ["test % without silence", "test NLL", "test ECE %"]
    let rows = systems.map { score in
      [
        score.system, grouped(score.parameters),
        score.framesPerSecond.map(roundedRate) ?? "",
        percent(score.development.accuracy, score.development.halfWidth),
        percent(score.test.accuracy, score.test.halfWidth),
      ] + (varies ? [score.seeds.map { hundredths($0.test) } ?? ""] : []) + [
        score.test.withoutSilence.map { percent($0.accuracy, $0.halfWidth) } ?? "",
        score.test.negativeLogLikelihood.map { String(format: "%.3f", $0.value) } ?? "",
        score.test.calibrationError.map { hundredths($0.value) } ?? "",
      ]
    }
    return TextTable(rows: [head] + rows)
  }

  /// The differences between systems; nil when there are none.
  package var comparisonTable: TextTable? { comparisons.table }

  /// The scores of ensembles of each size, and the members' disagreement; nil for a single member.
  package var memberTable: TextTable? {
    guard let memberCurve, memberCurve.points.count > 1, let differing = memberCurve.disagreement,
      let divergence = memberCurve.divergence
    else { return nil }
    return TextTable(
      rows: [["members", "development %", "test %"]]
        + memberCurve.points.map {
          [
            "\($0.members)", percent($0.development.accuracy, $0.development.halfWidth),
            percent($0.test.accuracy, $0.test.halfWidth),
          ]
        },
      note: """
        Two members choose different classes (not folded) on \(hundredths(differing.value)) % \
        (\(interval(differing.low, differing.high) { hundredths($0) })) of the test frames; the \
        members diverge from their mean by \(String(format: "%.3f", divergence.value)) nats per \
        frame. With fewer members, the mean over ensembles of consecutive members.
        """)
  }

  /// The scores of networks trained on a share of the utterances; nil when there are none.
  package var subsetTable: TextTable? {
    guard let subsets else { return nil }
    return TextTable(
      rows: [["system", "utterances", "frames", "epoch", "training %", "development %", "test %"]]
        + subsets.map {
          [
            $0.system, grouped($0.utterances), grouped($0.frames), "\($0.epoch)",
            hundredths($0.train), percent($0.development.accuracy, $0.development.halfWidth),
            percent($0.test.accuracy, $0.test.halfWidth),
          ]
        })
  }

  /// The scores of the student trained without a label's frames; nil when there is none.
  package var missingClassTable: TextTable? {
    guard let missingClass else { return nil }
    let (label, frames) = (missingClass.label, missingClass.systems.first?.ofLabel.frames ?? 0)
    return TextTable(
      rows: [["system", "test % of the \(grouped(frames)) frames of \(label)", "test %"]]
        + missingClass.systems.map {
          [
            $0.system, percent($0.ofLabel.accuracy, $0.ofLabel.halfWidth),
            percent($0.ofAll.accuracy, $0.ofAll.halfWidth),
          ]
        },
      note: """
        missing-\(label) learnt from no frame of \(label); its biases set: the logits of \(label) \
        raised by \(String(format: "%.2f", missingClass.offset)), which is best for all \
        development frames.
        """)
  }
}

extension [ComparisonScore] {
  fileprivate var table: TextTable? {
    guard !isEmpty else { return nil }
    return TextTable(
      rows: [["on the test set, paired", "value", "95 % interval", "p"]]
        + map { [$0.comparison] + $0.cells })
  }
}

extension ComparisonScore {
  /// The value, the interval, and p if there is one.
  fileprivate var cells: [String] {
    [
      hundredths(value), interval(low, high) { hundredths($0) },
      pValue.map { String(format: "%.4f", $0) } ?? "",
    ]
  }
}

extension SpecialistScore {
  /// The accuracies by the number of specialists that have the true class.
  package var coverageTable: TextTable {
    let names = ["all", "1 or more"]
    let rows =
      zip(names, whole).map { ($0, $1) } + coverage.map { ("\($0.specialists)", $0) }
    return TextTable(
      rows: [
        [
          "specialists of the true class", "test frames", "generalist %", "with specialists %",
          "gain", "95 % interval", "p", "relative gain %",
        ]
      ]
        + rows.map { name, row in
          [
            name, grouped(row.generalist.frames),
            percent(row.generalist.accuracy, row.generalist.halfWidth),
            percent(row.combined.accuracy, row.combined.halfWidth),
          ] + row.gain.cells
            + [
              row.generalist.accuracy > 0
                ? hundredths(row.gain.value / row.generalist.accuracy) : ""
            ]
        },
      note: """
        All specialists are computed for each frame. On average \
        \(String(format: "%.2f", activeAFrame)) are active: those with the classes that the \
        generalist finds most probable.
        """)
  }

  /// The costs of the generalist, the specialists and the ensemble.
  package var costTable: TextTable {
    TextTable(
      rows: [
        [
          "system", "networks", "parameters", "multiply-adds a frame", "frames/s",
          "training frames", "training multiply-adds", "test %",
        ]
      ]
        + costs.map { cost in
          [
            cost.system, "\(cost.networks)", grouped(cost.parameters), grouped(cost.multiplyAdds),
            roundedRate(cost.framesPerSecond),
            grouped(cost.trainingFrames), String(format: "%.2e", cost.trainingMultiplyAdds),
            percent(cost.test.accuracy, cost.test.halfWidth),
          ]
        })
  }

  /// The differences between students; nil when there are none.
  package var comparisonTable: TextTable? { comparisons.table }
}

private func percent(_ value: Double, _ halfWidth: Double?) -> String {
  hundredths(value) + (halfWidth.map { " ± " + hundredths($0) } ?? "")
}

/// The bounds of an interval as text, or a note that a single utterance or speaker has no interval.
package func interval(
  _ low: Double?, _ high: Double?, _ shown: (_ bound: Double) -> String
) -> String {
  guard let low, let high else { return "none (a single utterance or speaker)" }
  return "\(shown(low)) to \(shown(high))"
}

/// A share in per cent, to two decimal places.
private func hundredths(_ value: Double) -> String {
  String(format: "%.2f", 100 * value)
}

/// An integer with commas between groups of three digits; must not be negative.
package func grouped(_ number: Int) -> String {
  var digits = Array(String(number))
  for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
  return String(digits)
}

/// A frame rate: two decimal places below 1, otherwise an integer, with three significant digits
/// from 1,000 on, and in hundreds from 100,000 on.
private func roundedRate(_ rate: Double) -> String {
  guard rate >= 1 else { return String(format: "%.2f", rate) }
  let step = min(100, max(1, pow(10, floor(log10(rate)) - 2)))
  return grouped(Int((rate / step).rounded() * step))
}

/// A Markdown table whose cells are padded to the width of their column.
///
/// - Parameters:
///   - rows: the header and the rows below it, all with the same number of cells.
///   - leftColumns: the number of leading columns that are aligned left; the others are aligned
///     right.
/// - Returns: lines of text.
package func markdownTable(_ rows: [[String]], leftColumns: Int) -> String {
  let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  func line(_ cells: [String]) -> String {
    "| "
      + cells.enumerated().map { column, cell in
        let blanks = String(repeating: " ", count: widths[column] - cell.count)
        return column < leftColumns ? cell + blanks : blanks + cell
      }.joined(separator: " | ") + " |\n"
  }
  let rule = widths.enumerated().map { column, width in
    let dashes = String(repeating: "-", count: max(3, width) - 1)
    return column < leftColumns ? dashes + "-" : dashes + ":"
  }
  return line(rows[0]) + "| " + rule.joined(separator: " | ") + " |\n"
    + rows.dropFirst().map(line).joined()
}
