import Corpus
import Foundation
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("The check of a data directory")
struct DataValidationTests {
  private let folder: TemporaryFolder

  /// A data directory without fault: two speakers with two utterances of half a second each.
  init() throws {
    folder = try TemporaryFolder()
    let ids = ["s1-a", "s1-b", "s2-a", "s2-b"]
    for id in ids {
      AudioFixture.write(generatedWaveform(count: 8000), to: folder.file("\(id).wav"))
    }
    func list(_ value: (String) -> String) -> String { ids.map { "\($0) \(value($0))\n" }.joined() }
    try folder.write(list { "\(folder.file($0)).wav" }, to: "data/wav.scp")
    try folder.write(list { String($0.prefix(2)) }, to: "data/utt2spk")
    try folder.write("s1 s1-a s1-b\ns2 s2-a s2-b\n", to: "data/spk2utt")
    try folder.write(list { _ in "some words" }, to: "data/text")
    try folder.write(list { _ in "0.5" }, to: "data/utt2dur")
    try folder.write("s1 f\ns2 m\n", to: "data/spk2gender")
  }

  private func report(
    audio: Workers? = .one, channel: Int? = nil, commands: CommandPolicy = .refused
  ) throws -> ValidationReport {
    try DataValidation(
      path: folder.file("data"), root: nil, commands: commands, channel: channel
    ).run(audio: audio)
  }

  /// `FILE:LINE SEVERITY CHECK ID` of each finding.
  private func findings(_ report: ValidationReport) -> [String] {
    report.findings.map { finding in
      let name = finding.file.dropFirst(folder.file("data").length + 1)
      return
        "\(name)\(finding.line.map { ":\($0)" } ?? "") \(finding.severity) \(finding.check)"
        + (finding.id.map { " \($0)" } ?? "")
    }
  }

  private func findings(_ name: String, _ text: String) throws -> [String] {
    try folder.write(text, to: "data/\(name)")
    return findings(try report(audio: nil))
  }

