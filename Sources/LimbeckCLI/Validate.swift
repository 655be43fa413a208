import ArgumentParser
import Corpus
import Foundation
import LinearAlgebra
import Storage
import SystemPackage

/// `limbeck validate`: reports every fault of data directories.
struct Validate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a Kaldi data directory and report every fault.",
    discussion: """
      Checks the files of DATA and decodes all its audio. Prints one finding per line, FILE:LINE: \
      error or warning: MESSAGE, then the counts. Errors (data is lost, or files contradict each \
      other) make the exit status 65; warnings (the data is usable but unusual, or Kaldi refuses \
      it) do not.
      """)

  @Argument(help: "A data directory; several are also compared with each other.")
  var data: [FilePath]
  @Flag(
    help:
      "Print one JSON object instead; for several directories, their reports and what they share."
  )
  var json = false
  @Flag(inversion: .prefixedNo, help: "Decode the recordings.")
  var audio = true
  @OptionGroup var recording: RecordingOptions
  @OptionGroup var location: DataOptions
  @OptionGroup var job: JobOptions
  @OptionGroup var reporting: ReportingOptions

  func run() throws {
    let reporter = reporting.reporter
    var reports: [ValidationReport] = []
    var readable: [FilePath] = []
    var missing = false
    for path in data {
      let validation = DataValidation(
        path: path, root: location.root, commands: location.commands.policy,
        channel: recording.channel)
      do {
        let report = try validation.run(audio: audio ? job.workers : nil) { done, total in
          reporter.progress(
            WorkProgress(
              work: "validate", done: Double(done), total: Double(total), unit: "recordings"))
        }
        reports.append(report)
        readable.append(path)
        if !json { try print(report) }
      } catch let fault as FileFault where !fault.isOfMachine {
        Terminal.complain("limbeck: \(fault)")
        missing = true
      }
    }
    let overlaps = reports.count > 1 ? try overlaps(of: readable) : []
    if json {
      try Terminal.write(
        data.count > 1
          ? JSONText.document(Comparison(directories: reports, overlaps: overlaps))
          : reports.map { JSONText.document($0) }.joined())
    } else {
      for remark in overlaps { try Terminal.print("warning: \(remark)".visible + "\n") }
    }
    if reports.contains(where: { $0.errors > 0 }) { throw ExitCode(ExitStatus.data.rawValue) }
    if missing { throw ExitCode(ExitStatus.noInput.rawValue) }
  }

  /// What `--json` prints for several directories.
  private struct Comparison: Encodable {
    let directories: [ValidationReport]
    let overlaps: [String]
  }

  private func print(_ report: ValidationReport) throws {
    let lines = report.findings.map(\.text) + [report.summary]
    try Terminal.print(lines.map { $0.visible + "\n" }.joined())
  }

  /// What directories have in common, in words.
  private func overlaps(of paths: [FilePath]) throws -> [String] {
    // Directories that cannot be opened have been reported.
    let parts = paths.compactMap { path in (try? location.open(path)).map { (path.text, $0) } }
    return try PartOverlap(parts, comparing: audio ? .bytes : .files).remarks
  }
}
