import Foundation

extension ScoreReport {
  /// The report as a table for people, in Markdown: accuracies in per cent, each with half the width
  /// of its 95 % interval.
  package var table: String {
    let head = [
      "system", "parameters", "frames/s", "development %", "test %", "test % without silence",
      "test NLL", "test ECE %",
    ]
    let rows = systems.map { score in
      [
        score.system, grouped(score.parameters),
        score.framesPerSecond.map { grouped(Int(($0 / 100).rounded()) * 100) } ?? "",
        percent(score.development.accuracy, score.development.halfWidth),
        percent(score.test.accuracy, score.test.halfWidth),
        score.test.withoutSilence.map { percent($0.accuracy, $0.halfWidth) } ?? "",
        score.test.negativeLogLikelihood.map { String(format: "%.3f", $0.value) } ?? "",
        score.test.calibrationError.map { hundredths($0.value) } ?? "",
      ]
    }
    var text = markdownTable([head] + rows, leftColumns: 1)
    if !comparisons.isEmpty {
      text += "\n"
      text += markdownTable(
        [["on the test set, paired", "value", "95 % interval", "p"]]
          + comparisons.map {
            [
              $0.comparison, hundredths($0.value),
              "\(hundredths($0.low)) to \(hundredths($0.high))",
              $0.pValue.map { String(format: "%.4f", $0) } ?? "",
            ]
          }, leftColumns: 1)
    }
    return text + "\n" + rules + "\n"
  }
}

private func percent(_ value: Double, _ halfWidth: Double) -> String {
  "\(hundredths(value)) ± \(hundredths(halfWidth))"
}

/// A share in per cent, to two places.
private func hundredths(_ value: Double) -> String {
  String(format: "%.2f", 100 * value)
}

/// An integer with its thousands set apart by commas.
private func grouped(_ number: Int) -> String {
  var digits = Array(String(number))
  for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
  return String(digits)
}

/// A Markdown table whose cells are padded to the width of their column.
///
/// - Parameters:
///   - rows: the head and the rows below it, all of the same number of cells.
///   - leftColumns: how many columns are set flush left; the others are flush right.
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
