import Classes
import Corpus
import Foundation
import KaldiIO
import Limbeck
import LinearAlgebra
import Models
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

@Suite("limbeck posteriors: ensembles, specialists, labels and streams")
struct LabelCommandTests {
  let corpus: SampleCorpus
  var folder: TemporaryFolder { corpus.folder }
  var experiment: FilePath { corpus.experimentPath }
  var model: FilePath { experiment.appending("models/student.safetensors") }
  var data: FilePath { experiment.appending("data/test") }
  var features: FilePath { experiment.appending("features/test") }

  /// A scored experiment with specialists, whose ensemble has a geometric mean.
  init() throws {
    corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe + """
        distillation: {temperature: 2, mean: geometric}
        specialists:
          clustering: {clusters: 2, size: 2}
          training: {epochs: 2, batchSize: 16, learningRate: 0.01}

        """, to: "recipe.yaml")
    let run = try limbeck("run", corpus.recipePath, corpus.experimentPath)
    #expect(run.status == 0, "\(run.errors)")
  }

  func text(_ path: FilePath) throws -> String { try TextFile.text(of: path) }

  func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }

  /// Runs the command, which must succeed.
  func posteriors(_ arguments: any Argument...) throws -> Run {
    let run = try limbeck(["posteriors"] + arguments)
    #expect(run.status == 0, "\(run.errors)")
    return run
  }

  /// The class ids of each utterance of a folder of targets.
  private func targets(_ path: FilePath) throws -> [String: [Int32]] {
    let archive = try IntegerArchive(path: path.appending("targets.ark"))
    return try Dictionary(
      uniqueKeysWithValues: archive.entries.map {
        ($0.key, try archive.read(0..<$0.count, of: $0))
      })
  }

  /// Makes frame targets of the test set from labels.
  private func targets(from labels: FilePath, _ format: String) throws -> [String: [Int32]] {
    let out = folder.file("targets-\(format)")
    let run = try limbeck(
      "targets", data, out, "--\(format)", labels, "--features", features, "--states", "1",
      "--classes", experiment.appending("targets/train/classes.txt"), "--length-tolerance", "0",
      "--longest-phone", "0")
    #expect(run.status == 0, "\(run.errors)")
    return try targets(out)
  }

  @Test("an ensemble and specialists classify as scores.json says")
  func accuracy() throws {
    let scores = try #require(
      try JSONSerialization.jsonObject(with: Data(text(experiment.appending("scores.json")).utf8))
        as? [String: Any])
    let systems = try #require(scores["systems"] as? [[String: Any]])
    let ensemble = try #require(systems.first { $0["system"] as? String == "ensemble" })
    let specialists = try #require(scores["specialists"] as? [String: Any])
    let whole = try #require((specialists["whole"] as? [[String: Any]])?.first)
    let truth = try targets(experiment.appending("targets/test"))
    for (option, score) in [
      ("--ensemble", ensemble["test"]), ("--specialists", whole["combined"]),
    ] {
      let out = folder.file("out\(option)")
      _ = try posteriors(option, experiment, features, out)
      let matrices = try Archive.readMatrices(out.appending("posteriors.ark"))
      let ctm = folder.file("out\(option).ctm")
      _ = try posteriors(option, experiment, data, ctm, "--labels", "ctm")
      let labels = try targets(from: ctm, "ctm")
      var (right, frames) = (0, 0)
      for (key, matrix) in matrices {
        let ids = matrix.largestColumns()
        #expect(labels[key] == ids, "\(option) \(key)")
        right += zip(ids, truth[key] ?? []).count { $0 == $1 }
        frames += ids.count
        for frame in 0..<matrix.rows {
          let sum = matrix.doubles[frame].reduce(0) { $0 + exp($1) }
          #expect(abs(sum - 1) < 1e-5)
        }
      }
      let expected = try #require((score as? [String: Any])?["accuracy"] as? Double)
      #expect(frames == 4 * 58 && abs(Double(right) / Double(frames) - expected) < 1e-12)
      let description = try text(out.appending("posteriors.json"))
      #expect(description.contains(option == "--ensemble" ? "geometric" : "specialists"))
    }
    let likelihoods = try limbeck(
      "posteriors", "--ensemble", experiment, features, folder.file("l.ark"), "--log-likelihoods")
    #expect(likelihoods.status == 0, "\(likelihoods.errors)")

    let bare = folder.file("bare")
    let unscored = try limbeck("posteriors", "--ensemble", bare, features, folder.file("n.ark"))
    #expect(unscored.status == 66 && unscored.errors.contains("bare/recipe.yaml: no such file"))
    try folder.write(
      try text(corpus.recipePath).split(separator: "specialists:")[0].description,
      to: "bare/recipe.yaml")
    let without = try limbeck("posteriors", "--specialists", bare, features, folder.file("n.ark"))
    #expect(without.status == 65 && without.errors.contains("a recipe with specialists"))
    #expect(!exists(folder.file("n.ark")))
  }

  @Test("labels as CTM and TextGrids give the most probable classes back, frame by frame")
  func labels() throws {
    _ = try posteriors(model, features, folder.file("whole"))
    let matrices = try Archive.readMatrices(folder.file("whole/posteriors.ark"))
    let expected = Dictionary(
      uniqueKeysWithValues: matrices.map { ($0.key, $0.matrix.largestColumns()) })
    let (ctm, grids) = (folder.file("a.ctm"), folder.file("grids"))
    _ = try posteriors(model, data, ctm, "--labels", "ctm", "--jobs", "2")
    _ = try posteriors(model, features, grids, "--labels", "textgrid")
    #expect(try targets(from: ctm, "ctm") == expected)
    #expect(try targets(from: grids, "textgrid") == expected)

    let printed = try posteriors(model, features, "-", "--labels", "ctm", "--jobs", "1")
    #expect(printed.output == (try text(ctm)))
    let own = try posteriors(model, folder.file("audio/test-2.wav"), "-", "--labels", "textgrid")
    #expect(own.output == (try text(grids.appending("test-2.TextGrid"))))
    let several = try limbeck("posteriors", model, data, "-", "--labels", "textgrid")
    #expect(several.status == 65 && several.errors.contains("expected one utterance"))

    let info = try limbeck("info", grids)
    #expect(info.output.contains("values       labels, temperature 1.0"), "\(info.output)")
    // A second run leaves nothing of utterances that are gone.
    _ = try posteriors(model, folder.file("audio/test-2.wav"), grids, "--labels", "textgrid")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: grids.string).sorted()
        == ["ledger.jsonl", "posteriors.json", "test-2.TextGrid"])
    let others: [(FilePath, [any Argument])] = [
      (grids, []), (folder.file("whole"), ["--labels", "textgrid"]),
    ]
    for (out, options) in others {
      let other = try limbeck(["posteriors", model, features, out] + options)
      #expect(other.status == 65 && other.errors.contains("name another folder"))
    }
    try folder.write("", to: "theirs/test-0.TextGrid")
    let theirs = try limbeck(
      "posteriors", model, features, folder.file("theirs"), "--labels", "textgrid")
    #expect(theirs.status == 65 && theirs.errors.contains("test-0.TextGrid without"))
    #expect(try text(folder.file("theirs/test-0.TextGrid")).isEmpty)
  }

  @Test("labels of what can be read are written, and nothing when nothing can")
  func skipped() throws {
    let script = try text(data.appending("wav.scp"))
    try folder.write(
      script.replacing("\(folder.file("audio/test-1.wav"))", with: "/nowhere/1.wav"),
      to: "data/wav.scp")
    let some = try limbeck(
      "posteriors", model, folder.file("data"), folder.file("some.ctm"), "--labels", "ctm")
    #expect(some.status == 65 && some.errors.contains("1 of 4 utterances skipped"))
    let names = Set(try text(folder.file("some.ctm")).split(separator: "\n").map { $0.prefix(6) })
    #expect(names == ["test-0", "test-2", "test-3"])
    try folder.write("a /nowhere/1.wav\n", to: "none/wav.scp")
    let none = try limbeck(
      "posteriors", model, folder.file("none"), folder.file("none.ctm"), "--labels", "ctm")
    #expect(none.status == 65 && none.errors.contains("/nowhere/1.wav"))
    #expect(!exists(folder.file("none.ctm")) && !exists(folder.file("none.ctm.part")))

    let acoustic = try AcousticModel(path: model)
    try AcousticModel(
      network: acoustic.network, features: acoustic.features, normalizer: acoustic.normalizer,
      classes: .init(symbols: ["A", "two words", "SIL"]), provenance: acoustic.provenance
    ).write(to: folder.file("blanks.safetensors"))
    let blanks = try limbeck(
      "posteriors", folder.file("blanks.safetensors"), features, folder.file("n.ctm"), "--labels",
      "ctm")
    #expect(blanks.status == 65 && blanks.errors.contains("\"two words\""), "\(blanks.errors)")
    #expect(!exists(folder.file("n.ctm")))
  }

  @Test("the README's line for one recording prints its labels")
  func oneRecording() throws {
    let run = try posteriors(model, folder.file("audio/test-0.wav"), "-", "--labels", "ctm")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count >= 2 && lines.allSatisfy { $0.hasPrefix("test-0 1 ") }, "\(run.output)")
  }
}
