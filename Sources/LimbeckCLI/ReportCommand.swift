import ArgumentParser
import Foundation
import Experiments
import Reporting
import Storage
import SystemPackage

/// `limbeck report`: writes a page about a scored experiment.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write EXP/report.html: tables, figures and the recipe of a scored experiment.",
    discussion:
      "The page is self-contained. Figures need gnuplot (Debian package gnuplot-nox).")

  @Argument(help: "The folder of an experiment whose recipe has been run up to its scores.")
  var exp: FilePath
  @Option(
    help: "The test utterance whose posteriors are shown. (default: one of median accuracy)")
  var utterance: String?
  @OptionGroup var job: JobOptions
  @OptionGroup var reporting: ReportingOptions

  func run() throws {
    let recipe = try Recipe(path: exp.appending("recipe.yaml"))
    let experiment = Experiment(
      recipe: recipe, path: exp, workers: job.workers, reporter: reporting.reporter)
    try Terminal.print("\(try ReportCommand.write(experiment, showing: utterance).text)\n")
  }

  /// Writes the page of a scored experiment and returns its path.
  static func write(_ experiment: Experiment, showing utterance: String?) throws -> FilePath {
    let path = experiment.path.appending("report.html")
    try AtomicFile.write(try Report(experiment, showing: utterance).html(), to: path)
    return path
  }
}
