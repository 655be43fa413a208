package import Evaluation
import Foundation

/// What an experiment found, in a few lines: how the students compare with their baselines.
package struct Verdict: Sendable, Equatable {
  /// A student and its baseline.
  package struct Pair: Sendable, Equatable {
    /// The student's score; the mean over its seeds if there are several.
    package let student: SystemScore
    /// The baseline's score; the mean over its seeds if there are several.
    package let baseline: SystemScore
    /// The student's accuracy minus the baseline's; nil if it is not finite.
    package let gain: ComparisonScore?
    /// The ensemble's accuracy minus the baseline's; nil if it is not finite.
    package let ensembleGain: ComparisonScore?
    /// The share of the ensemble's gain that the student keeps; nil unless that gain is above zero.
    package let share: ComparisonScore?
  }

  /// The ensemble's score.
  package let ensemble: SystemScore
  /// The recipe's `student` with its baseline first, then the others by name.
  package let pairs: [Pair]
  /// What specialists add to their generalist; nil for a recipe without specialists.
  package let specialists: ComparisonScore?

  /// The verdict on some scores; nil if they lack a system of the recipe.
  package init?(_ scores: ScoreReport, of recipe: Recipe) {
    func score(_ name: String) -> SystemScore? { scores.systems.first { $0.system == name } }
    func score(of system: System) -> SystemScore? {
      score(recipe.seeds > 1 ? system.nameOfMean : system.name)
    }
    func comparison(_ name: String) -> ComparisonScore? {
      scores.comparisons.first { $0.comparison == name }
    }
    let pairs = recipe.pairs.compactMap { pair -> Pair? in
      guard let student = score(of: pair.student), let baseline = score(of: pair.baseline) else {
        return nil
      }
      return Pair(
        student: student, baseline: baseline,
        gain: comparison(ComparisonScore.difference(pair.student.name, pair.baseline.name)),
        ensembleGain: comparison(
          ComparisonScore.difference(System.ensemble.name, pair.baseline.name)),
        share: comparison(ComparisonScore.share(of: pair.student.name)))
    }
    guard let ensemble = score(System.ensemble.name), pairs.count == recipe.pairs.count else {
      return nil
    }
    (self.ensemble, self.pairs) = (ensemble, pairs)
    specialists = scores.specialists?.whole.first?.gain
  }

  /// One sentence on the recipe's `student`.
  package var sentence: String {
    let pair = pairs[0]
    guard let gain = pair.gain, let low = gain.low, let high = gain.high else {
      return """
        The student classifies \(hundredths(pair.student.test.accuracy)) % of the test frames correctly, its \
        baseline \(hundredths(pair.baseline.test.accuracy)) %; a single test utterance or speaker gives no interval.
        """
    }
    guard gain.isSignificant else {
      return """
        The student does not differ significantly from its baseline: \(signed(gain.value)) points \
        (95 % interval \(signed(low)) to \(signed(high))).
        """
    }
    let kept =
      pair.share.map { " and keeps \($0.shareInWords)" } ?? ""
    return """
      The student is \(hundredths(abs(gain.value))) points \(gain.value > 0 ? "above" : "below") its baseline \
      (95 % interval \(signed(low)) to \(signed(high)))\(kept).
      """
  }

  /// The ensemble, the students and the baselines, each with its size and its test accuracy.
  package var table: TextTable {
    TextTable(
      rows: [["system", "parameters", "test %", "95 % interval"]]
        + systems.map { score in
          [
            score.system, grouped(score.parameters), hundredths(score.test.accuracy),
            interval(score.test.low, score.test.high) { hundredths($0) },
          ]
        })
  }

  /// The ensemble, the students, then the baselines.
  package var systems: [SystemScore] { [ensemble] + pairs.map(\.student) + pairs.map(\.baseline) }

  /// One line for each student, and one for the specialists.
  package var findings: [String] {
    pairs.map { pair in
      "\(pair.student.system) − \(pair.baseline.system): "
        + (pair.gain.map(\.inWords) ?? "not a finite number")
        + (pair.share.map { "; keeps \($0.shareInWords)" }
          ?? pair.ensembleGain.map { "; the ensemble's gain over it is \($0.inWords)" } ?? "")
    } + (specialists.map { ["specialists − generalist: \($0.inWords)"] } ?? [])
  }

  /// The sentence, the table and the findings as lines of text.
  package var text: String {
    "\(sentence)\n\n\(table.markdown)\n" + findings.map { $0 + "\n" }.joined()
  }
}

extension ComparisonScore {
  /// Whether the 95 % interval excludes zero.
  package var isSignificant: Bool {
    guard let low, let high else { return false }
    return low > 0 || high < 0
  }

  /// A difference in points with its interval, and whether that excludes zero.
  fileprivate var inWords: String {
    guard let low, let high else { return signed(value) }
    return "\(signed(value)) (\(signed(low)) to \(signed(high))), "
      + (isSignificant ? "significant" : "not significant")
  }

  /// A share of the ensemble's gain with its interval, in whole per cent.
  fileprivate var shareInWords: String {
    func percent(_ share: Double) -> String {
      String(format: "%.0f", 100 * share).replacing("-", with: "−")
    }
    let range = low.flatMap { low in high.map { " (\(percent(low)) to \(percent($0)))" } } ?? ""
    return "\(percent(value)) % of the ensemble's gain\(range)"
  }
}

/// A share in per cent, to two decimal places.
private func hundredths(_ share: Double) -> String { String(format: "%.2f", 100 * share) }

/// A difference in points, to two decimal places, with a plus or a minus sign.
private func signed(_ difference: Double) -> String {
  String(format: "%+.2f", 100 * difference).replacing("-", with: "−")
}
