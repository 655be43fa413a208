import Classes
import Foundation
import KaldiIO
import Limbeck
import LinearAlgebra
import Models
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("limbeck posteriors")
struct PosteriorsCommandTests {
  let corpus: SampleCorpus
  var folder: TemporaryFolder { corpus.folder }
  var model: FilePath { corpus.experimentPath.appending("models/member-00.safetensors") }
  var data: FilePath { corpus.experimentPath.appending("data/test") }
  var features: FilePath { corpus.experimentPath.appending("features/test") }

  /// A corpus with a trained model.
  init() throws {
    corpus = try SampleCorpus()
    let run = try limbeck("run", corpus.recipePath, corpus.experimentPath, "--until", "train")
    #expect(run.status == 0, "\(run.errors)")
  }

  func bytes(_ path: FilePath) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path.string))
  }

  func text(_ path: FilePath) throws -> String {
    String(decoding: try bytes(path), as: UTF8.self)
  }

  func names(_ path: FilePath) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path.string).sorted()
  }

  /// Runs the command and returns the matrices of the folder that it wrote.
  func matrices(
    _ input: any Argument, _ name: String, _ options: any Argument...
  ) throws -> [(key: String, matrix: Matrix)] {
    let run = try limbeck(["posteriors", model, input, folder.file(name)] + options)
    #expect(run.status == 0, "\(run.errors)")
    return try Archive.readMatrices(folder.file("\(name)/posteriors.ark"))
  }

  /// The same with the kernels of this process, whose products have the same bits.
  private func matricesByOwnKernels(
    _ input: any Argument, _ name: String, _ options: any Argument...
  ) throws -> [(key: String, matrix: Matrix)] {
    let process = program(["posteriors", model, input, folder.file(name)] + options)
    process.environment = ProcessInfo.processInfo.environment
      .merging([BLASKernels.variable: BLASKernels.inUse]) { $1 }
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return try Archive.readMatrices(folder.file("\(name)/posteriors.ark"))
  }

  @Test("the values are the log-softmax of the logits, at any temperature and length")
  func logits() throws {
    // 25 s, so that the frames are read in several pieces.
    AudioFixture.write(
      generatedWaveform(count: 200_000), to: folder.file("long.wav"),
      sampleRate: SampleCorpus.sampleRate)
    let script = try text(data.appending("wav.scp"))
    try folder.write(script + "z-long \(folder.file("long.wav"))\n", to: "data/wav.scp")
    let made = try limbeck(
      "features", folder.file("data"), folder.file("features"), "--sample-rate", "8000",
      "--mel-bins", "10")
    #expect(made.status == 0, "\(made.errors)")
    let frames = try Archive.readMatrices(folder.file("features/feats.ark"))
    #expect(frames.count == 5 && frames.last?.matrix.rows ?? 0 > 2 * 1008)
    let acoustic = try AcousticModel(path: model)
    let library = try Model(path: model.string)
    for temperature in [1, 2.5] {
      let found = try matricesByOwnKernels(
        folder.file("data"), "out-\(temperature)", "--temperature", "\(temperature)")
      #expect(found.map(\.key) == frames.map(\.key))
      for ((key, values), (_, features)) in zip(found, frames) {
        let logits = acoustic.logits(of: features)
        var expected = logits
        expected.replaceRowsByLogSoftmax(temperature: Float(temperature))
        let isSame = values == expected
        #expect(isSame, "\(key)")
        let naive = logits.doubles.flatMap {
          Naive.softmax($0, temperature: temperature).map { log($0) }
        }
        // A few ulps of the logits and of their sum, both below 64.
        let problem = mismatch(values.values.map(Double.init), naive, absolute: 4e-5)
        #expect(problem == nil, "\(key): \(problem ?? "")")
        guard temperature == 1 else { continue }
        let posteriors = try library.posteriors(ofFeatures: features.values)
        let same = mismatch(values.values.map { exp($0) }, posteriors.values, absolute: 1e-5)
        #expect(same == nil, "\(key): \(same ?? "")")
      }
    }
    let description = try text(folder.file("out-2.5/posteriors.json"))
    for part in ["\"temperature\" : 2.5", "\"values\" : \"log posteriors\"", "member-00"] {
      #expect(description.contains(part), "\(description)")
    }
    for symbol in acoustic.classes.symbols { #expect(description.contains("\"\(symbol)\"")) }
    let info = try limbeck("info", folder.file("out-2.5"))
    #expect(info.output.contains("log posteriors, temperature 2.5"), "\(info.output)")
    #expect(info.output.contains("utterances   5, 0 skipped"), "\(info.output)")
  }

  @Test("audio, a data directory, features and tables give the same bytes, and so do any threads")
  func inputs() throws {
    _ = try matrices(data, "data", "--jobs", "1")
    let expected = try bytes(folder.file("data/posteriors.ark"))
    #expect(
      try names(folder.file("data")) == [
        "ledger.jsonl", "posteriors.ark", "posteriors.json", "posteriors.scp", "utt2num_frames",
      ])
    let (script, archive) = (features.appending("feats.scp"), features.appending("feats.ark"))
    for (name, input, jobs) in [
      ("again", data.string, "2"), ("folder", features.string, "2"),
      ("scp", "scp:\(script)", "1"), ("ark", "ark:\(archive)", "2"), ("path", "\(script)", "2"),
    ] {
      _ = try matrices(input, name, "--jobs", jobs)
      for file in ["posteriors.ark", "posteriors.json", "utt2num_frames"] {
        #expect(
          try bytes(folder.file("\(name)/\(file)")) == bytes(folder.file("data/\(file)")),
          "\(name)/\(file)")
      }
    }
    // Each recording by itself, in the archive's order.
    var joined = Data()
    for number in 0..<4 {
      let output = folder.file("one-\(number).ark")
      let run = try limbeck(
        "posteriors", model, folder.file("audio/test-\(number).wav"), "ark:\(output)")
      #expect(run.status == 0, "\(run.errors)")
      joined += try bytes(output)
    }
    #expect(joined == expected)
    #expect(!FileManager.default.fileExists(atPath: folder.file("one-0.scp").string))
  }

  @Test("archives: with an scp, in text, compressed, and from standard input to standard output")
  func outputs() throws {
    _ = try matrices(features, "whole")
    let expected = try bytes(folder.file("whole/posteriors.ark"))
    let (archive, script) = (folder.file("a.ark"), folder.file("b.scp"))
    #expect(
      try limbeck("posteriors", model, features, "ark,scp:\(archive),\(script)").status == 0)
    #expect(try bytes(archive) == expected)
    #expect(
      try text(script)
        == text(folder.file("whole/posteriors.scp"))
        .replacing("\(folder.file("whole/posteriors.ark"))", with: "\(archive)"))
    #expect(
      try limbeck("posteriors", model, features, "ark,t:\(folder.file("t"))").status == 0)
    #expect(try text(folder.file("t")).hasPrefix("test-0  [\n"))
    #expect(try limbeck("copy", "ark:\(folder.file("t"))", folder.file("t.ark")).status == 0)
    #expect(try bytes(folder.file("t.ark")) == expected)
    _ = try matrices(features, "cm2", "--compression", "cm2")
    #expect(
      try limbeck(
        "copy", folder.file("a.ark"), folder.file("cm2.ark"), "--compression", "cm2"
      ).status == 0)
    #expect(try bytes(folder.file("cm2.ark")) == bytes(folder.file("cm2/posteriors.ark")))
    #expect(try text(folder.file("cm2/posteriors.json")).contains("\"largestError\""))

    let command = "ark:cat \(features.appending("feats.ark")) |"
    let refused = try limbeck("posteriors", model, command, folder.file("c.ark"))
    #expect(refused.status == 65 && refused.errors.contains("--allow-commands"))
    let allowed = try limbeck(
      "posteriors", model, command, folder.file("c.ark"), "--allow-commands")
    #expect(allowed.status == 0, "\(allowed.errors)")
    #expect(try bytes(folder.file("c.ark")) == expected)

    let process = program(["posteriors", model, "-", "-"])
    process.standardInput = FileHandle(forReadingAtPath: features.appending("feats.ark").string)
    let output = Pipe()
    (process.standardOutput, process.standardError) = (output, FileHandle.nullDevice)
    try process.run()
    let piped = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(piped == expected)
  }

  @Test("log-likelihoods are posteriors minus priors, of the model or of given counts")
  func logLikelihoods() throws {
    let posteriors = try matrices(features, "posteriors")
    let likelihoods = try matrices(features, "likelihoods", "--log-likelihoods")
    let acoustic = try AcousticModel(path: model)
    let priors = try #require(acoustic.logPriors)
    #expect(likelihoods.map(\.key) == posteriors.map(\.key))
    for ((key, found), (_, own)) in zip(likelihoods, posteriors) {
      let expected = own.values.enumerated().map { $1 - priors[$0 % priors.count] }
      #expect(found.values == expected, "\(key)")
    }
    #expect(
      try text(folder.file("likelihoods/posteriors.json")).contains("\"log likelihoods\""))

    let counts = corpus.experimentPath.appending("targets/train/class_counts")
    _ = try matrices(features, "counts", "--log-likelihoods", "--priors", counts)
    #expect(
      try bytes(folder.file("counts/posteriors.ark"))
        == bytes(folder.file("likelihoods/posteriors.ark")))

    let bare = folder.file("bare.safetensors")
    try AcousticModel(
      network: acoustic.network, features: acoustic.features, normalizer: acoustic.normalizer,
      classes: acoustic.classes, provenance: acoustic.provenance
    ).write(to: bare)
    let refused = try limbeck(
      "posteriors", bare, features, folder.file("bare"), "--log-likelihoods")
    #expect(refused.status == 65)
    #expect(refused.errors.contains("classes.logPriors"), "\(refused.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("bare").string))
    let wrong = try folder.write(" [ 1 2 ]\n", to: "wrong")
    let others = try limbeck(
      "posteriors", bare, features, folder.file("bare"), "--log-likelihoods", "--priors", wrong)
    #expect(others.status == 65)
    #expect(others.errors.contains("expected the counts of 3 classes, found 2"), "\(others.errors)")
    let given = try limbeck(
      "posteriors", bare, features, "ark:\(folder.file("given.ark"))", "--log-likelihoods",
      "--priors", counts)
    #expect(given.status == 0, "\(given.errors)")
    #expect(
      try bytes(folder.file("given.ark")) == bytes(folder.file("likelihoods/posteriors.ark")))
  }
}
