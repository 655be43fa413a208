import Corpus
import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

/// The preparation of speechocean762, `recipes/speechocean762/prepare.sh`.
@Suite("Data directories of speechocean762")
struct SpeechoceanPreparationTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("WORD W ER D\n", to: "corpus/resource/lexicon.txt")
    try writeHalf("train", speakers: (0..<40).map { "s\($0)" })
  }

  /// Writes the lists of a half, with two utterances by each speaker.
  private func writeHalf(_ name: String, speakers: [String]) throws {
    let ids = speakers.flatMap { speaker in ["a", "b"].map { (speaker, "\(speaker)-\($0)") } }
    func write(_ list: String, _ line: (_ speaker: String, _ id: String) -> String) throws {
      try folder.write(ids.map(line).joined(), to: "corpus/\(name)/\(list)")
    }
    try write("wav.scp") { "\($1)\tWAVE/\($0)/\($1).WAV\n" }
    try write("text") { _, id in "\(id)\tWORD\n" }
    try write("utt2spk") { "\($1) \($0)\n" }
  }

  private func prepare() throws -> (status: Int32, errors: String) {
    try runRecipe("speechocean762/prepare.sh", folder.file("corpus"), folder.file("out"))
  }

  private func speakers(_ part: String) throws -> Set<String> {
    let lines = try TextFile.lines(of: folder.file("out/\(part)/spk2utt"))
    return Set(lines.map { String($0.text.keyAndRest.key) })
  }

  @Test("twelve speakers of the first half are for development; the second half is the test set")
  func halves() throws {
    try writeHalf("test", speakers: ["t0", "t1"])
    #expect(try prepare().status == 0)
    let (train, development) = (try speakers("train"), try speakers("development"))
    #expect(train.count == 28 && development.count == 12 && train.isDisjoint(with: development))
    #expect(try speakers("test") == ["t0", "t1"])
    let data = try DataDirectory(path: folder.file("out/test"))
    #expect(data.utterances.map(\.id) == ["t0-a", "t0-b", "t1-a", "t1-b"])
    #expect(
      data.utterances.first?.recording
        == .file(path: folder.file("corpus/WAVE/t0/t0-a.WAV")))
  }

  @Test("a speaker of both halves is refused, and nothing is made")
  func sharedSpeaker() throws {
    try writeHalf("test", speakers: ["t0", "s7", "s9"])
    let run = try prepare()
    #expect(run.status == 66 && run.errors.contains("those of train/, too: s7 s9"), "\(run)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("out/train").string))
  }

  @Test("without a second half, 25 speakers of the first are the test set")
  func oneHalf() throws {
    #expect(try prepare().status == 0)
    let parts = try ["train", "development", "test"].map(speakers)
    #expect(parts.map(\.count) == [3, 12, 25])
    #expect(parts.reduce(into: Set()) { $0.formUnion($1) }.count == 40)
  }

  @Test("utterances without a speaker are named in the ledger")
  func withoutSpeaker() throws {
    let list = "corpus/train/utt2spk"
    let text = try TextFile.text(of: folder.file(list))
    try folder.write(text.replacing("s3-a s3\n", with: ""), to: list)
    #expect(try prepare().status == 65)
    let ledger = try Ledger(path: folder.file("out/ledger.jsonl")).entries
    #expect(ledger.map(\.utterance) == ["s3-a"])
  }
}
