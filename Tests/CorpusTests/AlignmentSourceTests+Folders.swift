import Classes
import Features
import Audio
import Corpus
import Foundation
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

/// Which of the files in folders are whose.
extension AlignmentSourceTests {
  @Test(
    "an alignment that two recordings would share is neither's; unread ones of no utterance are told"
  )
  func conflicts() throws {
    try folder.write("0 400000 A\n", to: "labels/utt1.lab")
    let stray = try folder.write("garbage\n", to: "labels/stray.lab")
    let source = try AlignmentSource(
      TargetOptions(format: .lab, path: folder.file("labels").string), sampleRate: 1000,
      workers: .one)
    func utterance(_ id: String, _ path: FilePath) -> Utterance {
      Utterance(id: id, recording: .file(path: path))
    }
    let both = source.conflicts(among: [
      utterance("s1-x", "/s1/utt1.wav"), utterance("s2-x", "/s2/utt1.wav"),
    ])
    #expect(
      both.shared == [
        "s1-x": .shared("utt1", with: "s2-x"), "s2-x": .shared("utt1", with: "s1-x"),
      ])
    #expect(both.stray.count == 1 && both.stray[0].description.hasPrefix("\(stray):1: "))
    let same = source.conflicts(among: [
      utterance("s1-x", "/s1/utt1.wav"), utterance("s1-y", "/s1/utt1.wav"),
      utterance("stray", "/s1/stray.wav"),
    ])
    #expect(same.shared.isEmpty && same.stray.isEmpty)
  }

  @Test("of the tiers of several speakers an utterance has that of its own")
  func speakers() throws {
    let tiers = [("ann - phones", "A"), ("ann - words", "W"), ("bob - phones", "B")]
      .map { "\"IntervalTier\" \"\($0)\" 0 0.05 1 0 0.05 \"\($1)\"\n" }.joined()
    try folder.write(
      "\"ooTextFile\"\n\"TextGrid\"\n0 0.05 <exists> 3\n\(tiers)", to: "grids/talk.TextGrid")
    try folder.write("talk /x.wav\n", to: "data/wav.scp")
    try folder.write("u1 talk 0 0.05\nu2 talk 0 0.05\nu3 talk 0 0.05\n", to: "data/segments")
    try folder.write("u1 ann\nu2 bob\nu3 eve\n", to: "data/utt2spk")
    let data = try DataDirectory(path: folder.file("data"))
    func source(_ tier: String) throws -> AlignmentSource {
      var options = TargetOptions(format: .textgrid, path: folder.file("grids").string)
      (options.tier, options.states) = (tier, 1)
      return try AlignmentSource(options, sampleRate: 1000, workers: .one)
    }
    let (source, misnamed) = (try source("{speaker} - phones"), try source("{speaker}: phones"))
    let labels = try data.utterances.prefix(2).map { utterance in
      try source.targets(of: utterance, frames: 4, grid: grid).labels
        .map { source.inventory.symbols[Int($0)] }
    }
    #expect(labels == [["A", "A", "A", "A"], ["B", "B", "B", "B"]])
    #expect(
      throws: AlignmentFault.ambiguous(["talk, speaker ann", "talk, speaker bob"])
    ) { try source.targets(of: data.utterances[2], frames: 4, grid: grid) }
    let fault = #expect(throws: AlignmentFault.self) {
      try misnamed.targets(of: data.utterances[0], frames: 4, grid: grid)
    }
    #expect(
      fault?.description.contains(
        "expected one tier {speaker}: phones for each speaker, found ann - phones, ann - words, bob - phones"
      )
        == true)
  }

  @Test("links to folders are followed, once")
  func links() throws {
    try folder.write("0 400000 A\n", to: "real/sub/u.lab")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link").string, withDestinationPath: folder.file("real").string)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("real/sub/loop").string, withDestinationPath: folder.file("real").string)
    #expect(try filePaths(below: folder.file("link")) == ["sub/u.lab"])
    var options = TargetOptions(format: .lab, path: folder.file("link").string)
    options.states = 1
    let source = try AlignmentSource(options, sampleRate: 1000, workers: .one)
    #expect(try targets(source, frames: 3) == ["A", "A", "A"])
  }

  @Test("a file whose name is not UTF-8 is passed over and named; a folder may be called so")
  func otherBytes() throws {
    let name = FilePath(platformString: [0x63, CChar(bitPattern: 0xE9), 0])
    func source() throws -> AlignmentSource {
      var options = TargetOptions(format: .lab, path: folder.file("labels").string)
      options.states = 1
      return try AlignmentSource(options, sampleRate: 1000, workers: .one)
    }
    let labels = folder.file("labels")
    try AtomicFile.write("garbage\n", to: labels.pushing(name.withSuffix(".lab")))
    let fault = #expect(throws: FileFault.self) { try source() }
    #expect(
      fault?.description
        == #"\#(labels): expected .lab or .rec files, found none with a UTF-8 name, but c\xE9.lab"#
    )
    try AtomicFile.write("0 400000 A\n", to: labels.pushing(name).appending("u.lab"))
    try FileSystem.makeFolder(labels.appending("sub"))
    try AtomicFile.write("garbage\n", to: labels.appending("sub").pushing(name.withSuffix(".LAB")))
    let found = try source()
    #expect(try targets(found, frames: 3) == ["A", "A", "A"])
    #expect(
      found.remarks == [
        #"\#(labels): skipped, as names that are not UTF-8 match no utterance: "#
          + #"c\xE9.lab, sub/c\xE9.LAB"#
      ])
  }

  @Test("a name that ends with a full stop has no extension; one of a master label file may be so")
  func fullStop() throws {
    let master = try folder.write("#!MLF!#\n\"*/u.\"\n0 400000 A\n.\n", to: "a.mlf")
    let table = try HTKLabelReader.readMaster(master)
    func spans(_ id: String) throws -> [LabelSpan] {
      try table.spans(of: Utterance(id: id, recording: .file(path: "/x.wav")))
    }
    #expect(try spans("u.").map(\.label) == ["A"])
    #expect(throws: AlignmentFault.missing) { try spans("u") }
  }

  @Test("options write and read paths as text")
  func coded() throws {
    var options = TargetOptions(format: .ctm, path: "data//phones.ctm")
    options.map = "maps//48-39.map"
    let text = JSONText.line(options)
    #expect(
      text.contains(#""ctm":"data//phones.ctm""#) && text.contains(#""map":"maps/48-39.map""#))
    #expect(try JSONDecoder().decode(TargetOptions.self, from: Data(text.utf8)) == options)
    let seen = options.resolved(from: "/exp")
    #expect(seen.path == "/exp/data/phones.ctm" && seen.map == "/exp/maps/48-39.map")
    #expect(seen.withoutFolders.path == "phones.ctm" && seen.withoutFolders.map == "48-39.map")
  }
}
