import Corpus
import Foundation
import Storage
import TestSupport
import Testing

/// The preparation of the default corpus, `recipes/asterisk/prepare.sh`.
@Suite("The Asterisk prompts")
struct AsteriskPreparationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Runs the script on a transcript list, with a recording for each name but `unrecorded`.
  private func prepare(_ transcripts: String, names: [String]) throws -> Int32 {
    let list = try folder.write(transcripts, to: "transcripts.txt")
    for name in names { try folder.write("sound", to: "audio/\(name).wav") }
    return try runRecipe(
      "asterisk/prepare.sh", folder.file("audio"), list, folder.file("out")
    ).status
  }

  /// The words of all utterances, by id.
  private func texts() throws -> [String: String] {
    var texts: [String: String] = [:]
    for part in ["train", "development", "test"] {
      for (_, line) in try TextFile.lines(of: folder.file("out/\(part)/text")) {
        texts[String(line.keyAndRest.key)] = String(line.keyAndRest.rest)
      }
    }
    return texts
  }

  @Test("numbers and symbols are written as words, notes are dropped, non-speech is skipped")
  func words() throws {
    // cksum puts delta into development, zero into test, and the others into train.
    let transcripts = """
      ; a comment

      digits/a1: Press 1 for H.323, or 28.8 now!
      a2: Dial 500, 8500 or 1234; it's "fun".
      a3: press * or # ... [a note] <beep> (another)
      delta: www.asterisk.org is 21 A.M.
      a5: <beep ascending>
      a6: (10 seconds of silence)
      a7: Not recorded.
      zero: Zero: 0
      """
    let names = ["digits/a1", "a2", "a3", "delta", "a5", "a6", "a8", "zero"]
    #expect(try prepare(transcripts, names: names) == 0)
    #expect(
      try texts() == [
        "allison-digits_a1": "press one for h three two three or twenty eight point eight now",
        "allison-a2": "dial five hundred eighty five hundred or one two three four it's fun",
        "allison-a3": "press star or pound",
        "allison-delta": "w w w dot asterisk dot org is twenty one a m",
        "allison-zero": "zero zero",
      ])
    let ledger = try Ledger(path: folder.file("out/ledger.jsonl")).entries
    #expect(
      ledger.map(\.account) == [
        "a5, prepare: no speech: <beep ascending>",
        "a6, prepare: no speech: (10 seconds of silence)",
        "a7, prepare: no audio: a7.wav", "a8, prepare: no transcript",
      ])
  }

  @Test("each part is a data directory, and the part depends on the name alone")
  func parts() throws {
    let names = (0..<200).map { "prompt-\($0)" }
    let transcripts = names.map { "\($0): word\n" }
    #expect(try prepare(transcripts.joined(), names: names) == 0)
    func ids(_ part: String) throws -> [String] {
      try DataDirectory(path: folder.file("out/\(part)")).utterances.map(\.id)
    }
    let first = try ["train", "development", "test"].map(ids)
    #expect(first.joined().sorted() == names.map { "allison-" + $0 }.sorted())
    // Five standard deviations of 200 draws at 1/10.
    for part in first[1...] { #expect(mismatch(Double(part.count), 20, absolute: 21) == nil) }
    #expect(try prepare(transcripts.reversed().joined(), names: names) == 0)
    #expect(try ["train", "development", "test"].map(ids) == first)
  }

  @Test("a line without a name is refused with its number")
  func malformed() throws {
    #expect(try prepare("a: one\nno name here\n", names: ["a"]) == 65)
  }
}
