import Audio
import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Recordings")
struct AudioFileTests {
  private let samples = generatedWaveform(count: 8000)
  /// Ten seconds, so that every format has several blocks or pages.
  private static let long = generatedWaveform(count: 160_000)

  @Test("every promised format is read, to its own precision", arguments: AudioFixture.formats)
  func formats(_ format: AudioFixture.Format) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("sound")
    AudioFixture.write(samples, to: path, format: format)
    let waveform = try AudioFile.read(path, sampleRate: 16000)
    #expect(waveform.sampleRate == 16000)
    if let tolerance = format.tolerance {
      #expect(mismatch(waveform.samples, samples, absolute: tolerance) == nil)
    } else {
      #expect(waveform.samples.count == samples.count)
      let error = zip(waveform.samples, samples).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let power = samples.reduce(0) { $0 + $1 * $1 }
      #expect(error < power / 2, "a lossy copy that resembles nothing")
    }
  }

  @Test("a channel must be chosen from several, and is the one that was chosen")
  func channels() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("stereo.wav")
    AudioFixture.write([0.25, -0.5, 0.25, -0.5], to: path, format: AudioFixture.float, channels: 2)
    #expect(throws: AudioFault.severalChannels(path: .file(path), count: 2)) {
      try AudioFile.read(path)
    }
    #expect(try AudioFile.read(path, channel: 1).samples == [0.25, 0.25])
    #expect(try AudioFile.read(path, channel: 2).samples == [-0.5, -0.5])
    #expect(throws: AudioFault.noSuchChannel(path: .file(path), chosen: 3, count: 2)) {
      try AudioFile.read(path, channel: 3)
    }
  }

  @Test("another sample rate is an error that names both")
  func sampleRate() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.wav")
    AudioFixture.write(samples, to: path, sampleRate: 8000)
    let fault = #expect(throws: AudioFault.self) { try AudioFile.read(path, sampleRate: 16000) }
    #expect(
      fault?.description == "\(path): expected a sample rate of 16000 Hz, found 8000 Hz")
  }

  @Test("missing, empty, other and broken files are told apart, each with its path")
  func unreadable() throws {
    let folder = try TemporaryFolder()
    let missing = folder.file("none.wav")
    #expect(throws: AudioFault.missing(path: .file(missing))) { try AudioFile.read(missing) }

    let noBytes = try folder.write(Data(), to: "no-bytes.wav")
    let text = try folder.write("This is no sound.\n", to: "text.wav")
    for path in [noBytes, text] {
      let fault = #expect(throws: AudioFault.self) { try AudioFile.read(path) }
      guard case .unreadable(.file(path), _) = fault else {
        Issue.record("expected unreadable, found \(String(describing: fault))")
        continue
      }
    }
    let empty = folder.file("empty.wav")
    AudioFixture.write([], to: empty)
    #expect(throws: AudioFault.empty(path: .file(empty))) { try AudioFile.read(empty) }

    let bad = folder.file("nan.wav")
    AudioFixture.write([0, 0.5, .nan, .infinity], to: bad, format: AudioFixture.float)
    #expect(throws: AudioFault.notFinite(path: .file(bad), sample: 2)) { try AudioFile.read(bad) }
  }

  @Test("a file cut short is an error in every format", arguments: AudioFixture.formats)
  func truncated(_ format: AudioFixture.Format) throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(AudioFileTests.long, to: folder.file("whole"), format: format)
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder.file("whole").string))
    let path = try folder.write(whole.prefix(whole.count * 3 / 4), to: "cut")
    let fault = #expect(throws: AudioFault.self) { try AudioFile.read(path) }
    switch fault {
    case .truncated(.file(path), let promised, let found, _): #expect(promised > found)
    case .unended(.file(path), _): #expect(format.description.hasPrefix("Ogg"))
    case .unreadable(.file(path), _): break
    default: Issue.record("expected truncated or unreadable, found \(String(describing: fault))")
    }
  }

  @Test("a RIFF size that is a little too large, as some programs write it, is no error")
  func looseRIFFSize() throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(samples, to: folder.file("a.wav"))
    var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("a.wav").string))
    bytes[4] += 8
    let path = try folder.write(bytes, to: "loose.wav")
    #expect(try AudioFile.read(path).samples.count == samples.count)
  }

  @Test("a length that stands for unknown, as pipes leave it, is no error")
  func unknownLength() throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(samples, to: folder.file("a.wav"))
    var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("a.wav").string))
    let size = try #require(bytes.firstRange(of: Data("data".utf8))).upperBound
    bytes.replaceSubrange(size..<size + 4, with: [0xFF, 0xFF, 0xFF, 0x7F])
    let path = try folder.write(bytes, to: "piped.wav")
    #expect(try AudioFile.read(path).samples.count == samples.count)
  }

  @Test("a segment is the part between its times; outside the recording it is an error")
  func segments() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.wav")
    AudioFixture.write(samples, to: path, format: AudioFixture.float)
    let part = try AudioFile.read(path, seconds: 0.1...0.25)
    #expect(part.samples == Array(samples[1600..<4000]))
    // The recording is half a second long; an end at most half a second behind it is that of the recording.
    #expect(try AudioFile.read(path, seconds: 0.4...1).samples.count == 1600)
    #expect(try AudioFile.read(path, seconds: 0.4...Double.infinity).samples.count == 1600)
    #expect(throws: AudioFault.outside(path: .file(path), start: 0.4, end: 1.01, duration: 0.5)) {
      try AudioFile.read(path, seconds: 0.4...1.01)
    }
  }
}
