import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("limbeck features and limbeck copy")
struct FeatureCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A data directory of six recordings of growing length, two a speaker.
  private func corpus() throws -> FilePath {
    var (script, speakers) = ("", "")
    for number in 0..<6 {
      let path = folder.file("\(number).wav")
      AudioFixture.write(
        Array(generatedWaveform(count: 4000 + 2000 * number).suffix(3000 + 1500 * number)), to: path
      )
      script += "u\(number) \(path)\n"
      speakers += "u\(number) s\(number / 2)\n"
    }
    try folder.write(script, to: "data/wav.scp")
    try folder.write(speakers, to: "data/utt2spk")
    return folder.file("data")
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.file(path).string))
  }

  @Test("options come from a file, and flags go before it; an impossible one names both")
  func options() throws {
    let data = try corpus()
    let config = try folder.write("melBins: 23\nwindow: hamming\n", to: "o.yaml")
    let run = try limbeck(
      "features", data, folder.file("out"), "--config", config, "--mel-bins", "30", "--snip-edges",
      "false")
    #expect(run.status == 0)
    let description = String(decoding: try bytes("out/features.json"), as: UTF8.self)
    for part in ["\"melBins\" : 30", "\"window\" : \"hamming\"", "\"snipEdges\" : false"] {
      #expect(description.contains(part))
    }
    let bad = try limbeck("features", data, folder.file("out"), "--low-frequency", "9000")
    #expect(bad.status == 65)
    #expect(bad.errors.contains("lowFrequency") && bad.errors.contains("highFrequency"))
    try folder.write("# Kaldi's defaults\n", to: "o.yaml")
    #expect(try limbeck("features", data, folder.file("out"), "--config", config).status == 0)
    try folder.write("window: Hamming\n", to: "o.yaml")
    let window = try limbeck("features", data, folder.file("out"), "--config", config)
    #expect(window.status == 65)
    #expect(window.errors.contains("window: expected povey, hann, hamming, blackman, sine"))
  }

  @Test("a data directory is no place for features, and utterances without speaker are named")
  func speakers() throws {
    let data = try corpus()
    let speakers = String(decoding: try bytes("data/utt2spk"), as: UTF8.self)
    let inPlace = try limbeck("features", data, data)
    #expect(inPlace.status == 64 && inPlace.errors.contains("whose lists would be overwritten"))
    #expect(String(decoding: try bytes("data/utt2spk"), as: UTF8.self) == speakers)
    try folder.write(speakers.replacing("u3 s1\n", with: ""), to: "data/utt2spk")
    let run = try limbeck("features", data, folder.file("out"))
    #expect(run.status == 0)
    #expect(run.errors.contains("found none for 1 of 6, such as u3"), "\(run.errors)")
  }

  @Test("killed and started again, it goes on, and the files are those of a run left alone")
  func resumed() throws {
    let data = try corpus()
    let script = String(decoding: try bytes("data/wav.scp"), as: UTF8.self)
      .replacing("u3 \(folder.file("3.wav"))", with: "u3 cat \(folder.file("gate")) |")
    try folder.write(script, to: "data/wav.scp")
    let options: [any Argument] = [
      "--allow-commands", "--normalization", "speaker", "--deltas", "2",
    ]
    let whole = try bytes("3.wav")

    // The fourth recording comes from a pipe that nobody writes to: the run stops there.
    let gate = folder.file("gate")
    let made = unsafe gate.withPlatformString { unsafe mkfifo($0, 0o600) }
    #expect(made == 0)
    let out = folder.file("killed")
    let killed = program(["features", data, out, "--jobs", "1"] + options)
    killed.standardError = Pipe()
    try killed.run()
    let journal = URL(fileURLWithPath: out.appending("logmel.ark.journal.part").string)
    while (try? Data(contentsOf: journal))?.split(separator: UInt8(ascii: "\n")).count != 4 {
      usleep(10_000)
    }
    kill(killed.processIdentifier, SIGKILL)
    killed.waitUntilExit()
    // The command goes too, before the pipe becomes a file.
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: gate.string))
    try handle.close()
    #expect(!FileManager.default.fileExists(atPath: out.appending("features.json").string))
    #expect(!FileManager.default.fileExists(atPath: out.appending("feats.ark").string))
    try FileManager.default.removeItem(atPath: gate.string)
    try folder.write(whole, to: "gate")

    let again = try limbeck(["features", data, out, "--jobs", "2"] + options)
    #expect(again.status == 0)
    #expect(again.errors.contains("resuming after 3 utterances"))
    #expect(
      try limbeck(["features", data, folder.file("whole"), "--jobs", "1"] + options).status == 0)
    for file in ["feats.ark", "utt2num_frames", "features.json", "ledger.jsonl", "cmvn.ark"] {
      #expect(try bytes("killed/\(file)") == bytes("whole/\(file)"))
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: out.string).sorted() == [
        "cmvn.ark", "cmvn.scp", "feats.ark", "feats.scp", "features.json", "ledger.jsonl",
        "utt2num_frames", "utt2spk",
      ])
  }

  @Test("given statistics normalise as gathered ones, and unknown speakers are skipped")
  func statistics() throws {
    let data = try corpus()
    for normalization in ["utterance", "speaker", "global"] {
      let (own, given) = (folder.file("own-\(normalization)"), folder.file("given"))
      #expect(
        try limbeck("features", data, own, "--normalization", normalization).status == 0)
      #expect(
        try limbeck(
          "features", data, given, "--normalization", normalization, "--cmvn-stats",
          own.appending("cmvn.scp")
        ).status == 0)
      #expect(try bytes("given/feats.ark") == bytes("own-\(normalization)/feats.ark"))
    }
    try folder.write("u0 s0\nu1 s0\n", to: "data/utt2spk")
    let run = try limbeck("features", data, folder.file("out"), "--normalization", "speaker")
    #expect(run.status == 65)
    let ledger = String(decoding: try bytes("out/ledger.jsonl"), as: UTF8.self)
    #expect(ledger.split(separator: "\n").count == 6)
    #expect(ledger.split(separator: "\n").count { $0.contains("\"reason\"") } == 4)
    #expect(ledger.contains("utt2spk: expected its speaker, found none"))
    #expect(
      String(decoding: try bytes("out/utt2num_frames"), as: UTF8.self)
        .split(separator: "\n").count == 2)
  }

  @Test("archives in fewer bits and in text hold the same features; copy turns them round")
  func forms() throws {
    let data = try corpus()
    #expect(try limbeck("features", data, folder.file("whole")).status == 0)
    #expect(try limbeck("features", data, folder.file("text"), "--text").status == 0)
    #expect(
      try limbeck("features", data, folder.file("cm2"), "--compression", "cm2").status == 0)
    #expect(
      String(decoding: try bytes("cm2/features.json"), as: UTF8.self).contains("\"largestError\""))
    #expect(
      try limbeck("copy", folder.file("text/feats.ark"), folder.file("binary.ark")).status == 0)
    #expect(try bytes("binary.ark") == bytes("whole/feats.ark"))
    #expect(
      try limbeck(
        "copy", folder.file("whole/feats.scp"), folder.file("again.ark"), "--compression", "cm2"
      )
      .status == 0)
    #expect(try bytes("again.ark") == bytes("cm2/feats.ark"))
    let script = try folder.write(
      "u0 cat \(folder.file("whole/feats.ark")) |\n", to: "command.scp")
    let refused = try limbeck("copy", script, folder.file("c.ark"))
    #expect(refused.status == 65)
    #expect(refused.errors.contains("--allow-commands"))
    #expect(!FileManager.default.fileExists(atPath: folder.file("c.ark").string))
    let recordings = try limbeck("copy", folder.file("whole/feats.ark"), data.appending("wav.ark"))
    #expect(recordings.status == 64 && recordings.errors.contains("whose scp is not wav.scp"))
  }

  @Test("every kind of broken line and file is named, and the rest is done")
  func broken() throws {
    // Without the speakers of utterances that are not in this list.
    try FileManager.default.removeItem(atPath: try corpus().appending("utt2spk").string)
    AudioFixture.write([], to: folder.file("empty.wav"))
    AudioFixture.write(
      [0, .nan] + generatedWaveform(count: 3000), to: folder.file("nan.wav"),
      format: AudioFixture.float)
    AudioFixture.write(
      generatedWaveform(count: 9600), to: folder.file("96k.wav"), sampleRate: 96000)
    AudioFixture.write(generatedWaveform(count: 6000), to: folder.file("6.wav"), channels: 6)
    AudioFixture.write(generatedWaveform(count: 300), to: folder.file("short.wav"))
    let whole = try bytes("5.wav")
    try folder.write(whole.prefix(whole.count / 2), to: "cut.wav")
    var script = "z \(folder.file("5.wav"))\r\n"
    for name in [
      "empty.wav", "nan.wav", "96k.wav", "6.wav", "short.wav", "cut.wav", "none.wav", "data",
    ] {
      script += "\(name) \(folder.file(name))\n"
    }
    script += "twice \(folder.file("1.wav"))\ntwice \(folder.file("2.wav"))\npath-missing\n"
    script += "run echo |\n"
    try folder.write(
      Data(script.utf8) + Data("latin caf".utf8) + [0xE9]
        + Data("\na \(folder.file("4.wav"))".utf8),
      to: "data/wav.scp")
    let run = try limbeck(
      "features", folder.file("data"), folder.file("out"), "--sample-rate", "16000")
    #expect(run.status == 65)
    #expect(run.errors.contains("12 of 14 utterances skipped"))
    let ledger = String(decoding: try bytes("out/ledger.jsonl"), as: UTF8.self)
    for (id, reason) in [
      ("empty.wav", "holds no samples"), ("nan.wav", "at sample 1"), ("96k.wav", "found 96000 Hz"),
      ("6.wav", "found 6"), ("short.wav", "found 300 samples"), ("cut.wav", "cut short"),
      ("none.wav", "no such file"), ("data", "it is a folder"), ("twice", "each key once"),
      ("path-missing", "a recording and its path"), ("run", "a command"), ("latin", "UTF-8"),
    ] {
      let line = ledger.split(separator: "\n").first { $0.contains("\"utterance\":\"\(id)\"") }
      #expect(line?.contains(reason) == true, "\(id): \(line ?? "no line")")
    }
    #expect(
      String(decoding: try bytes("out/utt2num_frames"), as: UTF8.self)
        .split(separator: "\n").map { $0.prefix { $0 != " " } } == ["a", "z"])
  }
}
