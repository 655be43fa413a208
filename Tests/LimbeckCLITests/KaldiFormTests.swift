import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("What Kaldi's users type")
struct KaldiFormTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("copy takes specifiers, standard output and several paths")
  func specifiers() throws {
    let text = try folder.write("u1 1 2 3\nu2 4 5\n", to: "a.txt")
    let out = try limbeck("copy", "ark:\(text)", "ark,t:-")
    #expect(out.status == 0)
    #expect(out.output == "u1 1 2 3 \nu2 4 5 \n")
    let (archive, script) = (folder.file("b.ark"), folder.file("c.scp"))
    #expect(try limbeck("copy", "ark:\(text)", "ark,scp:\(archive),\(script)").status == 0)
    let back = try limbeck("copy", "scp:\(script)", "-", "--text")
    #expect(back.output == out.output)
    for (input, output) in [
      ("ark,x:\(text)", "-"), ("ark:\(text)", "scp:\(script)"), ("ark:\(text)", "ark:| cat"),
      ("ark:\(text)", "ark,scp:\(archive)"), ("ark:\(text)", "ark:\(archive).gz"),
    ] { #expect(try limbeck("copy", input, output).status == 64, "\(input) \(output)") }
    let refused = try limbeck("copy", "ark:cat \(text) |", "-")
    #expect(refused.status == 65)
    #expect(refused.errors.contains("--allow-commands"))
    let ran = try limbeck("copy", "ark:cat \(text) |", "ark,t:-", "--allow-commands")
    #expect(ran.output == out.output)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path.string).sorted()
        == ["a.txt", "b.ark", "c.scp"])
  }

  @Test("posteriors of which some entries look like vectors stay posteriors")
  func posteriors() throws {
    let text = try folder.write("a [ 1 0.5 2 0.5 ] [ 3 1 ]\nb [ 4 1 ]\n", to: "post.txt")
    let archive = folder.file("post.ark")
    #expect(try limbeck("copy", text, archive).status == 0)
    let info = try limbeck("info", archive)
    #expect(info.status == 0)
    #expect(info.output.contains("posterior\nentries      2\nrows         3"))
    #expect(try limbeck("copy", archive, folder.file("again.txt"), "--text").status == 0)
  }

  @Test("info says what it saw of what it does not know")
  func unknown() throws {
    try FileManager.default.createDirectory(
      atPath: folder.file("empty").string, withIntermediateDirectories: true)
    let empty = try limbeck("info", folder.file("empty"))
    #expect(empty.status == 65)
    #expect(empty.errors.contains("found an empty folder"))
    let words = try folder.write("This is no archive\n", to: "words")
    let other = try limbeck("info", words)
    #expect(other.status == 65)
    #expect(other.errors.contains("text that begins with \"This is no archive"))
  }

  @Test("a negative number may stand behind a flag")
  func negative() throws {
    AudioFixture.write(generatedWaveform(count: 8000), to: folder.file("a.wav"))
    try folder.write("a \(folder.file("a.wav"))\n", to: "data/wav.scp")
    let run = try limbeck(
      "features", folder.file("data"), folder.file("out"), "--high-frequency", "-400")
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test("help of no verb is wrong usage; help that cannot be printed is a fault")
  func help() throws {
    #expect(try limbeck("help", "nosuch").status == 64)
    let process = program(["--help"])
    process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 74)
  }

  @Test("features and models of other origin are not replaced")
  func ownership() throws {
    AudioFixture.write(generatedWaveform(count: 8000), to: folder.file("a.wav"))
    try folder.write("a \(folder.file("a.wav"))\n", to: "data/wav.scp")
    try folder.write("mine", to: "out/feats.ark")
    let run = try limbeck("features", folder.file("data"), folder.file("out"))
    #expect(run.status == 65)
    #expect(run.errors.contains("feats.ark without the features.json that limbeck leaves"))
    #expect(
      try String(contentsOfFile: folder.file("out/feats.ark").string, encoding: .utf8) == "mine")
    let corpus = try SampleCorpus()
    try corpus.folder.write("mine", to: "exp/models/member-00.safetensors")
    #expect(try limbeck("run", corpus.recipePath, corpus.experimentPath).status == 65)
  }

  @Test("an experiment is the same for each spelling of its path, and when it was moved")
  func spellings() throws {
    let corpus = try SampleCorpus()
    #expect(try limbeck("run", corpus.recipePath, corpus.experimentPath).status == 0)
    for path in ["\(corpus.experimentPath)/", "\(corpus.folder.path)//./exp"] {
      let run = try limbeck("run", corpus.recipePath, path)
      #expect(run.status == 0)
      #expect(!run.errors.contains("epoch") && !run.errors.contains("GB"), "\(run.errors)")
    }
    let moved = corpus.folder.file("moved")
    try FileManager.default.moveItem(atPath: corpus.experimentPath.string, toPath: moved.string)
    let run = try limbeck("run", corpus.recipePath, moved)
    #expect(run.status == 0)
    #expect(!run.errors.contains("epoch"), "\(run.errors)")
    let script = try String(
      contentsOfFile: moved.appending("features/test/feats.scp").string, encoding: .utf8)
    #expect(script.contains(" \(moved)/features/test/feats.ark:"))
  }
}
