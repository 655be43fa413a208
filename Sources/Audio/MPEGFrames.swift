import CMpg123
import Foundation

/// All frames of a stream of MPEG audio, as libmpg123 decodes them.
///
/// They include the delays of encoder and decoder and the padding.
@safe final class MPEGFrames {
  let sampleRate: Int
  let channels: Int
  /// What the first frame says about the stream; nil when it is no header or counts no frames.
  private(set) var header: MPEGHeader?
  /// The number of bytes skipped between frames.
  private(set) var passedOver = 0
  private let handle: OpaquePointer
  /// The bytes being read, which start after the last bytes skipped.
  private var bytes: RecordingBytes
  /// The number of samples decoded so far.
  private(set) var position = 0
  private var isEnded = false
  /// The end of the last frame; set when no frame follows the bytes skipped.
  private var end: Int?

  init(_ bytes: RecordingBytes) throws(AudioFault) {
    self.bytes = bytes
    var code: Int32 = 0
    guard let handle = unsafe mpg123_new(nil, &code) else {
      throw .unreadable(path: bytes.origin, reason: MPEGFrames.words(code))
    }
    unsafe self.handle = handle
    // QUIET: its messages to standard error would lack the file's name.
    // NO_RESYNC: it would accept the first bytes that look like a frame.
    let flags =
      Int(MPG123_FORCE_FLOAT.rawValue) | Int(MPG123_QUIET.rawValue) | Int(MPG123_NO_RESYNC.rawValue)
    unsafe mpg123_param2(handle, Int32(MPG123_ADD_FLAGS.rawValue), flags, 0)
    unsafe mpg123_param2(
      handle, Int32(MPG123_REMOVE_FLAGS.rawValue),
      Int(MPG123_AUTO_RESAMPLE.rawValue) | Int(MPG123_GAPLESS.rawValue), 0)
    // After a seek, a frame may need the 511 bytes before it, which may be many short frames.
    unsafe mpg123_param2(handle, Int32(MPG123_PREFRAMES.rawValue), 40, 0)
    let format = unsafe MPEGFrames.open(bytes, handle)
    (sampleRate, channels) = (format.rate, format.channels)
    code = format.code
    let first = max(0, unsafe Int(mpg123_framepos(handle)))
    if try MPEGDecoder.hasFrameCount(bytes, before: first) { header = unsafe MPEGHeader(handle) }
    if let fault = bytes.fault { throw .system(fault) }
    guard code == MPG123_OK.rawValue else {
      throw .unreadable(path: bytes.origin, reason: MPEGFrames.words(code))
    }
  }

  deinit { unsafe mpg123_delete(handle) }

