import Audio
import Foundation
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Recordings of several streams")
struct JoinedStreamTests {
  private let first = generatedWaveform(count: 40_000)
  private let second = generatedWaveform(count: 24_000)

  @Test("streams joined in one file are read as one", arguments: AudioFixture.formats)
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
    let words = try remark(of: joined)
    #expect(words?.contains(format.description == "MP3" ? "promised" : "2 streams") == true)
  }

  @Test(
    "of joined files that are cut somewhere no sample is lost in silence",
    arguments: AudioFixture.formats)
  func cut(_ format: AudioFixture.Format) throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(first, to: folder.file("a"), format: format)
    AudioFixture.write(second, to: folder.file("b"), format: format)
    let start = try TextFile.bytes(of: folder.file("a"))
    let bytes = start + (try TextFile.bytes(of: folder.file("b")))
    let part = try AudioFile.read(folder.file("a")).samples
    let whole = try AudioFile.read(try folder.write(bytes, to: "whole")).samples
    // What a header alone takes, and less than that of a second stream cannot be told from other bytes.
    let header = format.description.hasPrefix("SPHERE") ? 1024 : 128
    var generator = SeededGenerator(31)
    for _ in 0..<20 {
      let length = Int.random(in: 1..<bytes.count, using: &generator)
      let path = try folder.write(bytes.prefix(length), to: "cut")
      let comment = Comment(rawValue: "\(format), seed 31: \(length) of \(bytes.count) bytes")
      let samples: [Float]
      do { samples = try AudioFile.read(path).samples } catch { continue }
      if format.description == "MP3" {
        // Frames follow each other, and the last may be cut; each is of 576 samples here.
        let share = Double(whole.count) * Double(length) / Double(bytes.count)
        #expect(abs(Double(samples.count) - share) < 8 * 1152, comment)
      } else {
        #expect(samples == part, comment)
        #expect(abs(length - start.count) <= header, comment)
      }
    }
  }

  @Test("a segment is the same as that part of the whole", arguments: AudioFixture.formats, [1, 2])
  func segments(_ format: AudioFixture.Format, _ count: Int) throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(first, to: folder.file("a"), format: format)
    let bytes = try TextFile.bytes(of: folder.file("a"))
    let path = try folder.write((0..<count).reduce(Data()) { all, _ in all + bytes }, to: "all")
    let whole = try AudioFile.read(path).samples
    for seconds in [0...0.5, 0.7...1.9, 2.2...2.45, 2.4...Double.infinity] {
      let part = try AudioFile.read(path, seconds: seconds).samples
      let start = Int((seconds.lowerBound * 16000).rounded())
      let end =
        seconds.upperBound.isFinite ? Int((seconds.upperBound * 16000).rounded()) : whole.count
      // Codes that keep a state are the same a little behind the place that was sought.
      let tolerance = format.tolerance == nil ? 1e-3 : 0
      #expect(mismatch(part, Array(whole[start..<end]), absolute: tolerance) == nil, "\(seconds)")
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
      throws: AudioFault.otherStream(
        path: .file(joined), after: 40_000, found: "8000 Hz and 1 channel")
    ) { try AudioFile.read(joined) }
  }

  @Test("WAV files of unknown or wrong size are told apart where they follow each other")
  func unknownSizes() throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(first, to: folder.file("a"))
    AudioFixture.write(second, to: folder.file("b"))
    let one = try TextFile.bytes(of: folder.file("a"))
    let two = try TextFile.bytes(of: folder.file("b"))
    let size = try #require(one.firstRange(of: Data("data".utf8))).upperBound
    for unknown: [UInt8] in [[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF]] {
      var open = one
      open.replaceSubrange(size..<size + 4, with: unknown)
      let path = try folder.write(open + two + open, to: "joined")
      #expect(try AudioFile.read(path).samples.count == 2 * first.count + second.count)
    }
    // A first file that was cut does not take samples of the second.
    let cut = try folder.write(one.dropLast(1000) + two, to: "cut")
    #expect(
      throws: AudioFault.truncated(path: .file(cut), promised: 80_000, found: 79_000, unit: "bytes")
    ) { try AudioFile.read(cut) }
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
    #expect(try AudioFile.read(archive.withSuffix(":2")).samples.count == first.count)
    #expect(
      try AudioFile.read(archive.withSuffix(":\(4 + one.count)")).samples.count == second.count)
    // A file whose own name ends like that is read as it is.
    let odd = try folder.write(one, to: "odd:12")
    #expect(try AudioFile.read(odd).samples.count == first.count)
    #expect(throws: AudioFault.self) { try AudioFile.read(archive.withSuffix(":99999999")) }
  }
}

/// Reads a file to its end and says what is unusual about it.
func remark(of path: FilePath) throws -> String? {
  var reader = try AudioReader(path)
  var block: [Float] = []
  while try reader.next(&block) {}
  return try reader.remark()
}
