import Foundation
import SystemPackage
import TestSupport
import Testing

/// The recipe for TIMIT on a small tree of the same layout: SPHERE audio, `.PHN`, `.WRD` and `.TXT`.
@Suite("TIMIT")
struct TIMITRecipeTests {
  private let folder: TemporaryFolder

  /// Speakers of each part; of the last, which is of none of them, TEST has one, too.
  private static let speakers = [
    ("TRAIN/DR1", "FCJF0"), ("TRAIN/DR2", "MAEB0"), ("TEST/DR1", "FAKS0"), ("TEST/DR4", "MROA0"),
    ("TEST/DR1", "MDAB0"), ("TEST/DR8", "FMLD0"), ("TEST/DR1", "MREB9"),
  ]
  /// Every symbol of TIMIT once.
  private static let symbols = """
    h# aa ae ah ao aw ax ax-h axr ay b bcl ch d dcl dh dx eh el em en eng epi er ey f g gcl hh hv ih ix \
    iy jh k kcl l m n ng nx ow oy p pau pcl q r s sh t tcl th uh uw ux v w y z zh
    """.split(separator: " ")

  init() throws {
    folder = try TemporaryFolder()
    let sphere = try #require(AudioFixture.formats.first { $0.description == "SPHERE, 16 bit" })
    for (place, speaker) in TIMITRecipeTests.speakers {
      for sentence in ["SA1", "SI1027", "SX37"] {
        let stem = "timit/\(place)/\(speaker)/\(sentence)"
        // 50 ms a phone; the labels end 10 ms before the audio.
        let ends = (0...TIMITRecipeTests.symbols.count).map { 800 * $0 }
        let lines = zip(TIMITRecipeTests.symbols, zip(ends, ends.dropFirst())).map {
          "\($1.0) \($1.1) \($0)\n"
        }
        try folder.write(lines.joined(), to: stem + ".PHN")
        try folder.write("0 \(ends.last ?? 0) She had, your suit.\n", to: stem + ".TXT")
        AudioFixture.write(
          generatedWaveform(count: (ends.last ?? 0) + 160), to: folder.file(stem + ".WAV"),
          format: sphere)
      }
    }
  }

  private func prepare() throws -> Int32 {
    try runRecipe("timit/prepare.sh", folder.file("timit"), folder.file("exp/data")).status
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder.file("exp/" + name).string, encoding: .utf8)
  }

  @Test("its lists are the 50 and 24 speakers, its maps lead from 61 symbols by 48 to 39")
  func lists() throws {
    let data = recipesFolder.deletingLastPathComponent().appendingPathComponent("data/timit")
    func lines(_ name: String) throws -> [[Substring]] {
      try String(contentsOf: data.appendingPathComponent(name), encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: " ") }
    }
    let development = Set(try lines("development.txt").joined())
    let core = Set(try lines("core-test.txt").joined())
    #expect(development.count == 50 && core.count == 24 && development.isDisjoint(with: core))
    // Two men and a woman of each of eight regions.
    #expect(core.count { $0.hasPrefix("F") } == 8)
    let first = try lines("61-48.map")
    let second = try lines("48-39.map")
    #expect(Set(first.map { $0[0] }) == Set(TIMITRecipeTests.symbols) && first.count == 61)
    #expect(Set(first.map { $0[1] }) == Set(second.map { $0[0] }) && second.count == 48)
    #expect(Set(second.map { $0[1] }).count == 39)
  }

  @Test(
    "speakers go to their parts without the SA sentences; SPHERE audio becomes features and targets"
  )
  func parts() throws {
    #expect(try prepare() == 0)
    #expect(
      try text("data/train/utt2spk")
        == "FCJF0_SI1027 FCJF0\nFCJF0_SX37 FCJF0\nMAEB0_SI1027 MAEB0\nMAEB0_SX37 MAEB0\n")
    #expect(
      try text("data/development/spk2utt")
        == "FAKS0 FAKS0_SI1027 FAKS0_SX37\nMROA0 MROA0_SI1027 MROA0_SX37\n")
    #expect(try text("data/test/spk2gender") == "FMLD0 f\nMDAB0 m\n")
    #expect(try text("data/test/text").hasPrefix("FMLD0_SI1027 She had, your suit.\n"))
    for part in ["train", "development", "test"] {
      let run = try limbeck("validate", folder.file("exp/data/\(part)"))
      #expect(run.status == 0 && run.output.hasSuffix("0 errors, 0 warnings\n"), "\(run.output)")
    }

    for map in ["61-48.map", "48-39.map"] {
      try FileManager.default.copyItem(
        at: recipesFolder.deletingLastPathComponent().appendingPathComponent("data/timit/\(map)"),
        to: URL(fileURLWithPath: folder.file("exp/data/\(map)").string))
    }
    let run = try limbeck(
      "run", recipesFolder.appendingPathComponent("timit/recipe.yaml").path, folder.file("exp"),
      "--until", "targets")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("144 classes, 3 states of equal time for each label"))
    #expect(try text("targets/train/classes.txt").split(separator: "\n").count == 144)
    // 61 phones of 50 ms, of which the last frame's centre is before their end.
    #expect(
      try text("targets/test/ledger.jsonl").contains(
        "\"framesIn\":304,\"framesOut\":304,\"labels\":304"))
  }

  @Test("a sentence without audio is skipped and named")
  func withoutAudio() throws {
    try FileManager.default.removeItem(
      atPath: folder.file("timit/TEST/DR1/MDAB0/SX37.WAV").string)
    #expect(try prepare() == 65)
    #expect(
      try text("data/ledger.jsonl")
        == "{\"utterance\":\"MDAB0_SX37\",\"stage\":\"prepare\",\"reason\":\"no audio: "
        + "\(folder.file("timit/TEST/DR1/MDAB0/SX37.WAV"))\"}\n")
    #expect(try text("data/test/utt2spk").contains("MDAB0_SI1027"))
    try FileManager.default.removeItem(atPath: folder.file("timit/TEST").string)
    #expect(try prepare() == 66)
  }
}