  @Test("a directory without fault has none, and is counted")
  func clean() throws {
    for workers in [Workers.one, Workers(count: 2)] {
      let report = try report(audio: workers)
      #expect(findings(report) == [])
      #expect(report.utterances == 4 && report.recordings == 4 && report.speakers == 2)
      #expect(report.seconds == 2)
      #expect(
        report.summary
          == "\(folder.file("data")): 4 utterances, 4 recordings, 2 speakers, 2.0 s of audio at 16000 Hz; "
          + "0 errors, 0 warnings")
    }
  }

  @Test("files that are not there, or hold nothing")
  func presence() throws {
    #expect(throws: FileFault.missing(path: folder.file("none"))) {
      try DataValidation(path: folder.file("none"), root: nil, commands: .refused, channel: nil)
        .run(audio: nil)
    }
    for name in ["utt2spk", "spk2utt", "text", "utt2dur", "spk2gender"] {
      try FileManager.default.removeItem(atPath: folder.file("data/\(name)").string)
    }
    #expect(
      findings(try report()) == [
        "utt2spk warning presence", "spk2utt warning presence", "text warning presence",
      ])
    #expect(
      try findings("utt2dur", "").last == "utt2dur error presence")
    try FileManager.default.removeItem(atPath: folder.file("data/wav.scp").string)
    #expect(findings(try report()).first == "wav.scp error presence")
  }

  @Test("ids of the same letters in other bytes are told in every file that has them")
  func spellings() throws {
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    for name in ["utt2dur", "spk2gender"] {
      try FileManager.default.removeItem(atPath: folder.file("data/\(name)").string)
    }
    try folder.write("\(composed) \(folder.file("s1-a.wav"))\n", to: "data/wav.scp")
    try folder.write("a \(decomposed) 0 0.2\nb \(composed) 0.2 0.4\n", to: "data/segments")
    try folder.write("a one\nb two\n", to: "data/text")
    try folder.write("a \(composed)\nb \(decomposed)\n", to: "data/utt2spk")
    try folder.write("\(composed) a b\n", to: "data/spk2utt")
    let found = try report(audio: nil).findings.filter { $0.message.contains("NFC and NFD") }
    #expect(found.contains { $0.file.hasSuffix("segments") && $0.line == 1 })
    #expect(
      found.contains { $0.file.hasSuffix("segments") && $0.message.hasSuffix("another recording") })
    #expect(found.contains { $0.file.hasSuffix("utt2spk") && $0.line == 2 && $0.id == "b" })
    try folder.write("\(decomposed) \(folder.file("s1-a.wav"))\n", to: "data/wav.scp")
    try FileManager.default.removeItem(atPath: folder.file("data/segments").string)
    for name in ["text", "utt2spk"] { try folder.write("\(decomposed) s\n", to: "data/\(name)") }
    try folder.write("s \(composed)\n", to: "data/spk2utt")
    let others = try report(audio: nil).findings.filter { $0.message.contains("NFC and NFD") }
    #expect(others.map(\.file) == [folder.file("data/spk2utt").string])
    #expect(others.first?.message.hasSuffix("another utterance") == true)
  }

  @Test("lines of another form, keys that stand twice, values that cannot be")
  func lines() throws {
    #expect(
      try findings("utt2dur", "s1-a 0.5\ns1-b 0\ns2-a half\ns2-b -1\n") == [
        "utt2dur:2 error form s1-b", "utt2dur:3 error form s2-a", "utt2dur:4 error form s2-b",
      ])
    try FileManager.default.removeItem(atPath: folder.file("data/utt2dur").string)
    #expect(
      try findings("spk2gender", "s1 female\ns2 m\ns2 m\n") == [
        "spk2gender:1 error form s1", "spk2gender:3 error duplicate s2",
      ])
    try FileManager.default.removeItem(atPath: folder.file("data/spk2gender").string)
    for (name, good, bad) in [
      ("utt2num_frames", "48", "48.5"), ("utt2warp", "1.1", "1.5"), ("utt2lang", "en", "en de"),
    ] {
      #expect(
        try findings(name, "s1-a \(good)\ns1-b \(bad)\ns2-a \(good)\ns2-b\n") == [
          "\(name):2 error form s1-b", "\(name):4 error form s2-b",
        ])
      try FileManager.default.removeItem(atPath: folder.file("data/\(name)").string)
    }
    #expect(
      try findings("reco2file_and_channel", "s1-a a A\ns1-b a B\ns2-a b C\ns2-b b\n") == [
        "reco2file_and_channel:3 error form s2-a", "reco2file_and_channel:4 error form s2-b",
      ])
    try FileManager.default.removeItem(atPath: folder.file("data/reco2file_and_channel").string)
    try folder.write(
      Data("s1-a w".utf8) + [0xE9] + Data("\ns1-b <s> w\ns2-a\ns2-b w\n".utf8), to: "data/text")
    #expect(
      findings(try report()) == [
        "text:1 error form s1-a", "text:3 error form s2-a", "text:2 error text s1-b",
      ])
  }

  @Test("other line ends, a byte order mark, no last line end, another order")
  func bytes() throws {
    #expect(
      try findings("text", "\u{FEFF}s1-a w\r\ns1-b w\r\ns2-b w\r\ns2-a w") == [
        "text:1 warning form", "text warning form", "text warning form", "text:4 warning order",
      ])
    try folder.write("s1-a w\ns1-b w\ns2-a w\ns2-b w\n", to: "data/text")
    try folder.write("s2 s1-a s1-b\ns1 s2-a s2-b\n", to: "data/spk2utt")
    #expect(
      try findings("utt2spk", "s1-a s2\ns1-b s2\ns2-a s1\ns2-b s1\n") == [
        "utt2spk:3 warning order", "spk2utt:2 warning order",
      ])
  }

  @Test("ids that one file has and another has not")
  func match() throws {
    #expect(
      try findings("text", "s1-a w\ns1-c w\ns2-a w\ns2-b w\n") == [
        "text error match s1-b", "text:2 error match s1-c",
      ])
    try FileManager.default.removeItem(atPath: folder.file("data/text").string)
    #expect(
      try findings("spk2gender", "s1 f\ns3 m\n") == [
        "text warning presence", "spk2gender error match s2", "spk2gender:2 error match s3",
      ])
  }

  @Test("speakers whose utterances are not those of utt2spk")
  func speakers() throws {
    #expect(
      try findings("spk2utt", "s1 s1-a s2-a x\ns2 s2-a s2-b\n") == [
        "spk2utt:1 error speaker s2-a", "spk2utt:1 error speaker x",
        "spk2utt:2 error speaker s2-a", "spk2utt:1 error speaker s1-b",
      ])
    for name in ["spk2utt", "spk2gender"] {
      try FileManager.default.removeItem(atPath: folder.file("data/\(name)").string)
    }
    #expect(
      try findings("utt2spk", "s1-a s\ns1-b s\ns2-a s\ns2-b s\n") == [
        "spk2utt warning presence", "utt2spk warning speaker",
      ])
  }

  @Test("segments outside of their recording, without length, of none, or that overlap")
  func segments() throws {
    let recordings = "r1 \(folder.file("s1-a.wav"))\nr2 \(folder.file("s1-b.wav"))\n"
    try folder.write(recordings, to: "data/wav.scp")
    for name in ["utt2spk", "spk2utt", "spk2gender", "utt2dur", "text"] {
      try FileManager.default.removeItem(atPath: folder.file("data/\(name)").string)
    }
    try folder.write(
      "a r1 0 0.3\nb r1 0.2 0.504\nc r1 0.4 0.6\nd r1 0.3 0.3\ne r3 0 1\nf r1 0 x\n",
      to: "data/segments")
    try folder.write("a 0.3\nb 0.2\nc 0.2\nd 1\ne 1\nf 1\n", to: "data/utt2dur")
    try folder.write("r1 0.6\nr2 0.505\n", to: "data/reco2dur")
    #expect(
      findings(try report()).filter { !$0.hasSuffix("presence") } == [
        "segments:4 error segment d", "segments:5 error segment e", "segments:6 error segment f",
        "wav.scp:2 warning match r2", "segments:2 warning segment b",
        "segments:3 warning segment c",
        "reco2dur:1 warning duration r1", "utt2dur:2 warning duration b",
        "segments:3 warning segment c",
      ])
  }

  @Test("audio that is missing, cut short, of another rate, of several channels, clipped or silent")
  func audio() throws {
    try FileManager.default.removeItem(atPath: folder.file("s1-a.wav").string)
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder.file("s1-b.wav").string))
    try folder.write(whole.prefix(9000), to: "s1-b.wav")
    AudioFixture.write(
      generatedWaveform(count: 8000), to: folder.file("s2-a.wav"), sampleRate: 8000)
    var loud = generatedWaveform(count: 16000)
    for index in stride(from: 200, to: 210, by: 2) { loud[index] = 1 }
    AudioFixture.write(loud, to: folder.file("s2-b.wav"), channels: 2)
    try FileManager.default.removeItem(atPath: folder.file("data/utt2dur").string)
    #expect(
      findings(try report()) == [
        "wav.scp:1 error audio s1-a", "wav.scp:2 error audio s1-b", "wav.scp:4 error channels s2-b",
        "wav.scp:4 warning clipping s2-b", "wav.scp:3 error sampleRate s2-a",
      ])
    #expect(
      findings(try report(channel: 2)) == [
        "wav.scp:1 error audio s1-a", "wav.scp:2 error audio s1-b", "wav.scp:3 error audio s2-a",
      ])

    for (id, silent) in [("s1-a", 8000), ("s1-b", 3999), ("s2-a", 4000), ("s2-b", 0)] {
      let samples = (0..<8000).map { $0 < silent ? 0 : Float(0.5) }
      AudioFixture.write(samples, to: folder.file("\(id).wav"))
    }
    let report = try report()
    #expect(
      findings(report) == ["wav.scp:1 warning silence s1-a", "wav.scp:3 warning silence s2-a"])
    #expect(report.errors == 0 && report.warnings == 2)
    #expect(report.findings[1].message == "digitally silent for 0.25 of 0.50 s")
  }

  @Test("segments that take channels need those to be there")
  func segmentChannels() throws {
    for name in ["utt2spk", "spk2utt", "spk2gender", "utt2dur", "text"] {
      try FileManager.default.removeItem(atPath: folder.file("data/\(name)").string)
    }
    AudioFixture.write(generatedWaveform(count: 16000), to: folder.file("two.wav"), channels: 2)
    try folder.write("r \(folder.file("two.wav"))\n", to: "data/wav.scp")
    try folder.write("a r 0 0.5 0\nb r 0 0.4 1\n", to: "data/segments")
    let errors = { try self.findings(self.report()).filter { $0.contains(" error ") } }
    #expect(try errors() == [])
    try folder.write("a r 0 0.5 0\nb r 0 0.4 2\n", to: "data/segments")
    #expect(try errors() == ["segments:2 error segment b"])
  }

  @Test("commands are run only when that is allowed; a tilde is no home")
  func commands() throws {
    try folder.write(
      "s1-a cat \(folder.file("s1-a.wav")) |\ns1-b ~/b.wav\ns2-a \(folder.file("s2-a.wav"))\n"
        + "s2-b false |\n", to: "data/wav.scp")
    #expect(
      findings(try report()) == [
        "wav.scp:1 error form s1-a", "wav.scp:4 error form s2-b", "wav.scp:2 warning form s1-b",
        "wav.scp:2 error audio s1-b",
      ])
    #expect(
      findings(try report(commands: .allowed)) == [
        "wav.scp:2 warning form s1-b", "wav.scp:2 error audio s1-b", "wav.scp:4 error audio s2-b",
      ])
  }

  @Test("the report is the same to the byte whatever the number of threads")
  func sameBytes() throws {
    // Lengths whose sum depends on its order.
    let ids = (0..<40).map { "s-\($0 + 10)" }
    for (number, id) in ids.enumerated() {
      AudioFixture.write(
        generatedWaveform(count: 800 + 37 * number), to: folder.file("\(id).wav"),
        sampleRate: 11025)
    }
    try folder.write(
      ids.map { "\($0) \(folder.file($0)).wav\n" }.joined(), to: "data/wav.scp")
    let reports = try [1, 2, 2, 2].map { JSONText.document(try report(audio: Workers(count: $0))) }
    #expect(Set(reports).count == 1)
  }

  @Test("a finding is a line as compilers write it, and JSON")
  func text() throws {
    try folder.write("s1 f\ns3 m\n", to: "data/spk2gender")
    let report = try report(audio: nil)
    let path = folder.file("data/spk2gender")
    #expect(
      report.findings.map(\.text) == [
        "\(path): error: s2: expected this speaker of utt2spk, found none",
        "\(path):2: error: s3: expected speakers of utt2spk, found one that it does not have",
      ])
    let back = try JSONDecoder().decode(
      ValidationReport.self, from: Data(JSONText.document(report).utf8))
    #expect(back == report)
  }

  @Test("spk2utt without utt2spk is held against the utterances themselves")
  func speakersAlone() throws {
    try FileManager.default.removeItem(atPath: folder.file("data/utt2spk").string)
    #expect(
      try findings("spk2utt", "s1 s1-a s1-a zz\ns2 s2-a s2-b\n") == [
        "utt2spk warning presence", "spk2utt:1 error speaker s1-a", "spk2utt:1 error speaker zz",
        "spk2utt error speaker s1-b",
      ])
  }

  @Test(
    "links to nothing are faults, and without usable segments the audio is checked all the same")
  func unusableFiles() throws {
    try FileManager.default.removeItem(atPath: folder.file("data/text").string)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("data/text").string, withDestinationPath: "/nowhere")
    try folder.write("", to: "s1-a.wav")
    try folder.write("", to: "data/segments")
    let found = findings(try report())
    #expect(found.contains("text error presence"))
    #expect(found.contains("segments error presence"))
    #expect(found.contains("wav.scp:1 error audio s1-a"))
  }

  @Test("utterances without a frame, segments that end before they start or begin before the audio")
  func shortUtterances() throws {
    try folder.write(
      "s1-a s1-a 0 0.00001\ns1-b s1-b 0.1 0.11\ns2-a s2-a 0.3 0.1\ns2-b s2-b -1 0.2\n",
      to: "data/segments")
    let found = findings(try report())
    #expect(found.contains("segments:1 error duration s1-a"))
    #expect(found.contains("segments:2 warning duration s1-b"))
    #expect(found.contains { $0.hasPrefix("segments:3 error") })
    #expect(found.contains { $0.hasPrefix("segments:4 error") })
  }

  @Test("a header that promises less than the file holds")
  func surplus() throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("s1-a.wav").string))
    let place = try #require(bytes.range(of: Data("data".utf8)))
    // Half of the 16,000 bytes.
    bytes.replaceSubrange(place.upperBound..<place.upperBound + 4, with: [0x40, 0x1F, 0, 0])
    try folder.write(bytes, to: "s1-a.wav")
    let report = try report()
    #expect(findings(report).contains("wav.scp:1 warning audio s1-a"))
    #expect(
      report.findings.contains {
        $0.message == "expected a file as long as its header says, found 8000 bytes after the end "
          + "that the header gives"
      })
  }

  @Test("clipping and silence are known in the codes of telephones too")
  func companded() throws {
    let loud = (0..<8000).map { Float($0 / 40 % 2 == 0 ? 1.0 : -1.0) }
    for format in AudioFixture.companded {
      AudioFixture.write(loud, to: folder.file("s1-a.wav"), format: format)
      AudioFixture.write(
        [Float](repeating: 0, count: 8000), to: folder.file("s1-b.wav"), format: format)
      let found = findings(try report())
      #expect(found.contains("wav.scp:1 warning clipping s1-a"), "\(format)")
      #expect(found.contains("wav.scp:2 warning silence s1-b"), "\(format)")
    }
  }

  @Test("a pipe is no recording, and is not waited for")
  func pipe() throws {
    try FileManager.default.removeItem(atPath: folder.file("s1-a.wav").string)
    #expect(unsafe folder.file("s1-a.wav").withPlatformString { unsafe mkfifo($0, 0o600) } == 0)
    #expect(findings(try report()).contains("wav.scp:1 error audio s1-a"))
  }
}
