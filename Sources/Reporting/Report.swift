import Distillation
import Evaluation
import Foundation
import Mustache
package import Experiments
import Storage
import SystemPackage
import Training

/// A self-contained HTML page about an experiment: tables, figures and the recipe.
package struct Report {
  /// A section of the page.
  struct Section {
    let id: String
    let title: String
    let blocks: [Block]
  }

  /// The contents of a section; exactly one of the properties is set.
  struct Block {
    var text: String?
    var figure: FigureView?
    var table: TableView?
    var code: String?
  }

  /// A figure in the form that the template expects.
  struct FigureView {
    let caption: String
    /// The greatest width, in pixels.
    let width: Int
    /// The SVG document.
    let base64: String
  }

  /// A table in the form that the template expects.
  struct TableView {
    /// A cell.
    struct Cell {
      /// The text of the cell.
      let text: String
      /// The opacity of the background colour, 0 to 1.
      var shade: String?
    }

    /// A row.
    struct Row {
      let cells: [Cell]
    }

    let caption: String
    /// `dense` for small print.
    var kind = ""
    let head: [String]
    let rows: [Row]
  }

  private let title: String
  private let sections: [Section]

  /// Gathers the tables and draws the figures of an experiment that has been scored.
  ///
  /// - Parameters:
  ///   - experiment: the experiment, with the recipe that produced its scores.
  ///   - utterance: the test utterance whose posteriors are shown; nil for one of median accuracy.
  /// - Throws: `FileFault` when a file is missing or gnuplot fails, `ExperimentFault` for an
  ///   unknown utterance or outdated scores.
  package init(_ experiment: Experiment, showing utterance: String? = nil) throws {
    let scores = try experiment.readScores()
    let analysis = try experiment.analyseTest(showing: utterance)
    let name = experiment.path.absolute.lexicallyNormalized().lastComponent
    title = "limbeck: \(name?.text ?? "/")"
    var sections = [Report.scoreSection(scores)]
    sections.append(try Report.memberSection(scores))
    sections.append(try Report.choiceSection(experiment))
    sections.append(try Report.studySection(scores))
    sections.append(try Report.specialistSection(experiment, scores))
    sections.append(try Report.trainingSection(experiment, scores))
    sections.append(try analysis.calibrationSection(scores))
    sections.append(try analysis.speakerSection())
    sections += [try analysis.labelSection(), analysis.confusionSection()]
    sections.append(
      Section(
        id: "example", title: "One utterance",
        blocks: [Block(try analysis.exampleFigure())]))
    sections.append(analysis.doubtSection())
    sections.append(
      Section(
        id: "recipe", title: "Recipe",
        blocks: [
          scores.madeBy.map { Block(text: "Scored by \($0).") },
          Block(code: experiment.recipe.text),
        ].compactMap { $0 }))
    self.sections = sections.filter { !$0.blocks.isEmpty }
  }

  /// The page as HTML.
  ///
  /// - Throws: a fault of the template.
  package func html() throws -> String {
    try MustacheTemplate(string: reportTemplate)
      .render(["title": title, "sections": sections] as [String: Any])
  }

  private static func scoreSection(_ scores: ScoreReport) -> Section {
    Section(
      id: "scores", title: "Scores",
      blocks: [
        scores.systemTable.map { Block($0, caption: "Systems, with 95 % intervals") },
        scores.comparisonTable.map { Block($0, caption: "Differences on the test set") },
        Block(text: scores.rules),
      ].compactMap { $0 })
  }

  private static func memberSection(_ scores: ScoreReport) throws(FileFault) -> Section {
    guard let curve = scores.memberCurve, let table = scores.memberTable else {
      return Section(id: "members", title: "Members", blocks: [])
    }
    return Section(
      id: "members", title: "Members",
      blocks: [
        Block(try curve.figure()), Block(table, caption: "Ensembles of fewer members"),
        Block(text: table.note),
      ])
  }

  private static func choiceSection(_ experiment: Experiment) throws -> Section {
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

  private static func studySection(_ scores: ScoreReport) throws(FileFault) -> Section {
    var blocks: [Block] = []
    if let table = scores.subsetTable {
      blocks.append(Block(table, caption: "Networks trained on a share of the utterances"))
    }
    if let table = scores.missingClassTable {
      blocks += [
        Block(table, caption: "A label withheld from training"), Block(text: table.note),
      ]
    }
    return Section(id: "studies", title: "Fewer frames", blocks: blocks)
  }

  private static func specialistSection(
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
        Block(score.costTable, caption: "Their cost"),
        score.comparisonTable.map { Block($0, caption: "Differences on the test set") },
        Block(table, caption: "The classes of each specialist"), Block(text: table.note),
      ].compactMap { $0 })
  }

  private static func trainingSection(
    _ experiment: Experiment, _ scores: ScoreReport
  ) throws -> Section {
    let singles = scores.systems.compactMap { System(name: $0.system) }.filter { system in
      switch system {
      case .baseline, .student: true
      default: false
      }
    }
    let records = try ([System.member(0)] + singles).map { system in
      (name: system.name, records: try experiment.epochs(of: system))
    }
    return Section(
      id: "training", title: "Training", blocks: [Block(try trainingFigure(records))])
  }
}

extension Report.Block {
  init(_ figure: Figure) {
    self.figure = Report.FigureView(
      caption: figure.caption, width: figure.width, base64: figure.svg.base64EncodedString())
  }

  init(_ table: TextTable, caption: String) {
    self.table = Report.TableView(
      caption: caption, head: table.rows[0],
      rows: table.rows.dropFirst().map { row in
        Report.TableView.Row(cells: row.map { Report.TableView.Cell(text: $0) })
      })
  }
}