  /// Opens the stream at the first byte.
  private static func open(
    _ bytes: RecordingBytes, _ handle: OpaquePointer
  ) -> (code: Int32, rate: Int, channels: Int) {
    bytes.position = 0
    unsafe mpg123_replace_reader_handle(
      handle,
      { source, buffer, count in
        unsafe recording(source).read(
          into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
      },
      { source, offset, whence in unsafe off_t(recording(source).seek(Int(offset), whence)) }, nil)
    let source = unsafe Unmanaged.passUnretained(bytes).toOpaque()
    var code = unsafe mpg123_open_handle(handle, source)
    var (rate, count, encoding) = (0, Int32(0), Int32(0))
    if code == MPG123_OK.rawValue {
      code = unsafe mpg123_getformat(handle, &rate, &count, &encoding)
    }
    return (code, rate, Int(count))
  }

  /// Seeks to a sample, or to an earlier one if that is impossible.
  func seek(to sample: Int) throws(AudioFault) {
    let place = unsafe Int(mpg123_seek(handle, off_t(sample), SEEK_SET))
    if let fault = bytes.fault { throw .system(fault) }
    position = place >= 0 ? place : max(0, unsafe Int(mpg123_tell(handle)))
  }

  /// Reads the next samples of all channels, interleaved.
  ///
  /// - Returns: the number of samples per channel; less than `count` only at the end.
  func read(
    into samples: inout [Float], from first: Int, count: Int
  ) throws(AudioFault) -> Int {
    var done = 0
    defer { position += done }
    while done < count, !isEnded {
      var got = 0
      let code = unsafe samples.withUnsafeMutableBytes { buffer in
        let rest = unsafe UnsafeMutableRawBufferPointer(
          rebasing: buffer[(4 * (first + done) * channels)..<(4 * (first + count) * channels)])
        return unsafe mpg123_read(handle, rest.baseAddress, rest.count, &got)
      }
      done += got / (4 * channels)
      if let fault = bytes.fault { throw .system(fault) }
      switch code {
      case MPG123_OK.rawValue where got > 0: continue
      case MPG123_OK.rawValue, MPG123_DONE.rawValue: isEnded = true
      case MPG123_NEW_FORMAT.rawValue: try requireFormat(after: position + done)
      case _ where unsafe mpg123_errcode(handle) == Int32(MPG123_OUT_OF_SYNC.rawValue):
        if try passOver(to: endOfLastFrame) { try requireFormat(after: position + done) }
      default:
        throw .unreadable(
          path: bytes.origin,
          reason:
            "\(unsafe String(cString: mpg123_strerror(handle))) after \(position + done) samples")
      }
    }
    return done
  }

  /// Throws when the stream continues at another rate or with another number of channels.
  private func requireFormat(after sample: Int) throws(AudioFault) {
    while true {
      var (rate, count, encoding) = (0, Int32(0), Int32(0))
      unsafe mpg123_getformat(handle, &rate, &count, &encoding)
      guard rate != sampleRate || Int(count) != channels else { return }
      // Bytes that are not audio may look like one frame, but hardly like two.
      let start = max(0, unsafe Int(mpg123_framepos(handle)))
      let (one, next) = try (
        bytes.bytes(at: start, count: 4), bytes.bytes(at: endOfLastFrame, count: 4)
      )
      if MPEGDecoder.isFrame(next), one[1] == next[1], one[2] & 0x0C == next[2] & 0x0C {
        throw .otherStream(
          path: bytes.origin, after: sample,
          found: "\(rate) Hz and \(count) channel\(count == 1 ? "" : "s")")
      }
      passedOver += 1
      guard try passOver(to: start + 1) else { return }
    }
  }

  /// Continues at the next frame that is followed by another, or ends the stream.
  ///
  /// - Returns: whether there is such a frame, whose format is not known yet.
  private func passOver(to start: Int) throws(AudioFault) -> Bool {
    let place = min(start, bytes.count)
    let whole = bytes
    unsafe mpg123_close(handle)
    bytes = RecordingBytes(place..<whole.count, of: whole)
    unsafe mpg123_param2(handle, Int32(MPG123_RESYNC_LIMIT.rawValue), -1, 0)
    let format = unsafe MPEGFrames.open(bytes, handle)
    if let fault = bytes.fault { throw .system(fault) }
    guard place > 0, format.code == MPG123_OK.rawValue else {
      (isEnded, end) = (true, 0)
      return false
    }
    passedOver += max(0, unsafe Int(mpg123_framepos(handle)))
    return true
  }

  /// The end of the frame decoded last.
  private var endOfLastFrame: Int {
    if let end { return end }
    var frame = mpg123_frameinfo2()
    guard unsafe mpg123_info2(handle, &frame) == MPG123_OK.rawValue else { return bytes.count }
    return max(0, unsafe Int(mpg123_framepos(handle))) + Int(frame.framesize)
  }

  /// The number of bytes after the last frame and its tags, and whether they are a truncated frame.
  func rest() throws(AudioFault) -> (count: Int, isFrame: Bool) {
    let end = endOfLastFrame
    guard end <= bytes.count else { return (1, true) }
    var place = end
    while true {
      let head = try bytes.bytes(at: place, count: 16)
      if head.starts(with: "TAG".utf8) {
        place += 128
      } else if head.count >= 10, head.starts(with: "ID3".utf8) {
        place += 10 + head[6..<10].reduce(0) { $0 << 7 | Int($1 & 0x7F) }
      } else if head.count == 16, head.starts(with: "APETAGEX".utf8) {
        place += 32 + RecordingBytes.littleEndian(head[12..<16])
      } else {
        // A tag longer than the file is not a tag.
        let rest = bytes.count - (place > bytes.count ? end : place)
        return (rest, place == end && MPEGDecoder.isFrame(head))
      }
    }
  }

  private static func words(_ code: Int32) -> String {
    unsafe String(cString: mpg123_plain_strerror(code))
  }
}

/// What a Xing or Info header says about the samples of a stream.
///
/// Indices count the samples of all frames after the header.
struct MPEGHeader {
  /// The number of samples in all frames.
  let all: Int
  /// The first sample of the recording, and the end of its last.
  let start: Int
  let end: Int

  var count: Int { end - start }

  /// Reads the header of an open stream; nil when its numbers make no sense.
  @unsafe init?(_ handle: OpaquePointer) {
    func state(_ key: mpg123_state) -> Int {
      var (value, real) = (0, 0.0)
      let code = unsafe mpg123_getstate2(handle, Int32(key.rawValue), &value, &real)
      return code == MPG123_OK.rawValue ? max(0, value) : 0
    }
    all = unsafe Int(mpg123_length(handle))
    let delay = state(MPG123_DEC_DELAY)
    start = state(MPG123_ENC_DELAY) + delay
    // The padding includes the decoder's delay.
    end = min(all, all - state(MPG123_ENC_PADDING) + delay)
    guard start < end else { return nil }
  }
}
