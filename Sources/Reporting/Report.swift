import Distillation
import Evaluation
import Foundation
import Mustache
package import Experiments
import Storage
import SystemPackage
import Training

/// A self-contained HTML page about an experiment: the verdict, tables, figures and the recipe.
package struct Report {
  /// A section of the page.
  struct Section {
    let id: String
    let title: String
    var blocks: [Block]
  }

  private let title: String
  /// When and how the scores were made; nil if the scores do not say.
  private let origin: String?
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
    origin = scores.made?.inWords
    let sections = [
      try Report.verdictSection(try experiment.verdict(), scores),
      Report.scoreSection(scores),
      try Report.memberSection(scores),
      try Report.choiceSection(experiment),
      try Report.studySection(scores),
      try Report.specialistSection(experiment, scores),
      try Report.trainingSection(experiment, scores),
      try analysis.calibrationSection(scores),
      try analysis.speakerSection(),
      try analysis.labelSection(),
      analysis.confusionSection(),
      try analysis.exampleSection(),
      analysis.doubtSection(),
      Section(
        id: "recipe", title: "Recipe",
        blocks: [
          scores.madeBy.map { Block(text: "Scored by \($0).") },
          Block(code: experiment.recipe.text),
        ].compactMap { $0 }),
    ]
    self.sections = Report.numbered(sections.filter { !$0.blocks.isEmpty })
  }

  /// The page as HTML.
  ///
  /// - Throws: a fault of the template.
  package func html() throws -> String {
    var parts: [String: Any] = [
      "title": title, "sections": sections, "style": reportStyle, "script": reportScript,
    ]
    if let origin { parts["origin"] = origin }
    return try MustacheTemplate(string: reportTemplate).render(parts)
  }

  /// The sections with the ids within each drawing made unique on the page.
  private static func numbered(_ sections: [Section]) -> [Section] {
    var sections = sections
    var count = 0
    for place in sections.indices {
      for index in sections[place].blocks.indices {
        guard let figure = sections[place].blocks[index].figure else { continue }
        count += 1
        sections[place].blocks[index].figure = figure.numbered(count)
      }
    }
    return sections
  }
}

extension ScoreReport.Occasion {
  /// The date, the command and how long it took.
  fileprivate var inWords: String {
    let time = "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
    return [date, command.map { "\($0), after \(time)" }].compactMap { $0 }.joined(separator: " · ")
  }
}
