import Distillation
import Evaluation
import Experiments
import Foundation
import Storage
import Training

/// The sections of the page that show scores and how they came about.
extension Report {
  static func verdictSection(
    _ verdict: Verdict, _ scores: ScoreReport
  ) throws(FileFault) -> Section {
    Section(
      id: "verdict", title: "Result",
      blocks: [Block(lead: verdict.sentence), Block(try verdict.barFigure())]
        + verdict.findings.map { Block(text: $0 + ".") } + [Block(try scores.sizeFigure(verdict))])
  }

  /// Whether a system is a member of the ensemble.
  private static func isMember(_ name: String) -> Bool {
    if case .member = System(name: name) { true } else { false }
  }

  static func scoreSection(_ scores: ScoreReport) -> Section {
    let table = scores.systemTable?.withSecond("test %")
    let members = table?.rows { isMember($0) }
    return Section(
      id: "scores", title: "Scores",
      blocks: [
        table?.rows { !isMember($0) }.map { Block($0, caption: "Systems, with 95 % intervals") },
        members.map {
          Block(
            $0, caption: "Members, with 95 % intervals",
            fold: "The \($0.rows.count - 1) members of the ensemble")
        },
        scores.comparisonTable.map { Block($0, caption: "Differences on the test set") },
        Block(text: withMinusSigns(scores.rules)),
      ].compactMap { $0 })
  }

  static func memberSection(_ scores: ScoreReport) throws(FileFault) -> Section {
    guard let curve = scores.memberCurve, let table = scores.memberTable else {
      return Section(id: "members", title: "Members", blocks: [])
    }
    return Section(
      id: "members", title: "Members",
      blocks: [
        Block(try curve.figure()),
        Block(table.withSecond("test %"), caption: "Ensembles of fewer members"),
        Block(text: table.note),
      ])
  }

  static func choiceSection(_ experiment: Experiment) throws -> Section {
    var blocks: [Block] = []
    if experiment.recipe.search != nil {
      let search = try SearchReport(path: experiment.searchPath)
      blocks += [
        Block(try search.figure()),
        Block(
          search.table,
          caption: "Development accuracy; the star marks the point used for the students"),
      ]
    }
    if experiment.recipe.baselineSearch != nil {
      let search = try BaselineSearchReport(path: experiment.baselineSearchPath)
      blocks.append(
        Block(search.table, caption: "Development accuracy of the baselines tried"))
    }
    if let table = try experiment.softTargetReport()?.table {
      blocks += [Block(table, caption: "Storage of the soft targets"), Block(text: table.note)]
    }
    return Section(id: "distillation", title: "Distillation", blocks: blocks)
  }

  static func studySection(_ scores: ScoreReport) throws(FileFault) -> Section {
    var blocks: [Block] = []
    if let table = scores.subsetTable?.withSecond("test %") {
      blocks.append(Block(table, caption: "Networks trained on a share of the utterances"))
    }
    if let table = scores.missingClassTable?.withSecond("test %") {
      blocks += [
        Block(table, caption: "A label withheld from training"), Block(text: table.note),
      ]
    }
    return Section(id: "studies", title: "Fewer frames", blocks: blocks)
  }

  static func specialistSection(
    _ experiment: Experiment, _ scores: ScoreReport
  ) throws(FileFault) -> Section {
    guard let score = scores.specialists, let clusters = try experiment.clusters() else {
      return Section(id: "specialists", title: "Specialists", blocks: [])
    }
    let (coverage, table) = (score.coverageTable, clusters.table)
    return Section(
      id: "specialists", title: "Specialists",
      blocks: [
        Block(coverage, caption: "Generalist and specialists, by coverage of the true class"),
        Block(text: coverage.note),
        Block(score.costTable.withSecond("test %"), caption: "Their cost"),
        score.comparisonTable.map { Block($0, caption: "Differences on the test set") },
        Block(
          table, caption: "The classes of each specialist",
          fold: "The classes of the \(clusters.clusters.count) specialists"),
        Block(text: table.note),
      ].compactMap { $0 })
  }

  static func trainingSection(
    _ experiment: Experiment, _ scores: ScoreReport
  ) throws -> Section {
    let systems = scores.systems.compactMap { System(name: $0.system) }.filter { system in
      switch system {
      case .baseline, .student, .member: true
      default: false
      }
    }
    let records = try systems.map { (name: $0.name, records: try experiment.epochs(of: $0)) }
    let shown = zip(systems, records).filter { system, _ in
      if case .member(let number) = system { number == 0 } else { true }
    }
    return Section(
      id: "training", title: "Training",
      blocks: [
        Block(try trainingFigure(shown.map(\.1)))
      ] + epochBlocks(records))
  }

  /// For each network, the epoch used, which has the highest development accuracy, and a remark
  /// where that suggests other options; the members' are folded away.
  private static func epochBlocks(
    _ systems: [(name: String, records: [EpochRecord])]
  ) -> [Block] {
    let rows = systems.compactMap { system -> [String]? in
      guard let last = system.records.last else { return nil }
      // The first in case of ties, as in training.
      let best = system.records.reduce(system.records[0]) {
        $1.developmentAccuracy > $0.developmentAccuracy ? $1 : $0
      }
      let remark =
        best.epoch == 1 && last.epoch > 3
        ? "the first of many: try a smaller learning rate, or dropout" : ""
      return [
        system.name, String(format: "%.2f", 100 * best.developmentAccuracy), "\(best.epoch)",
        "\(last.epoch)", String(format: "%.2f", 100 * last.developmentAccuracy), remark,
      ]
    }
    let head = [
      "network", "development %", "epoch used", "epochs", "at the last epoch %", "remark",
    ]
    let hasRemarks = rows.contains { $0.last?.isEmpty == false }
    let table = TextTable(rows: ([head] + rows).map { hasRemarks ? $0 : $0.dropLast() })
    let caption = "The epoch used, by accuracy on the development set"
    let members = table.rows { isMember($0) }
    return [
      table.rows { !isMember($0) }.map { Block($0, caption: caption) },
      members.map {
        Block($0, caption: caption, fold: "The \($0.rows.count - 1) members of the ensemble")
      },
    ].compactMap { $0 }
  }
}
