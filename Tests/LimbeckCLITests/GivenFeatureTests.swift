import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Features that another program has made")
struct GivenFeatureTests {
  private let corpus: SampleCorpus
  private var folder: TemporaryFolder { corpus.folder }

  init() throws { corpus = try SampleCorpus() }

  /// Makes the features of the corpus below `name`, as another program would.
  private func makeFeatures(_ name: String, _ flags: any Argument...) throws {
    for part in ["train", "development", "test"] {
      let run = try limbeck(
        ["features", "\(corpus.experimentPath)/data/\(part)", folder.file("\(name)/\(part)")]
          + ["--sample-rate", "8000", "--mel-bins", "10"] + flags)
      #expect(run.status == 0, "\(run.errors)")
    }
  }

  /// The recipe with features of archives.
  private func recipe(_ features: String) throws -> FilePath {
    let text = try String(contentsOfFile: corpus.recipePath.string, encoding: .utf8)
    let path = try folder.write(
      text.replacing("features: {sampleRate: 8000, melBins: 10}", with: "features: {\(features)}"),
      to: "given.yaml")
    return path
  }

  private func tables(_ name: String, _ file: String) -> String {
    ["train", "development", "test"].map { "\($0): ../\(name)/\($0)/\(file)" }
      .joined(separator: ", ")
  }

