import Foundation

/// A WAV file of 16-bit samples with one channel.
///
/// - Parameters:
///   - samples: values between -1 and 1; others are clipped.
///   - sampleRate: in hertz.
/// - Returns: the bytes of the file.
func waveFile(_ samples: [Float], sampleRate: Int) -> Data {
  var bytes = Data()
  func add<Value: FixedWidthInteger>(_ value: Value) {
    for place in 0..<(Value.bitWidth / 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> (8 * place)))
    }
  }
  let size = UInt32(2 * samples.count)
  bytes += "RIFF".utf8
  add(size + 36)
  bytes += "WAVEfmt ".utf8
  add(UInt32(16))
  for value in [1, 1] as [UInt16] { add(value) }  // PCM, one channel
  for value in [UInt32(sampleRate), UInt32(2 * sampleRate)] { add(value) }
  for value in [2, 16] as [UInt16] { add(value) }  // bytes and bits of a sample
  bytes += "data".utf8
  add(size)
  for sample in samples { add(Int16(32767 * max(-1, min(1, sample)))) }
  return bytes
}
