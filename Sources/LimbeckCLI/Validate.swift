import ArgumentParser
import Corpus
import Foundation
import LinearAlgebra
import Recipes
import Storage

/// `limbeck validate`: a data directory to all that is wrong with it.
struct Validate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a Kaldi data directory; every fault is named, then counted.",
    discussion: """
      Looks at the files of DATA and decodes all its audio. Prints a line a finding, FILE:LINE: \
      error or warning: MESSAGE, then the counts. Errors (something is lost, or files contradict each \
      other) make the exit status 65; warnings (all can be used, but it is unusual, or Kaldi refuses \
      it) do not.
      """)

  @Argument(help: "A data directory; several are also held against each other.")
  var data: [String]
  @Flag(help: "Print one JSON object instead.")
  var json = false
  @Flag(inversion: .prefixedNo, help: "Decode the recordings.")
  var audio = true
  @Option(
    parsing: .unconditional,
    help: "The channel that is meant, from 1. (default: files must be mono)")
  var channel: Int?
  @OptionGroup var location: DataOptions
  @OptionGroup var job: JobOptions

  func validate() throws {
    guard channel ?? 1 > 0 else {
      throw ValidationError("--channel: expected at least 1, found \(channel ?? 1)")
    }
  }

  func run() throws {
    let reporter = Terminal.reporter()
    var errors = 0
    for path in data {
      let validation = DataValidation(
        path: path, root: location.root, commands: location.commands.policy, channel: channel)
      let report = try validation.run(audio: audio ? job.workers : nil) { done, total in
        reporter.progress(
          WorkProgress(
            work: "validate", done: Double(done), total: Double(total), unit: "recordings"))
      }
      let lines = report.findings.map(\.text) + [report.summary]
      try Terminal.print(json ? JSONText.document(report) : lines.map { $0 + "\n" }.joined())
      errors += report.errors
    }
    if data.count > 1, !json { try printOverlaps() }
    if errors > 0 { throw ExitCode(ExitStatus.data.rawValue) }
  }

  /// Prints what the directories have in common.
  private func printOverlaps() throws {
    let parts = try data.map { ($0, try location.open($0)) }
    for remark in try PartOverlap(parts, comparing: audio ? .bytes : .files).remarks {
      try Terminal.print("warning: \(remark)\n")
    }
  }
}