  /// The bytes of a model behind its header.
  private func tensors(_ path: FilePath) throws -> Data {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path.string))
    let header = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return Data(bytes.dropFirst(8 + header))
  }

  @Test("the frames of an archive train the networks that those of the audio train")
  func sameNetworks() throws {
    #expect(try limbeck("run", corpus.recipePath, corpus.experimentPath).status == 0)
    try makeFeatures("kaldi")
    // Neither audio nor counts of frames are there: Kaldi's own folders may lack them.
    for part in ["train", "development", "test"] {
      try FileManager.default.removeItem(atPath: folder.file("kaldi/\(part)/utt2num_frames").string)
      try folder.write("", to: "given/data/\(part)/empty")
    }
    try FileManager.default.copyItem(
      atPath: corpus.experimentPath.appending("data/phones.ctm").string,
      toPath: folder.file("given/data/phones.ctm").string)
    let path = try recipe("archive: {\(tables("kaldi", "feats.scp"))}, sampleRate: 8000")
    let run = try limbeck("run", path, folder.file("given"))
    #expect(run.status == 0, "\(run.errors)")
    for model in ["member-00", "member-01", "student", "baseline"] {
      #expect(
        try tensors(folder.file("given/models/\(model).safetensors"))
          == tensors(corpus.experimentPath.appending("models/\(model).safetensors")), "\(model)")
    }
    let again = try limbeck("run", path, folder.file("given"))
    #expect(again.errors.contains("features/train: fresh"))
    let info = try limbeck("info", folder.file("given/models/student.safetensors"))
    #expect(info.output.contains("given by another program, options unknown, columns 10"))
  }

  @Test("Kaldi's statistics normalise them as those of the audio")
  func statistics() throws {
    for part in ["train", "development", "test"] {
      let list = try String(
        contentsOfFile: "\(corpus.experimentPath)/data/\(part)/wav.scp", encoding: .utf8)
      let speakers = list.split(separator: "\n").map { line in
        let id = line.prefix { $0 != " " }
        return "\(id) speaker\(id.last.flatMap(\.wholeNumberValue).map { $0 % 2 } ?? 0)\n"
      }
      try folder.write(speakers.joined(), to: "exp/data/\(part)/utt2spk")
    }
    try makeFeatures("kaldi")
    try makeFeatures("normal", "--normalization", "speaker", "--deltas", "1")
    let path = try recipe(
      """
      archive: {\(tables("kaldi", "feats.ark"))}, cmvn: {\(tables("normal", "cmvn.scp"))}, sampleRate: 8000, \
      normalization: speaker, deltas: 1
      """)
    let run = try limbeck("run", path, corpus.experimentPath, "--until", "features")
    #expect(run.status == 0, "\(run.errors)")
    for part in ["train", "development", "test"] {
      #expect(
        FileManager.default.contentsEqual(
          atPath: "\(corpus.experimentPath)/features/\(part)/feats.ark",
          andPath: folder.file("normal/\(part)/feats.ark").string))
    }
  }

  @Test("what an archive lacks or cannot mean is named")
  func faults() throws {
    try makeFeatures("kaldi")
    let list = try String(
      contentsOfFile: folder.file("kaldi/train/feats.scp").string, encoding: .utf8)
    var lines = list.split(separator: "\n").map(String.init)
    lines.removeLast()
    lines[0] = "train-0 /nowhere/feats.ark:8"
    try folder.write(
      lines.joined(separator: "\n") + "\nstranger /nowhere/other.ark:8\n",
      to: "kaldi/train/feats.scp")
    let path = try recipe("archive: {\(tables("kaldi", "feats.scp"))}, sampleRate: 8000")
    let run = try limbeck("run", path, corpus.experimentPath, "--until", "features")
    #expect(run.status == 65)
    #expect(run.errors.contains("train-0, features: /nowhere/feats.ark: no such file"))
    #expect(run.errors.contains("train-7, features: "))
    #expect(run.errors.contains("expected its frames, found none"))
    #expect(run.errors.contains("not of an utterance of"))
    #expect(run.errors.contains("as stranger"))
    for (features, message) in [
      ("archive: {train: a, test: b}", "development"),
      (
        "archive: {\(tables("kaldi", "feats.scp"))}, melBins: 23", "unknown option features.melBins"
      ),
      (
        "archive: {\(tables("kaldi", "feats.scp"))}, cmvn: {\(tables("kaldi", "feats.scp"))}",
        "features.normalization: expected speaker or utterance"
      ),
      ("archive: {\(tables("nowhere", "feats.scp"))}", "no such file"),
    ] {
      let run = try limbeck("run", try recipe(features), corpus.experimentPath)
      #expect(run.status == 65 || run.status == 66, "\(run.errors)")
      #expect(run.errors.contains(message), "\(run.errors)")
    }
  }

  @Test("score takes an scp or an ark, packed or compressed, and says what is not known of it")
  func score() throws {
    #expect(try limbeck("run", corpus.recipePath, corpus.experimentPath).status == 0)
    let model = corpus.experimentPath.appending("models/student.safetensors")
    let targets = corpus.experimentPath.appending("targets/test")
    let features = corpus.experimentPath.appending("features/test")
    let expected = try limbeck("score", model, features, targets)
    let own = try limbeck("score", model, features.appending("feats.scp"), targets)
    #expect(own.output == expected.output)
    #expect(own.errors.isEmpty)
    let copy = folder.file("alone/feats.ark")
    try folder.write("", to: "alone/mark")
    #expect(try limbeck("copy", features.appending("feats.ark"), copy).status == 0)
    for table in ["\(copy)", "ark:\(copy)", "scp:\(folder.file("alone/feats.scp"))"] {
      let run = try limbeck("score", model, table, targets)
      #expect(run.status == 0)
      #expect(run.output == expected.output, "\(table)")
      #expect(run.errors.contains("only the number of its features is known, 10 in a frame"))
    }
    // An entry that cannot be read counts, whether it has targets or not.
    let broken = folder.file("alone/broken.scp")
    let list = try String(contentsOfFile: folder.file("alone/feats.scp").string, encoding: .utf8)
    try folder.write(list + "zzz /nowhere/feats.ark:4\n", to: "alone/broken.scp")
    let some = try limbeck("score", model, broken, targets)
    #expect(some.status == 65)
    #expect(some.errors.contains("zzz, features: /nowhere/feats.ark: no such file"))
    try makeFeatures("deltas", "--deltas", "1")
    let other = folder.file("alone/deltas.ark")
    #expect(try limbeck("copy", folder.file("deltas/test/feats.ark"), other).status == 0)
    let refused = try limbeck("score", model, other, targets)
    #expect(refused.status == 65)
    #expect(refused.errors.contains("10 columns, not 20"))
  }
}
