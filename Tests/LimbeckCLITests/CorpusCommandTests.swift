import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("limbeck validate and limbeck targets")
struct CorpusCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    AudioFixture.write(generatedWaveform(count: 16000), to: folder.file("a.wav"))
    try folder.write("a \(folder.file("a.wav"))\n", to: "data/wav.scp")
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder.file(name).string, encoding: .utf8)
  }

  @Test("validate names every fault, counts them, and exits with 65 when one is an error")
  func validate() throws {
    let data = folder.file("data")
    let warned = try limbeck("validate", data)
    #expect(warned.status == 0)
    #expect(
      warned.output == """
        \(data)/utt2spk: warning: no such file
        \(data)/spk2utt: warning: no such file
        \(data)/text: warning: no such file
        \(data): 1 utterance, 1 recording, 1.0 s of audio at 16000 Hz; 0 errors, 3 warnings

        """)
    try folder.write("a \(folder.file("a.wav"))\nb none.wav\nc\n", to: "data/wav.scp")
    try folder.write("a one\nd two\n", to: "data/text")
    let bad = try limbeck("validate", data, "--jobs", "2")
    #expect(bad.status == 65)
    #expect(bad.output.contains("\(data)/wav.scp:3: error: c: expected a recording and its path"))
    #expect(bad.output.contains("\(data)/wav.scp:2: error: b: none.wav: no such file\n"))
    #expect(bad.output.contains("\(data)/text:2: error: d: "))
    #expect(bad.output.hasSuffix("; 5 errors, 2 warnings\n"))
    let json = try limbeck("validate", data, "--json", "--no-audio")
    #expect(json.status == 65)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(report["errors"] as? Int == 4)
    let findings = try #require(report["findings"] as? [[String: Any]])
    #expect(findings.contains { $0["line"] as? Int == 3 && $0["check"] as? String == "form" })
    #expect(try limbeck("validate", folder.file("none")).status == 66)
  }

  @Test(
    "of several directories one that is not there leaves the others checked, and held against each other"
  )
  func severalDirectories() throws {
    AudioFixture.write(generatedWaveform(count: 16000), to: folder.file("copy.wav"))
    try folder.write("b \(folder.file("copy.wav"))\n", to: "other/wav.scp")
    let paths: [any Argument] = ["data", "none", "other"].map { folder.file($0) }
    let run = try limbeck(["validate"] + paths)
    #expect(run.status == 66)
    #expect(run.errors == "limbeck: \(paths[1]): no such file\n")
    #expect(run.output.contains("\(paths[0]): 1 utterance,"))
    #expect(run.output.contains("\(paths[2]): 1 utterance,"))
    #expect(
      run.output.hasSuffix(
        "warning: \(paths[0]) and \(paths[2]) share 1 recordings, for example a\n"))
    let json = try limbeck(["validate", "--json"] + paths)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect((report["directories"] as? [Any])?.count == 2)
    #expect((report["overlaps"] as? [String])?.count == 1)
  }

  @Test("what does not show in a name is printed by its code")
  func hiddenCharacters() throws {
    let path = folder.file("a.wav")
    try folder.write("a\u{A0}b \(path)\nc\u{1B}[31m \(path)\nd \(path)\u{0}e\n", to: "data/wav.scp")
    try folder.write("a\u{A0}b one\u{3000}two\nc\u{1B}[31m one\nd one\n", to: "data/text")
    let run = try limbeck("validate", folder.file("data"))
    #expect(run.status == 65)
    #expect(!run.output.contains("\u{1B}") && !run.output.contains("\u{A0}"))
    #expect(
      run.output.contains("wav.scp:1: warning: a<U+00A0>b: expected an id of visible characters"))
    #expect(run.output.contains("wav.scp:2: error: c<U+001B>[31m: expected an id"))
    #expect(run.output.contains("wav.scp:3: error: d: expected text, found a NUL"))
    #expect(
      run.output.contains("text:1: warning: a<U+00A0>b: expected words of visible characters"))
    #expect(run.output.contains("IDEOGRAPHIC SPACE (U+3000)"))
    let features = try limbeck("features", folder.file("data"), folder.file("out"))
    #expect(features.status == 65)
    #expect(features.errors.contains("warning: d, data: "))
    #expect(!features.errors.contains("\u{0}"))
  }

  @Test("one alignment in every format gives the same targets")
  func formats() throws {
    try folder.write("a 1 0 0.31 sil\na 1 0.31 0.4 b\na 1 0.71 0.29 aa\n", to: "a.ctm")
    try folder.write("0 4960 sil\n4960 11360 b\n11360 16000 aa\n", to: "phn/a.PHN")
    let lab = "0 3100000 sil\n3100000 7100000 b\n7100000 10000000 aa\n"
    try folder.write(lab, to: "lab/a.lab")
    try folder.write("#!MLF!#\n\"*/a.lab\"\n\(lab).\n", to: "a.mlf")
    try folder.write("0\t0.31\tsil\n0.31\t0.71\tb\n0.71\t1\taa\n", to: "audacity/a.txt")
    try folder.write(
      """
      File type = "ooTextFile"
      Object class = "TextGrid"

      0 1 <exists> 2
      "IntervalTier" "phones" 0 1 3
      0 0.31 "sil" 0.31 0.71 "b" 0.71 1 "aa"
      "TextTier" "onsets" 0 1 3 0 "sil" 0.31 "b" 0.71 "aa"
      """, to: "grids/a.TextGrid")
    // Frames of 25 ms every 10 ms: centres at 12.5 ms and on; 30 lie before 0.31 s, 70 before 0.71 s.
    try folder.write(
      "a "
        + [(30, 1), (40, 2), (28, 3)].map { count, id in
          Array(repeating: "\(id)", count: count).joined(separator: " ")
        }.joined(separator: " ") + "\n", to: "a.ali")
    try folder.write("sil 1\nb 2\naa 3\n", to: "phones.txt")
    let sources = [
      ["--ctm", "a.ctm"], ["--phn", "phn"], ["--lab", "lab"], ["--mlf", "a.mlf"],
      ["--audacity", "audacity"], ["--textgrid", "grids"],
      ["--textgrid", "grids", "--tier", "onsets"],
    ]
    var results: Set<Data> = []
    for source in sources {
      let places = ["data", "out", source[1]].map { folder.file($0).string }
      let run = try limbeck(
        ["targets", places[0], places[1], source[0], places[2]] + source.dropFirst(2))
      #expect(run.status == 0, "\(source): \(run.errors)")
      #expect(run.errors.contains("3 states of equal time for each label"))
      results.insert(
        try Data(contentsOf: URL(fileURLWithPath: folder.file("out/targets.ark").string)))
      #expect(
        try text("out/classes.txt")
          == "aa_1 0\naa_2 1\naa_3 2\nb_1 3\nb_2 4\nb_3 5\nsil_1 6\nsil_2 7\nsil_3 8\n")
    }
    #expect(results.count == 1)

    let byFrame = try limbeck(
      "targets", folder.file("data"), folder.file("out"), "--ark", folder.file("a.ali"),
      "--symbols", folder.file("phones.txt"))
    #expect(byFrame.status == 0)
    #expect(try text("out/classes.txt") == "sil 0\nb 1\naa 2\n")
    #expect(try text("out/class_counts") == " [ 30 40 28 ]\n")
    let whole = try limbeck(
      "targets", folder.file("data"), folder.file("out"), "--ctm", folder.file("a.ctm"),
      "--states", "1", "--classes", folder.file("out/classes.txt"))
    #expect(whole.status == 0)
    #expect(try text("out/class_counts") == " [ 30 40 28 ]\n")
    #expect(try text("out/ledger.jsonl").contains("\"framesIn\":98,\"framesOut\":98,\"labels\":99"))
  }

  @Test("OUT may not be a folder whose ledger would be overwritten; a full device is 74")
  func outputs() throws {
    try folder.write("a 1 0 1 A\n", to: "a.ctm")
    let (data, ctm) = (folder.file("data"), folder.file("a.ctm"))
    let refused = try limbeck("targets", data, data, "--ctm", ctm)
    #expect(refused.status == 64)
    #expect(refused.errors.contains("data/wav.scp, whose ledger would be overwritten"))
    #expect(!FileManager.default.fileExists(atPath: data.appending("targets.ark").string))
    try folder.write("{}", to: "targets/targets.json")
    let others = try limbeck("features", data, folder.file("targets"))
    #expect(others.status == 64)
    #expect(others.errors.contains("targets/targets.json, whose lists would be overwritten"))
    try folder.write("a some.ark:3[0:1]\n", to: "own.scp")
    #expect(try limbeck("copy", folder.file("own.scp"), folder.file("own.ark")).status == 64)
    #expect(try text("own.scp") == "a some.ark:3[0:1]\n")

    let full = FileHandle(forWritingAtPath: "/dev/full")
    let validate = program(["validate", data])
    (validate.standardOutput, validate.standardError) = (full, FileHandle.nullDevice)
    let targets = program(["targets", data, folder.file("out"), "--ctm", ctm])
    (targets.standardOutput, targets.standardError) = (FileHandle.nullDevice, full)
    for process in [validate, targets] {
      try process.run()
      process.waitUntilExit()
    }
    #expect(validate.terminationStatus == 74)
    #expect(targets.terminationStatus == 0)
  }

  @Test("segments of two channels of one recording have features of their own")
  func channels() throws {
    let noise = generatedWaveform(count: 8000)
    AudioFixture.write(noise.flatMap { [$0, 0] }, to: folder.file("two.wav"), channels: 2)
    try folder.write("r \(folder.file("two.wav"))\n", to: "two/wav.scp")
    try folder.write("a r 0 0.5 0\nb r 0 0.5 1\n", to: "two/segments")
    #expect(try limbeck("features", folder.file("two"), folder.file("feats"), "--text").status == 0)
    let text = try text("feats/feats.ark")
    let parts = text.split(separator: "]")
    #expect(parts.count == 3 && parts[0].dropFirst() != parts[1].dropFirst(2))
    // Silence has the floor in every band.
    #expect(Set(parts[1].split(separator: " ").dropFirst(3)).count < 3)
  }

  @Test("alignments that do not fit are skipped with their reasons, and their lengths are counted")
  func lengths() throws {
    try folder.write(
      "a \(folder.file("a.wav"))\nb \(folder.file("a.wav"))\nc \(folder.file("a.wav"))\n",
      to: "data/wav.scp")
    try folder.write("a 1 0 0.97 A\nb 1 0 1.5 A\nc 1 0 0.5 A\nc 1 0.4 0.6 B\n", to: "a.ctm")
    let arguments: [any Argument] = [
      "targets", folder.file("data"), folder.file("out"), "--ctm", folder.file("a.ctm"),
    ]
    let run = try limbeck(arguments)
    #expect(run.status == 65)
    #expect(
      run.errors.contains(
        "labels minus frames, with the number of utterances: -2: 1, more than +10: 1;"))
    #expect(run.errors.contains("differences up to 3 are cut or repeated"))
    #expect(run.errors.contains("3 of 6 classes without a frame; see "))
    #expect(
      run.errors.contains(
        "warning: b, targets: 149 labels for 98 frames, a difference of more than 3"))
    #expect(run.errors.contains("found one at 0.4 s, before the previous one ends at 0.5 s"))
    #expect(try limbeck(arguments + ["--length-tolerance", "1"]).errors.contains("a, targets: "))
  }
}
