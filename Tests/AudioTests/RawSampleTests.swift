import SystemPackage
import Audio
import Foundation
import TestSupport
import Testing

@Suite("Samples without a header")
struct RawSampleTests {
  @Test("bytes in pieces of any size give the samples that the same WAV file has")
  func pieces() throws {
    let folder = try TemporaryFolder()
    let samples = generatedWaveform(count: 1000)
    for (coding, format) in [(RawCoding.s16le, AudioFixture.wav16), (.f32le, AudioFixture.float)] {
      let path = folder.file("sound.wav")
      AudioFixture.write(samples, to: path, format: format)
      let expected = try AudioFile.read(path).samples
      let bytes = [UInt8](
        try Data(contentsOf: URL(fileURLWithPath: path.string))
          .suffix(samples.count * coding.byteCount))
      for size in [1, 3, 7, 4000] {
        var decoder = RawSampleDecoder(coding)
        var found: [Float] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
          found += decoder.push(bytes[start..<min(bytes.count, start + size)])
        }
        #expect(found == expected, "\(coding) in pieces of \(size)")
        #expect(decoder.pendingBytes == 0 && decoder.decodedBytes == bytes.count)
      }
    }
  }

  @Test("the extremes of integers, and bytes that are left over")
  func extremes() {
    var decoder = RawSampleDecoder(.s16le)
    #expect(decoder.push([0x00, 0x80, 0xFF, 0x7F, 0x01]) == [-1, 32767.0 / 32768])
    #expect(decoder.pendingBytes == 1 && decoder.decodedBytes == 4)
  }
}
