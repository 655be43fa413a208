import Distillation
import Evaluation
import Foundation
import LinearAlgebra
import Experiments
import Storage
import Training

extension MemberCurve {
  /// Accuracy against the number of members.
  func figure() throws(FileFault) -> Figure {
    // The intervals of both sets are drawn beside each other.
    func rows(_ shift: Double, _ score: (Point) -> AccuracyScore) -> [[Double]] {
      points.map { point in
        let own = score(point)
        return [
          Double(point.members) + shift, 100 * own.accuracy, 100 * (own.low ?? own.accuracy),
          100 * (own.high ?? own.accuracy),
        ]
      }
    }
    return try Figure(
      "Frame accuracy of ensembles of 1 to \(points.count) members, with 95 % intervals."
    ) { _ in
      """
      set xlabel 'members'; set ylabel 'frame accuracy, %'; set xtics 1
      set xrange [0.5:\(points.count).5]

      """
        + plot(
          [
            Series(name: "development", rows: rows(-0.04, \.development), style: "yerrorlines"),
            Series(name: "test", rows: rows(0.04, \.test), style: "yerrorlines"),
          ], using: "1:2:3:4")
    }
  }
}

extension SearchReport {
  /// Development accuracy against λ, with a line for each mean and T.
  func figure() throws(FileFault) -> Figure {
    var series: [(name: String, rows: [[Double]])] = []
    for point in points {
      let own = point.distillation
      let name = "\(own.mean.rawValue), T = \(own.temperature)"
      if series.last?.name != name { series.append((name, [])) }
      guard let accuracy = point.developmentAccuracy else { continue }
      series[series.count - 1].rows.append([own.hardWeight, 100 * accuracy])
    }
    return try Figure(
      "Development accuracy of the students tried, by λ."
    ) { _ in
      "set xlabel 'λ, the weight of the true classes'; set ylabel 'development accuracy, %'\n"
        + plot(series.map { Series(name: $0.name, rows: $0.rows) })
    }
  }
}

/// Accuracy by epoch on the training frames, as trained on, and on the development set.
///
/// - Parameter systems: the systems with their records by epoch.
/// - Returns: the figure.
/// - Throws: `FileFault` when it cannot be drawn.
func trainingFigure(
  _ systems: [(name: String, records: [EpochRecord])]
) throws(FileFault) -> Figure {
  var series: [Series] = []
  for (index, system) in systems.enumerated() {
    let epochs = system.records
    // Some ten points of each line show its shape.
    let points = "linespoints pointinterval \(max(1, epochs.count / 10))"
    series.append(
      Series(
        name: "\(system.name), development",
        rows: epochs.map { [Double($0.epoch), 100 * $0.developmentAccuracy] }, style: points,
        kind: index + 1))
    series.append(
      Series(
        name: "\(system.name), training",
        rows: epochs.map { [Double($0.epoch), 100 * $0.accuracy] },
        style: "\(points) dashtype 3", kind: index + 1))
  }
  return try Figure(
    "Frame accuracy by epoch; on training frames it is measured during training, with dropout if any.",
    height: 460
  ) { _ in
    "set xlabel 'epoch'; set ylabel 'frame accuracy, %'\n"
      + ((series.map(\.rows.count).max() ?? 0) <= 20 ? "set xtics 1\n" : "") + plot(series)
  }
}

/// The accuracy of systems against their confidence.
///
/// - Parameter systems: the systems with their bins.
/// - Returns: the figure.
/// - Throws: `FileFault` when it cannot be drawn.
func reliabilityFigure(
  _ systems: [(name: String, calibration: Calibration)]
) throws(FileFault) -> Figure {
  let series = systems.map { system in
    Series(
      name: system.name,
      rows: system.calibration.bins.filter { $0.frames > 0 }.map {
        [$0.confidence / $0.frames, $0.correct / $0.frames]
      })
  }
  return try Figure(
    "Reliability: the share of correct frames against the mean probability of the chosen class, in "
      + "\(Calibration.binCount) bins. On the diagonal, confidence equals accuracy.",
    width: 700, height: 500
  ) { _ in
    "set xlabel 'probability of the chosen class'; set ylabel 'share of correct frames'\n"
      + "set xrange [0:1]; set yrange [0:1]\n"
      + plot(
        series, extra: "x with lines lc rgb '#888888' dashtype 2 title 'confidence = accuracy'")
  }
}

