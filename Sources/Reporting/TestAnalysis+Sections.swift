import Evaluation
import Foundation
import Experiments
import Storage

/// The sections of the page that examine single frames.
extension TestAnalysis {
  func calibrationSection(_ scores: ScoreReport) throws(FileFault) -> Report.Section {
    let bins = systems.compactMap { system in
      scores.systems.first { $0.system == system.name }?.test.calibration
        .map { (name: system.name, calibration: $0) }
    }
    return Report.Section(
      id: "reliability", title: "Reliability",
      blocks: bins.isEmpty ? [] : [Report.Block(try reliabilityFigure(bins))])
  }

  func speakerSection() throws(FileFault) -> Report.Section {
    guard let speakers else {
      return Report.Section(id: "speakers", title: "Speakers", blocks: [])
    }
    let rows = Dictionary(grouping: speakers.indices) { speakers[$0] }
      .map { name, own in
        (
          name: name, frames: own.reduce(0) { $0 + systems[0].tallies[$1].frames },
          accuracies: systems.map { system in
            100
              * accuracy(
                of: own.map { system.tallies[$0] }, weights: Array(repeating: 1, count: own.count))
          }
        )
      }
      .sorted { ($0.accuracies[0], $0.name) < ($1.accuracies[0], $1.name) }
    let figure = try pointFigure(
      "Test accuracy by speaker, sorted by the ensemble's.", names: rows.map(\.name),
      systems: systems.enumerated().map { index, system in
        (system.name, rows.map { $0.accuracies[index] })
      })
    return Report.Section(
      id: "speakers", title: "Speakers",
      blocks: [
        rows.count > 1 ? Report.Block(figure) : nil,
        Report.Block(
          TextTable(
            rows: [["speaker", "frames"] + systems.map { "\($0.name) %" }]
              + rows.map { row in
                [row.name, "\(row.frames)"] + row.accuracies.map { twoPlaces($0) }
              }), caption: "Test accuracy by speaker"),
      ].compactMap { $0 })
  }

  func labelSection() throws(FileFault) -> Report.Section {
    let rows = labels.indices.filter { systems[0].confusions.count(of: $0) > 0 }
      .map { label in
        (
          name: labels[label], frames: systems[0].confusions.count(of: label),
          recalls: systems.map { 100 * ($0.confusions.recall(of: label) ?? .nan) }
        )
      }
      .sorted { ($0.recalls[0], $0.name) < ($1.recalls[0], $1.name) }
    let figure = try pointFigure(
      "The share of each label's test frames that are classified as that label, in any state; labels are "
        + "the model's, not folded.",
      names: rows.map(\.name),
      systems: systems.enumerated().map { index, system in
        (system.name, rows.map { $0.recalls[index] })
      })
    return Report.Section(
      id: "labels", title: "Labels",
      blocks: [
        Report.Block(figure),
        Report.Block(
          TextTable(
            rows: [["label", "frames"] + systems.map { "\($0.name) %" }]
              + rows.map { row in
                [row.name, "\(row.frames)"] + row.recalls.map { twoPlaces($0) }
              }), caption: "Test accuracy by label"),
      ])
  }

  /// How often the last system, the student, takes each label for another.
  func confusionSection() -> Report.Section {
    let system = systems[systems.count - 1]
    let present = labels.indices.filter { system.confusions.count(of: $0) > 0 }
    let rows = present.map { truth in
      let count = system.confusions.count(of: truth)
      let cells = labels.indices.map { chosen in
        let share = Double(system.confusions.frames[truth][chosen]) / Double(count)
        return Report.TableView.Cell(
          text: share >= 0.005 ? String(format: "%.0f", 100 * share) : "",
          shade: share >= 0.005 ? String(format: "%.2f", min(0.75, share)) : nil)
      }
      return Report.TableView.Row(
        cells: [
          Report.TableView.Cell(text: labels[truth]), Report.TableView.Cell(text: "\(count)"),
        ] + cells)
    }
    let table = Report.TableView(
      caption:
        "Per cent of the frames of each label (row) that the \(system.name) classifies as each label "
        + "(column); empty below half a per cent",
      kind: "dense", head: ["label", "frames"] + labels, rows: rows)
    return Report.Section(
      id: "confusions", title: "Confusions", blocks: [Report.Block(table: table)])
  }

  /// The utterance of which all is shown, and its recording.
  func exampleSection() throws(FileFault) -> Report.Section {
    var blocks = [Report.Block(try exampleFigure())]
    switch example.sound {
    case .samples(let samples, let rate, let isWhole):
      let seconds = String(format: "%.1f s", Double(samples.count) / Double(rate))
      blocks.append(
        Report.Block(
          sound: Report.SoundView(
            caption: "\(example.utterance), \(isWhole ? "" : "the first ")\(seconds) at \(rate) Hz",
            base64: waveFile(samples, sampleRate: rate).base64EncodedString())))
    case .unreadable(let reason):
      blocks.append(Report.Block(text: "The recording cannot be played here: \(reason)."))
    case .none: break
    }
    return Report.Section(id: "example", title: "One utterance", blocks: blocks)
  }

  func doubtSection() -> Report.Section {
    let sure = Int((100 * TestAnalysis.confidence).rounded())
    let rows = doubtful.prefix(50).map { own -> [String] in
      let longest = own.doubts.max { $0.frames.count < $1.frames.count }
      let place = longest.map {
        String(
          format: "%.2f to %.2f s", Double($0.frames.lowerBound) * secondsAFrame,
          Double($0.frames.upperBound) * secondsAFrame)
      }
      return [
        own.utterance, "\(own.frames)", "\(own.doubtfulFrames)",
        String(format: "%.1f", 100 * Double(own.doubtfulFrames) / Double(own.frames)), place ?? "",
        longest.map { "\(labels[$0.truth]) → \(labels[$0.chosen])" } ?? "",
      ]
    }
    let total = doubtful.reduce(0) { $0 + $1.doubtfulFrames }
    return Report.Section(
      id: "doubts", title: "Ensemble against alignment",
      blocks: [
        Report.Block(
          text: """
            On \(total) test frames of \(doubtful.count) utterances, the ensemble gives another label than the \
            alignment a probability of at least \(sure) %. \
            \(doubtful.count > 50 ? "The 50 utterances with the most such frames:" : "")
            """),
        Report.Block(
          TextTable(
            rows: [
              [
                "utterance", "frames", "doubtful", "%", "longest run",
                "alignment → ensemble",
              ]
            ] + rows), caption: "Utterances where ensemble and alignment confidently disagree"),
      ].filter { $0.text != nil || !rows.isEmpty })
  }
}

/// A number with two decimals; empty if it is not finite.
private func twoPlaces(_ value: Double) -> String {
  value.isFinite ? String(format: "%.2f", value) : ""
}
