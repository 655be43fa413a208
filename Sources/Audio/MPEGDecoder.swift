import CMpg123
import Foundation

/// A stream of MPEG audio (MP3), by libmpg123 itself: libsndfile reads no further than the length that it has
/// estimated from the first frame or read from the first of several headers.
@safe final class MPEGDecoder: SampleDecoder {
  let sampleRate: Int
  let channels: Int
  let coding = SampleCoding.other
  let promised: Promise?
  private let bytes: RecordingBytes
  private let handle: OpaquePointer
  private var position = 0

  init(_ bytes: RecordingBytes) throws(AudioFault) {
    self.bytes = bytes
    bytes.position = 0
    var code: Int32 = 0
    guard let handle = unsafe mpg123_new(nil, &code) else {
      throw .unreadable(path: bytes.path, reason: MPEGDecoder.words(code))
    }
    unsafe self.handle = handle
    // Its own lines would go to the standard error without the file's name.
    let flags = Int(MPG123_FORCE_FLOAT.rawValue) | Int(MPG123_QUIET.rawValue)
    unsafe mpg123_param2(handle, Int32(MPG123_ADD_FLAGS.rawValue), flags, 0)
    unsafe mpg123_replace_reader_handle(
      handle,
      { source, buffer, count in
        unsafe recording(source).read(
          into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
      },
      { source, offset, whence in unsafe off_t(recording(source).seek(Int(offset), whence)) }, nil)
    let source = unsafe Unmanaged.passUnretained(bytes).toOpaque()
    var (rate, count, encoding) = (0, Int32(0), Int32(0))
    code = unsafe mpg123_open_handle(handle, source)
    if code == MPG123_OK.rawValue {
      code = unsafe mpg123_getformat(handle, &rate, &count, &encoding)
    }
    if code == MPG123_OK.rawValue {
      unsafe mpg123_format_none(handle)
      code = unsafe mpg123_format(handle, rate, count, Int32(MPG123_ENC_FLOAT_32.rawValue))
    }
    (sampleRate, channels) = (rate, Int(count))
    let isCounted = try MPEGDecoder.hasFrameCount(bytes)
    let length = unsafe Int(mpg123_length(handle))
    promised = isCounted && length > 0 ? Promise(count: length, unit: "samples") : nil
    if let fault = bytes.fault { throw .system(fault) }
    guard code == MPG123_OK.rawValue else {
      throw .unreadable(path: bytes.path, reason: MPEGDecoder.words(code))
    }
  }

  deinit { unsafe mpg123_delete(handle) }

  func seek(to sample: Int) -> Int {
    let place = unsafe Int(mpg123_seek(handle, off_t(sample), SEEK_SET))
    if place >= 0 { position = place }
    return max(0, place)
  }

  func read(into samples: inout [Float], count: Int) throws(AudioFault) -> Int {
    var done = 0
    while done < count {
      var got = 0
      let code = unsafe samples.withUnsafeMutableBytes { buffer in
        let rest = unsafe UnsafeMutableRawBufferPointer(
          rebasing: buffer[(4 * done * channels)..<(4 * count * channels)])
        return unsafe mpg123_read(handle, rest.baseAddress, rest.count, &got)
      }
      done += got / (4 * channels)
      if let fault = bytes.fault { throw .system(fault) }
      switch code {
      case MPG123_OK.rawValue where got > 0: continue
      case MPG123_OK.rawValue, MPG123_DONE.rawValue:
        position += done
        return done
      case MPG123_NEW_FORMAT.rawValue: try requireFormat(after: position + done)
      default:
        throw .unreadable(
          path: bytes.path,
          reason:
            "\(unsafe String(cString: mpg123_strerror(handle))) after \(position + done) samples")
      }
    }
    position += done
    return done
  }

  /// Throws when the stream goes on at another rate or with other channels.
  private func requireFormat(after sample: Int) throws(AudioFault) {
    var (rate, count, encoding) = (0, Int32(0), Int32(0))
    unsafe mpg123_getformat(handle, &rate, &count, &encoding)
    guard rate == sampleRate, Int(count) == channels else {
      throw .otherStream(
        path: bytes.path, after: sample,
        found: "\(rate) Hz and \(count) channel\(count == 1 ? "" : "s")")
    }
  }

  func checkEnd(decoded: Int?) throws(AudioFault) {
    if let decoded, let promised, promised.count > decoded {
      throw .truncated(path: bytes.path, promised: promised.count, found: decoded, unit: "samples")
    }
  }

  /// Whether a stream begins with a frame of MPEG audio, layers I to III, perhaps behind an ID3v2 tag.
  static func canRead(_ bytes: RecordingBytes) throws(AudioFault) -> Bool {
    let header = try bytes.bytes(at: try firstFrame(of: bytes), count: 4)
    // Eleven bits of ones, then fields of which some values are reserved (ISO 11172-3, section 2.4.1.3).
    return header.count == 4 && header[0] == 0xFF && header[1] & 0xE0 == 0xE0
      && header[1] & 0x18 != 0x08 && header[1] & 0x06 != 0 && header[2] & 0xF0 != 0xF0
      && header[2] & 0x0C != 0x0C
  }

  /// Where the first frame is: behind an ID3v2 tag, where there is one.
  private static func firstFrame(of bytes: RecordingBytes) throws(AudioFault) -> Int {
    let tag = try bytes.bytes(at: 0, count: 10)
    guard tag.count == 10, tag.starts(with: "ID3".utf8) else { return 0 }
    return 10 + tag[6...].reduce(0) { $0 << 7 | Int($1 & 0x7F) }
  }

  /// Whether the first frame counts the frames: a Xing or Info header with that field.
  private static func hasFrameCount(_ bytes: RecordingBytes) throws(AudioFault) -> Bool {
    let head = try bytes.bytes(at: try firstFrame(of: bytes), count: 2048)
    guard
      let mark = head.firstRange(of: Array("Xing".utf8)) ?? head.firstRange(of: Array("Info".utf8)),
      mark.lowerBound < 64, head.count > mark.upperBound + 4
    else { return false }
    return head[mark.upperBound + 3] & 1 != 0
  }

  private static func words(_ code: Int32) -> String {
    unsafe String(cString: mpg123_plain_strerror(code))
  }
}
