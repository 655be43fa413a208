import Audio
import Foundation
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Recordings whose headers are wrong about their length")
struct LengthEstimateTests {
  private let first = generatedWaveform(count: 40_000)

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

  @Test("MP3 is decoded as by libsndfile, and further where its header counts too few frames")
  func mp3() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.mp3")
    let format = try #require(AudioFixture.formats.first { $0.description == "MP3" })
    AudioFixture.write(first, to: path, format: format)
    let samples = try AudioFile.read(path).samples
    #expect(samples == AudioFixture.decodedByLibsndfile(path))
    #expect(try remark(of: path) == nil)
    // The header's count of frames stands behind its mark and four bytes of flags.
    var bytes = try TextFile.bytes(of: path)
    let mark = try #require(
      bytes.firstRange(of: Data("Xing".utf8)) ?? bytes.firstRange(of: Data("Info".utf8)))
    let count = mark.upperBound + 4..<mark.upperBound + 8
    for frames in [UInt8(3), 200] {
      bytes.replaceSubrange(count, with: [0, 0, 0, frames])
      let wrong = try folder.write(bytes, to: "wrong.mp3")
      let all = try AudioFile.read(wrong).samples
      #expect(all.starts(with: samples.dropLast(1152)) && all.count >= samples.count)
      #expect(try remark(of: wrong)?.contains("promised by the header") == true)
    }
  }

  @Test(
    "a part of a recording whose decoder needs what came before is as in the whole",
    arguments: ["MP3", "Opus"])
  func parts(name: String) throws {
    let folder = try TemporaryFolder()
    let format = try #require(AudioFixture.formats.first { $0.description.contains(name) })
    // Loud and nearly silent by turns, which short and long frames follow each other for.
    let all = generatedWaveform(count: 16 * 48_000).enumerated().map { place, sample in
      place / 11_000 % 2 == 0 ? sample : 0.001 * sample
    }
    let rate = name == "Opus" ? 48_000 : 16_000
    let path = folder.file("a.audio")
    AudioFixture.write(all, to: path, format: format, sampleRate: rate)
    let whole = try AudioFile.read(path).samples
    for start in stride(from: 0.5, to: Double(whole.count) / Double(rate) - 0.5, by: 0.37) {
      let part = try AudioFile.read(path, seconds: start...(start + 0.3)).samples
      let first = Int((start * Double(rate)).rounded())
      let worst = zip(part, whole[first...]).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
      #expect(worst < 1e-5, "\(start) s")
    }
  }

  @Test("a part behind the end says where that is", arguments: ["WAV", "FLAC"])
  func behind(name: String) throws {
    let folder = try TemporaryFolder()
    let format = try #require(AudioFixture.formats.first { $0.description.hasPrefix(name) })
    let path = folder.file("a.audio")
    AudioFixture.write(first, to: path, format: format)
    for start in [2.5, 2.6] {
      #expect(throws: AudioFault.outside(path: .file(path), start: start, end: 3, duration: 2.5)) {
        try AudioFile.read(path, seconds: start...3)
      }
    }
  }

  @Test("MP3 goes on behind bytes that are no audio; those at its end are told")
  func junk() throws {
    let folder = try TemporaryFolder()
    let format = try #require(AudioFixture.formats.first { $0.description == "MP3" })
    AudioFixture.write(first, to: folder.file("a"), format: format)
    let one = try TextFile.bytes(of: folder.file("a"))
    let count = try AudioFile.read(folder.file("a")).samples.count
    var generator = SeededGenerator(5)
    let junk = Data((0..<50_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
    let between = try folder.write(one + junk + one, to: "between")
    #expect(try AudioFile.read(between).samples.count >= 2 * count)
    #expect(try remark(of: between)?.contains("bytes between frames") == true)
    let behind = try folder.write(one + junk, to: "behind")
    #expect(try AudioFile.read(behind).samples.count >= count)
    #expect(try remark(of: behind) == "50000 bytes after its last frame")
    let tagged = try folder.write(one + Data("TAG".utf8) + Data(count: 125), to: "tagged")
    #expect(try remark(of: tagged) == nil)
    let before = try folder.write(Data(count: 5000) + one, to: "before.mp3")
    #expect(try AudioFile.read(before).samples.count == count)
  }

  @Test(
    "FLAC is decoded to its end where its header counts fewer samples, or none", arguments: [0, 9])
  func flac(_ samples: UInt8) throws {
    let folder = try TemporaryFolder()
    let format = try #require(AudioFixture.formats.first { $0.description == "FLAC, 16 bit" })
    AudioFixture.write(first, to: folder.file("a"), format: format)
    var bytes = try TextFile.bytes(of: folder.file("a"))
    let whole = try AudioFile.read(folder.file("a")).samples
    bytes.replaceSubrange(21..<26, with: [bytes[21] & 0xF0, 0, 0, samples, 0])
    let path = try folder.write(bytes, to: "low")
    #expect(try AudioFile.read(path).samples == whole)
    #expect(
      try remark(of: path)
        == (samples == 0 ? nil : "2304 samples promised by the header, 40000 in the file"))
    let tail = try folder.write(bytes + Data(repeating: 7, count: 99), to: "tail")
    #expect(try remark(of: tail) != nil)
  }

  @Test("Ogg streams without their last page, or with a page missing, are faults")
  func ogg() throws {
    let folder = try TemporaryFolder()
    let format = try #require(AudioFixture.formats.first { $0.description == "Ogg Vorbis" })
    AudioFixture.write(
      generatedWaveform(count: 160_000), to: folder.file("a"), format: format)
    let bytes = try TextFile.bytes(of: folder.file("a"))
    let pages = bytes.indices.filter { bytes[$0...].starts(with: Data("OggS\0".utf8)) }
    try #require(pages.count > 5)
    let cut = try folder.write(bytes[..<pages[pages.count - 1]], to: "cut")
    let fault = #expect(throws: AudioFault.self) { try AudioFile.read(cut) }
    guard case .unended = fault else {
      Issue.record("expected unended, found \(String(describing: fault))")
      return
    }
    let hole = try folder.write(bytes[..<pages[3]] + bytes[pages[4]...], to: "hole")
    let missing = #expect(throws: AudioFault.self) { try AudioFile.read(hole) }
    guard case .damaged(.file(hole), 160_000, let found) = missing, found < 160_000 else {
      Issue.record("expected damaged, found \(String(describing: missing))")
      return
    }
    let tail = try folder.write(bytes + Data(count: 99), to: "tail")
    #expect(try AudioFile.read(tail).samples.count == 160_000)
    #expect(try remark(of: tail) == "99 bytes after the last Ogg page")
  }
}
