import ArgumentParser
import Corpus
import Storage
import SystemPackage

/// `limbeck split`: divides a data directory into training, development and test set.
struct Split: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Divide a Kaldi data directory into training, development and test set.",
    discussion: """
      Writes the data directories OUT/train, OUT/development and OUT/test, and OUT/split.json with the \
      options. The part of an utterance depends only on the id of its unit and on the seed, so \
      utterances stay in their part when others are added. Shares are therefore approximate.
      """)

  @Argument(help: "A data directory.")
  var data: FilePath
  @Argument(help: "The folder to write the parts to.")
  var out: FilePath
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The share of the development set.", valueName: "share"))
  var development = Share(percent: 10)
  @Option(
    parsing: .unconditional, help: ArgumentHelp("The share of the test set.", valueName: "share"))
  var test = Share(percent: 10)
  @Option(help: "What stays in one part.")
  var by = DataSplit.Unit.utterance
  @Option(parsing: .unconditional, help: "The seed; another one gives another division.")
  var seed: UInt64 = 1

  func validate() throws {
    guard development.percent + test.percent < 100 else {
      throw ValidationError(
        """
        --development and --test: expected less than 100% in all, found \
        \(development.percent + test.percent)%
        """)
    }
  }

  func run() throws {
    // Commands are copied, not run.
    let directory = try DataDirectory(path: data, commands: .allowed)
    let split = DataSplit(
      development: development.percent / 100, test: test.percent / 100, unit: by, seed: seed)
    let outcome = try split.write(directory, to: out)
    let reporter = Terminal.reporter()
    for remark in outcome.remarks { reporter.log.warning("\(remark)") }
    for (part, utterances, units) in outcome.parts {
      let share = 100 * Double(utterances) / Double(directory.count)
      let others = by == .utterance ? "" : " of \(units) \(by)\(units == 1 ? "" : "s")"
      try Terminal.print(
        "\(out.appending(part.rawValue).text): \(utterances) utterances\(others), "
          + "\(Int(share.rounded())) %\n")
    }
  }
}

extension DataSplit.Unit: ExpressibleByArgument {}
