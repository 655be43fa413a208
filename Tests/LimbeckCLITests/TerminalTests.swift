import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("What a person sees on a terminal")
struct TerminalTests {
  /// The lines that a terminal of some columns shows after a program has written to it.
  ///
  /// Follows the three codes that the program uses: back to the start, up by some lines, and erase
  /// all below.
  private func shown(_ text: String, columns: Int) throws -> (lines: [String], widest: Int) {
    var (lines, row, widest) = ([""], 0, 0)
    var column = 0
    var rest = text[...]
    while let letter = rest.first {
      if let code = rest.prefixMatch(of: /\u{1B}\[(\d*)([AJ])/) {
        rest = rest[code.range.upperBound...]
        if code.2 == "A" {
          row -= Int(code.1) ?? 1
        } else {
          lines[row] = String(lines[row].prefix(column))
          lines.removeSubrange((row + 1)...)
        }
        continue
      }
      rest.removeFirst()
      switch letter {
      case "\r": column = 0
      case "\n":
        row += 1
        column = 0
        if row == lines.count { lines.append("") }
      default:
        try #require(column >= 0 && row >= 0 && letter != "\u{1B}")
        lines[row] = String(lines[row].prefix(column)) + String(letter)
        column += 1
        widest = max(widest, column)
      }
    }
    return (lines, widest)
  }

  @Test(
    "a run fits terminals of 60 to 100 columns, and ends with the verdict", arguments: [60, 100])
  func run(columns: Int) throws {
    let corpus = try SampleCorpus()
    let process = program([
      "run", corpus.recipePath, corpus.experimentPath, "--set", "augmentation={copies: 1}",
    ])
    let text = try PseudoTerminal(columns: columns).run(process)
    #expect(process.terminationStatus == 0)
    let (lines, widest) = try shown(text, columns: columns)
    // Paths are not broken, and those of the test are long.
    let paths = lines.flatMap { $0.split(separator: " ") }.map(\.count).max() ?? 0
    #expect(widest <= max(columns, paths + 2), "\(text)")
    for name in ["train", "train-copy-1"] {
      #expect(lines.contains { $0.hasPrefix("soft targets of \(name): 100 %") }, "\(text)")
    }
    #expect(lines.contains { $0.hasPrefix("train 3 networks: 100 %") }, "\(text)")
    // What is erased is gone.
    #expect(lines.allSatisfy { !$0.contains("left,") }, "\(lines)")
    let verdict = try #require(lines.lastIndex { $0.hasPrefix("The student ") })
    #expect(lines[verdict...].contains { $0.hasPrefix("| ensemble ") })
    #expect(lines[verdict...].contains { $0.hasPrefix("utterances skipped: 0 of ") })
    #expect(lines.count - verdict < 24, "it fits one screen")

    let info = program(["info", corpus.experimentPath.appending("scores.json")])
    let tables = try PseudoTerminal(columns: columns).run(info)
    #expect(tables.split(separator: "\n").allSatisfy { $0.count <= columns })
    #expect(tables.components(separatedBy: "| system ").count > 2, "folded into two tables")
    let piped = try limbeck("info", corpus.experimentPath.appending("scores.json"))
    #expect(piped.output.split(separator: "\n").contains { $0.count > 100 })
    let kept = try String(
      contentsOfFile: corpus.experimentPath.appending("scores.md").string, encoding: .utf8)
    #expect(kept == piped.output)
  }

  @Test("--quiet leaves only the verdict, and warnings")
  func quiet() throws {
    let corpus = try SampleCorpus()
    let run = try limbeck("run", corpus.recipePath, corpus.experimentPath, "--quiet")
    #expect(run.status == 0)
    #expect(
      run.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("warning: ") }, "\(run.errors)")
    #expect(run.output.hasPrefix("The student "))
  }

  @Test("usage lines fit 80 columns")
  func usage() throws {
    for verb in [
      "validate", "features", "targets", "train", "distill", "specialists", "score", "posteriors",
      "export", "quantize", "split", "init", "plan", "run", "info", "report", "copy",
    ] {
      let help = try limbeck("help", verb)
      #expect(help.status == 0)
      #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(help.output)")
      let usage = try limbeck(verb, "--nope")
      #expect(usage.status == 64)
      #expect(usage.errors.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(usage.errors)")
    }
  }

  @Test(
    "a mistyped verb is told the right one",
    arguments: [
      ["trian"], ["help", "trian"], ["trian", "a", "b", "--jobs", "2"],
    ])
  func mistyped(arguments: [String]) throws {
    let run = try limbeck(arguments)
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(run.errors.contains("unknown command trian; did you mean train?"))
  }

  @Test("--jobs and --threads are the same; --networks is another")
  func jobs() throws {
    let both = try limbeck("train", "a", "b", "--threads", "2", "--jobs", "1")
    #expect(both.status == 64)
    #expect(both.errors.contains("both are the number of threads; give --networks 1"))
    for option in ["--jobs", "--threads", "--networks"] {
      let none = try limbeck("train", "a", "b", option, "0")
      #expect(none.status == 64 && none.errors.contains("\(option): expected 1 to 1024, found 0"))
    }
  }
}
