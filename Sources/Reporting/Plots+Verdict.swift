import Evaluation
import Experiments
import Foundation
import Storage

extension Verdict {
  /// The accuracies of ensemble, students and baselines as bars with intervals.
  func barFigure() throws(FileFault) -> Figure {
    let groups: [(kind: Int, scores: [SystemScore])] = [
      (1, [ensemble]), (2, pairs.map(\.student)), (3, pairs.map(\.baseline)),
    ]
    var names: [String] = []
    var lines: [String] = []
    var script = ""
    for (kind, scores) in groups {
      let rows = scores.enumerated().map { place, score in
        [Double(names.count + place)] + score.test.inPerCent
      }
      script += Gnuplot.block("d\(kind)", rows)
      names += scores.map(\.system)
      lines += [
        "$d\(kind) using 2:1:(0):2:($1-0.32):($1+0.32) with boxxyerror lt \(kind)",
        "$d\(kind) using 2:1:3:4 with xerrorbars lt \(kind) ps 0.8",
        "$d\(kind) using 4:1:(sprintf('%.2f', $2)) with labels left offset 1,0",
      ]
    }
    let most = systems.map { $0.test.inPerCent[2] }.max() ?? 100
    let tics = names.enumerated().map { "\(Gnuplot.tic($1)) \($0)" }.joined(separator: ", ")
    return try Figure(
      "Frame accuracy on the test set, with 95 % intervals.", height: 110 + 44 * names.count
    ) { _ in
      """
      set ytics (\(tics)); set yrange [\(names.count).5-1:-0.5]
      set xrange [0:\(1.2 * max(1, most))]; set xlabel 'frame accuracy, %'
      set style fill solid 0.3; unset key; unset grid; set border 3
      set xtics nomirror out; set ytics nomirror out

      """ + script + "plot " + lines.joined(separator: ", ") + "\n"
    }
  }
}

extension ScoreReport {
  /// Accuracy against the number of parameters, for the systems of a verdict and the mean member.
  func sizeFigure(_ verdict: Verdict) throws(FileFault) -> Figure {
    let members = systems.filter { $0.system == "members" }
    let groups: [(name: String, scores: [SystemScore])] = [
      ("ensemble", [verdict.ensemble]), ("students", verdict.pairs.map(\.student)),
      ("baselines", verdict.pairs.map(\.baseline)), ("mean member", members),
    ]
    let series = groups.enumerated().filter { !$1.scores.isEmpty }.map { place, group in
      // Systems of the same size are drawn beside each other.
      let shift = 1 + 0.04 * (Double(place) - 1.5)
      return Series(
        name: group.name,
        rows: group.scores.map { [Double(max(1, $0.parameters)) * shift] + $0.test.inPerCent }
          .sorted { $0[0] < $1[0] },
        style: group.scores.count > 1 ? "yerrorlines" : "yerrorbars", kind: place + 1)
    }
    let sizes = series.flatMap(\.rows).map { $0[0] }
    let names = Set(groups.flatMap(\.scores).map(\.parameters)).sorted().map {
      "\(Gnuplot.tic(shortened($0))) \($0)"
    }
    let (least, most) = (sizes.min() ?? 1, sizes.max() ?? 1)
    return try Figure(
      "Test accuracy against the number of parameters, with 95 % intervals.", height: 400
    ) { layout in
      """
      set logscale x; set xrange [\(least / 1.6):\(most * 1.6)]
      set xtics \(layout == .narrow ? "rotate by 45 right " : "")(\(names.joined(separator: ", ")))
      set xlabel 'parameters'; set ylabel 'frame accuracy, %'

      """ + plot(series, using: "1:2:3:4")
    }
  }
}

/// A number of parameters with three digits, such as `165k` or `2.97M`.
private func shortened(_ number: Int) -> String {
  let steps: [(size: Double, name: String)] = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
  guard let step = steps.first(where: { Double(number) >= $0.size }) else { return "\(number)" }
  let value = Double(number) / step.size
  return String(format: value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value) + step.name
}

extension SetScore {
  /// The accuracy and its bounds in per cent; the accuracy itself for each bound that is missing.
  fileprivate var inPerCent: [Double] {
    [100 * accuracy, 100 * (low ?? accuracy), 100 * (high ?? accuracy)]
  }
}
