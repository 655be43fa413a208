import Corpus
import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Dividing a data directory")
struct DataSplitTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a data directory with utterances of six speakers, and returns it.
  private func data(_ utterances: Range<Int>) throws -> DataDirectory {
    let ids = utterances.map { (id: "s\($0 % 6)-\($0)", speaker: "s\($0 % 6)") }
      .sorted { $0.id < $1.id }
    func lines(_ line: (String, String) -> String) -> String {
      ids.map { line($0.id, $0.speaker) + "\n" }.joined()
    }
    try folder.write(lines { id, _ in "\(id) audio/\(id).wav" }, to: "data/wav.scp")
    try folder.write(lines { id, _ in "\(id) word" }, to: "data/text")
    try folder.write(lines { id, speaker in "\(id) \(speaker)" }, to: "data/utt2spk")
    let bySpeaker = Dictionary(grouping: ids, by: \.speaker).sorted { $0.key < $1.key }
    try folder.write(
      bySpeaker.map { "\($0) \($1.map(\.id).joined(separator: " "))\n" }.joined(),
      to: "data/spk2utt")
    return try DataDirectory(path: folder.file("data"))
  }

  private func ids(_ part: String, of out: String = "parts") throws -> Set<String> {
    try DataDirectory(path: folder.file("\(out)/\(part)")).ids
  }

  @Test("every utterance is in one part, in shares near the ones requested")
  func shares() throws {
    let split = DataSplit(development: 0.1, test: 0.2, unit: .utterance)
    let outcome = try split.write(try data(0..<1000), to: folder.file("parts"))
    let parts = try ["train", "development", "test"].map { try ids($0) }
    #expect(parts.reduce(0) { $0 + $1.count } == 1000)
    #expect(parts.reduce(Set()) { $0.union($1) }.count == 1000)
    // Three standard deviations of a binomial: 28 of 100, 38 of 200.
    #expect(abs(parts[1].count - 100) < 28 && abs(parts[2].count - 200) < 38)
    #expect(outcome.parts.map(\.utterances) == parts.map(\.count))
    #expect(outcome.remarks.contains { $0.hasPrefix("train and test share 6 speakers") })
  }

  @Test("utterances stay in their part when others are added, and another seed moves them")
  func stability() throws {
    let split = DataSplit(development: 0.2, test: 0.2, unit: .utterance)
    _ = try split.write(try data(0..<100), to: folder.file("parts"))
    let before = try ["train", "development", "test"].map { try ids($0) }
    _ = try split.write(try data(0..<200), to: folder.file("parts"))
    for (part, own) in zip(["train", "development", "test"], before) {
      #expect(try ids(part).isSuperset(of: own))
    }
    var other = split
    other.seed = 2
    _ = try other.write(try data(0..<100), to: folder.file("others"))
    #expect(try ids("test", of: "others") != before[2])
  }

  @Test("speakers are kept together, with the lines of every file")
  func speakers() throws {
    var split = DataSplit(development: 0.2, test: 0.2, unit: .speaker)
    let data = try data(0..<60)
    var fault: SplitFault?
    for seed in UInt64(1)...50 where fault == nil {
      split.seed = seed
      do { _ = try split.write(data, to: folder.file("parts")) } catch let own as SplitFault {
        fault = own
      }
    }
    guard case .emptyPart(_, of: _, units: 6, .speaker, seed: let seed?)? = fault else {
      Issue.record("\(String(describing: fault))")
      return
    }
    #expect(fault?.description.hasSuffix("; use --seed \(seed)") == true)
    split.seed = seed
    let outcome = try split.write(data, to: folder.file("parts"))
    #expect(outcome.remarks.isEmpty && outcome.parts.reduce(0) { $0 + $1.units } == 6)
    for (part, utterances, units) in outcome.parts {
      #expect(utterances == 10 * units)
      let report = try DataValidation(
        path: folder.file("parts/\(part)"), root: nil, commands: .refused, channel: nil
      ).run(audio: nil)
      // One speaker is unusual; apart from that the files agree.
      #expect(report.findings.allSatisfy { $0.check == .speaker }, "\(report.findings)")
    }
  }

  @Test("segments take the recordings that they are parts of along")
  func segments() throws {
    try folder.write("r1 a.wav\nr2 b.wav\n", to: "data/wav.scp")
    let ids = (0..<40).map { "u\($0)" }.sorted()
    try folder.write(
      ids.map { "\($0) r\($0.utf8.last! % 2 + 1) 0 1\n" }.joined(), to: "data/segments")
    let data = try DataDirectory(path: folder.file("data"))
    let byUtterance = DataSplit(development: 0.2, test: 0.2, unit: .utterance)
    _ = try byUtterance.write(data, to: folder.file("parts"))
    #expect(try ["train", "development", "test"].map { try self.ids($0).count }.reduce(0, +) == 40)
    let script = try TextFile.text(of: folder.file("parts/train/wav.scp"))
    #expect(script == "r1 a.wav\nr2 b.wav\n")
    var byRecording = DataSplit(development: 0, test: 0.4, unit: .recording)
    let fitting = (UInt64(1)...50).first { seed in
      byRecording.seed = seed
      return byRecording.part(of: "r1") == .train && byRecording.part(of: "r2") == .test
    }
    byRecording.seed = try #require(fitting)
    _ = try byRecording.write(data, to: folder.file("parts"))
    #expect(try TextFile.text(of: folder.file("parts/train/wav.scp")) == "r1 a.wav\n")
    #expect(try self.ids("test").count == 20)
    // The development set of the earlier division is gone.
    #expect(try !FileSystem.exists(folder.file("parts/development")))
  }

  @Test("files of others are not replaced, and unknown speakers are named")
  func faults() throws {
    let split = DataSplit(development: 0.2, test: 0.2, unit: .speaker)
    let data = try data(0..<60)
    try folder.write("a b\n", to: "other/train/wav.scp")
    for out in ["data", "other"] {
      let fault = #expect(throws: FileFault.self) {
        try split.write(data, to: folder.file(out))
      }
      #expect(fault?.description.contains("without the split.json") == true)
    }
    try folder.write("s0-0 s0\n", to: "data/utt2spk")
    let fault = #expect(throws: SplitFault.self) {
      try split.write(
        try DataDirectory(path: folder.file("data")), to: folder.file("parts"))
    }
    #expect(fault?.description.contains("found none for 59 of 60, such as s0-12") == true)
  }
}