/// A point for each name and system, with the names from left to right.
///
/// - Parameters:
///   - caption: the caption.
///   - names: the names below the x axis.
///   - systems: a value in per cent for each name; NaN for none.
/// - Returns: the figure.
/// - Throws: `FileFault` when it cannot be drawn.
func pointFigure(
  _ caption: String, names: [String], systems: [(name: String, values: [Double])]
) throws(FileFault) -> Figure {
  let tics = names.enumerated().map { "\(Gnuplot.tic($1)) \($0)" }.joined(separator: ", ")
  return try Figure(caption) { layout in
    """
    set ylabel 'frame accuracy, %'
    set xtics rotate by 90 right (\(tics)) font ',\(layout == .wide ? 11 : 8)'
    set xrange [-1:\(names.count)]

    """
      + plot(
        systems.map { system in
          Series(
            name: system.name, rows: system.values.enumerated().map { [Double($0), $1] },
            style: "points")
        })
  }
}

extension TestAnalysis {
  /// The example's log-mel energies, and below them each system's posteriors with the true labels.
  func exampleFigure() throws(FileFault) -> Figure {
    let frames = example.features.rows
    let bands = (0..<frames).map { frame in
      example.bands.map { Double(example.features[frame, $0]) }
    }
    // The labels that are true, or likely according to some system, in some frame.
    let shown = labels.indices.filter { label in
      example.truth.contains(label)
        || example.posteriors.contains { matrix in
          (0..<frames).contains { matrix[$0, label] > 0.3 }
        }
    }
    func image(_ name: String, _ values: [[Double]]) -> String {
      // A line of the block for each row of the image, from the bottom up.
      let columns = values[0].indices.map { row in values.map { $0[row] } }
      return Gnuplot.block(name, columns)
    }
    let seconds = "($1*\(secondsAFrame)):2:3"
    var script = """
      set multiplot layout \(systems.count + 1),1
      unset key; unset colorbox; set lmargin 9; set rmargin 2; unset grid
      set xrange [0:\(Double(frames) * secondsAFrame)]
      set yrange [-0.5:\(example.bands.count - 1).5]; set ylabel 'mel band'
      set title 'log-mel energies'
      set palette defined (0 '#ffffff', 1 '#000000')

      """
    script += image("bands", bands) + "plot $bands matrix using \(seconds) with image\n"
    let tics = shown.enumerated().map { "\(Gnuplot.tic(labels[$1])) \($0)" }
    script += """
      set palette defined (0 '#ffffff', 1 '#0072B2'); set cbrange [0:1]
      set ytics (\(tics.joined(separator: ", "))) font ',10'; set ylabel ''
      set yrange [-0.5:\(shown.count - 1).5]

      """
    let path = example.truth.enumerated().compactMap { frame, label in
      shown.firstIndex(of: label).map { [Double(frame) * secondsAFrame, Double($0)] }
    }
    script += Gnuplot.block("truth", path)
    for (index, system) in systems.enumerated() {
      let values = (0..<frames).map { frame in
        shown.map { Double(example.posteriors[index][frame, $0]) }
      }
      script += "set title \(Gnuplot.quoted("\(system.name); orange: the alignment"))\n"
      if index == systems.count - 1 { script += "set xlabel 'seconds'\n" }
      script += image("posteriors\(index)", values)
      script +=
        "plot $posteriors\(index) matrix using \(seconds) with image, "
        + "$truth using 1:2 with points pt 5 ps 0.35 lc rgb '#D55E00'\n"
    }
    script += "unset multiplot\n"
    return try Figure(
      "\(example.utterance): log-mel energies, and the probability of each label over time.",
      width: 1100, height: 260 + systems.count * (80 + 16 * shown.count)
    ) { _ in script }
  }
}
