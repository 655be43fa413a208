import Audio
import Foundation
import Storage
import TestSupport
import Testing

@Suite("Recordings whose headers are estimates")
struct JoinedStreamTests {
  private let first = generatedWaveform(count: 40_000)
  private let second = generatedWaveform(count: 24_000)

  /// The formats whose streams can be told apart where they follow each other.
  private static let formats = AudioFixture.formats.filter { format in
    ["WAV", "FLAC", "Ogg", "MP3"].contains(where: format.description.hasPrefix)
  }

  @Test("streams joined in one file are read as one", arguments: formats)
  func joined(_ format: AudioFixture.Format) throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(first, to: folder.file("a"), format: format)
    AudioFixture.write(second, to: folder.file("b"), format: format)
    let joined = try folder.write(
      try TextFile.bytes(of: folder.file("a")) + TextFile.bytes(of: folder.file("b")), to: "joined")
    let parts = try ["a", "b"].map { try AudioFile.read(folder.file($0)).samples }
    let whole = try AudioFile.read(joined).samples
    if format.description == "MP3" {
      // The header of the second is a frame of silence, and what the first keeps of its end is heard.
      #expect(whole.count >= parts[0].count + parts[1].count)
      #expect(whole.count <= parts[0].count + parts[1].count + 4 * 1152)
    } else {
      #expect(whole == parts[0] + parts[1])
    }
  }

  @Test("a second stream of another rate is named")
  func otherRate() throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(first, to: folder.file("a"))
    AudioFixture.write(second, to: folder.file("b"), sampleRate: 8000)
    let joined = try folder.write(
      try TextFile.bytes(of: folder.file("a")) + TextFile.bytes(of: folder.file("b")), to: "joined")
    #expect(
      throws: AudioFault.otherStream(path: joined, after: 40_000, found: "8000 Hz and 1 channel")
    ) { try AudioFile.read(joined) }
  }

  @Test("a WAV file whose sizes were never written is read to its end", arguments: [true, false])
  func unfinished(_ isRIFFSizeToo: Bool) throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(first, to: folder.file("a.wav"))
    var bytes = try TextFile.bytes(of: folder.file("a.wav"))
    let size = try #require(bytes.firstRange(of: Data("data".utf8))).upperBound
    bytes.replaceSubrange(size..<size + 4, with: [0, 0, 0, 0])
    if isRIFFSizeToo { bytes.replaceSubrange(4..<8, with: [0, 0, 0, 0]) }
    let path = try folder.write(bytes, to: "unfinished.wav")
    let finished = try AudioFile.read(folder.file("a.wav")).samples
    #expect(try AudioFile.read(path).samples == finished)
  }

  @Test("a recording in an archive is read from its byte on")
  func archive() throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(first, to: folder.file("a"))
    AudioFixture.write(second, to: folder.file("b"))
    let (one, two) = (
      try TextFile.bytes(of: folder.file("a")), try TextFile.bytes(of: folder.file("b"))
    )
    let archive = try folder.write(
      Data("a ".utf8) + one + Data("b ".utf8) + two, to: "wav.ark")
    #expect(try AudioFile.read("\(archive):2").samples.count == first.count)
    #expect(try AudioFile.read("\(archive):\(4 + one.count)").samples.count == second.count)
    // A file whose own name ends like that is read as it is.
    let odd = try folder.write(one, to: "odd:12")
    #expect(try AudioFile.read(odd).samples.count == first.count)
    #expect(throws: AudioFault.self) { try AudioFile.read("\(archive):99999999") }
  }
}
