import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

/// The commands of the first hour with a corpus: `split`, `init`, and `score --utterances`.
@Suite("From a data directory to a recipe")
struct InitCommandTests {
  private let corpus: SampleCorpus

  init() throws { corpus = try SampleCorpus(utterances: ["train": 40]) }

  private var data: FilePath { corpus.experimentPath.appending("data") }

  @Test("a data directory is divided, gets a recipe, and runs")
  func firstHour() throws {
    let parts = corpus.folder.file("parts")
    let split = try limbeck("split", data.appending("train"), parts, "--test", "20%")
    #expect(split.status == 0, "\(split.errors)")
    let lines = split.output.split(separator: "\n")
    #expect(lines.count == 3 && lines[0].hasPrefix("\(parts)/train: "))

    let recipe = corpus.folder.file("own.yaml")
    let ctm = data.appending("phones.ctm")
    let run = try limbeck("init", parts, "--recipe", recipe, "--ctm", ctm, "--whole")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("audio at 8000 Hz\n"))
    let again = try limbeck("init", parts, "--recipe", recipe, "--ctm", ctm)
    #expect(again.status == 65 && again.errors.contains("expected no such file"))

    let exp = corpus.folder.file("own")
    let small = ["ensemble.members=1", "ensemble.training.epochs=1", "ensemble.hidden.units=8"]
    let trained = try limbeck(
      ["run", recipe, exp] as [any Argument] + small.flatMap { ["--set", $0] as [any Argument] })
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.output.contains("student"))
    let kept = try TextFile.text(of: exp.appending("recipe.yaml"))
    #expect(kept.contains("units: 8 "), "\(kept)")
  }

  @Test(
    "wrong usage is 64",
    arguments: [
      ["split", "a", "b", "--test", "60%", "--development", "40%"],
      ["split", "a", "b", "--by", "day"],
      ["init", "a"], ["init", "a", "--ctm", "b", "--whole", "--states", "3"],
      ["init", "a", "--ctm", "b", "--keep-ids"],
    ])
  func usage(arguments: [String]) throws {
    let run = try limbeck(arguments)
    #expect(run.status == 64 && run.output.isEmpty, "\(run.errors)")
  }

  @Test("utterances of one label are decided as a whole, and the others named")
  func utterances() throws {
    // A label of its own for each utterance: that of its first phone.
    let corpus = try SampleCorpus()
    let ctm = try TextFile.lines(of: corpus.experimentPath.appending("data/phones.ctm"))
    var whole = ""
    for (_, line) in ctm where line.fields[2] == "0.0" {
      let isMixed = line.fields[0] == "test-0"
      whole += "\(line.fields[0]) 1 0 0.3 \(line.fields[4])\n"
      whole += "\(line.fields[0]) 1 0.3 0.3 \(isMixed ? "A" : line.fields[4])\n"
    }
    try corpus.folder.write(
      whole.replacing("SIL", with: "C").replacing("test-0 1 0 0.3 A", with: "test-0 1 0 0.3 B"),
      to: "exp/data/phones.ctm")
    let exp = corpus.experimentPath
    #expect(try limbeck("run", corpus.recipePath, exp).status == 0)
    let json = corpus.folder.file("score.json")
    let run = try limbeck(
      "score", exp.appending("models/student.safetensors"), exp.appending("features/test"),
      exp.appending("targets/test"), "--utterances", "--json", json)
    #expect(run.status == 65)
    #expect(
      run.errors.contains(
        "test-0, score: expected one label besides silence, as --utterances needs, found 2: A, B"))
    #expect(run.output.contains(" of 3 utterances, each decided among 3 labels\n"))
    let object =
      try JSONSerialization.jsonObject(
        with: Data(try TextFile.text(of: json).utf8)) as? [String: Any]
    let decisions = try #require(object?["decisions"] as? [String: Any])
    #expect((decisions["decisions"] as? [Any])?.count == 3)
    #expect(
      run.output.contains(
        "utterances     : \(String(format: "%.2f", 100 * (decisions["accuracy"] as? Double ?? -1))) %"
      ))
  }
}
