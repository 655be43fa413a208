import Storage

/// Decodes a stream of MPEG audio (MP3) with libmpg123 directly.
///
/// libsndfile stops at the length that it estimates from the first frame, or reads from the first
/// of several headers.
///
/// When a header counts the frames, the delays of encoder and decoder at the start and the padding
/// at the end are removed, as libmpg123 does itself. But the padding is removed only if there are
/// as many frames as the header says.
final class MPEGDecoder: SampleDecoder {
  let coding = SampleCoding.other
  private let origin: Origin
  private let frames: MPEGFrames
  /// Samples decoded ahead, and how many of them per channel were returned.
  private var ahead: (samples: [Float], given: Int) = ([], 0)
  private var isBehindCount = false

  init(_ bytes: RecordingBytes) throws(AudioFault) {
    origin = bytes.origin
    frames = try MPEGFrames(bytes)
    isBehindCount = frames.header == nil
    try skip(to: frames.header?.start ?? 0)
  }

  var sampleRate: Int { frames.sampleRate }
  var channels: Int { frames.channels }
  private var start: Int { frames.header?.start ?? 0 }
  private var counted: Int? { frames.header?.count }

  /// Decodes and discards samples up to an index in the frames.
  private func skip(to sample: Int) throws(AudioFault) {
    var samples = [Float](repeating: 0, count: max(0, sample - frames.position) * channels)
    if !samples.isEmpty {
      _ = try frames.read(into: &samples, from: 0, count: sample - frames.position)
    }
  }

  func seek(to sample: Int) throws(AudioFault) -> Int {
    try frames.seek(to: max(0, start + min(sample, counted ?? sample) - MPEGDecoder.run))
    try skip(to: start)
    return frames.position - start
  }

  /// The number of samples, four frames, decoded before the samples requested.
  ///
  /// They fill the filters, so the samples requested agree with those of the whole recording except
  /// in the last bits, because the filters sum in a different order.
  private static let run = 4 * 1152

  func read(into samples: inout [Float], count: Int) throws(AudioFault) -> Int {
    var done = 0
    if let header = frames.header, !isBehindCount {
      done = try frames.read(
        into: &samples, from: 0, count: min(count, header.end - frames.position))
      guard frames.position == header.end else { return done }
      isBehindCount = true
      // The padding, and one more sample if there is one.
      let padding = header.all - header.end
      var rest = [Float](repeating: 0, count: (padding + 1) * channels)
      let got = try frames.read(into: &rest, from: 0, count: padding + 1)
      if got > padding { ahead = (rest, 0) }
    }
    let waiting = min(count - done, ahead.samples.count / channels - ahead.given)
    for index in 0..<waiting * channels {
      samples[done * channels + index] = ahead.samples[ahead.given * channels + index]
    }
    ahead.given += waiting
    done += waiting
    return try done + frames.read(into: &samples, from: done, count: count - done)
  }

  func checkEnd(decoded: Int?) throws(AudioFault) {
    guard let decoded, let counted, counted > decoded, try frames.rest().isFrame else { return }
    throw .truncated(path: origin, promised: counted, found: decoded, unit: "samples")
  }

  func remark(decoded: Int) throws(AudioFault) -> String? {
    var remarks: [String] = []
    if let counted, counted != decoded {
      remarks.append("\(counted) samples promised by the header, \(decoded) in the file")
    }
    if frames.passedOver > 0 {
      remarks.append("\(frames.passedOver) bytes between frames that are not audio")
    }
    let rest = try frames.rest()
    if rest.isFrame {
      remarks.append("a truncated last frame")
    } else if rest.count > 0 {
      remarks.append("\(rest.count) bytes after its last frame")
    }
    return remarks.isEmpty ? nil : remarks.joined(separator: "; ")
  }

  /// Whether a stream starts with a frame of MPEG audio, layers I to III, after any ID3v2 tag.
  static func canRead(_ bytes: RecordingBytes) throws(AudioFault) -> Bool {
    isFrame(try bytes.bytes(at: try firstFrame(of: bytes), count: 4))
  }

  /// Whether bytes are the header of a frame (ISO 11172-3, section 2.4.1.3).
  ///
  /// It starts with eleven bits of ones; the fields after them must not have reserved values.
  static func isFrame(_ header: [UInt8]) -> Bool {
    header.count >= 4 && header[0] == 0xFF && header[1] & 0xE0 == 0xE0
      && header[1] & 0x18 != 0x08 && header[1] & 0x06 != 0 && header[2] & 0xF0 != 0xF0
      && header[2] & 0x0C != 0x0C
  }

  /// The offset of the audio, after any ID3v2 tag.
  static func firstFrame(of bytes: RecordingBytes) throws(AudioFault) -> Int {
    let tag = try bytes.bytes(at: 0, count: 10)
    guard tag.count == 10, tag.starts(with: "ID3".utf8) else { return 0 }
    return 10 + tag[6...].reduce(0) { $0 << 7 | Int($1 & 0x7F) }
  }

  /// Whether a Xing or Info header counts the frames; it is in the frame before the first of audio.
  static func hasFrameCount(
    _ bytes: RecordingBytes, before first: Int
  ) throws(AudioFault) -> Bool {
    let longest = 2048
    let head = try bytes.bytes(at: max(0, first - longest), count: min(first, longest))
    // After four bytes and the side information, whose length depends on version and channels.
    for start in head.indices.reversed() where isFrame(Array(head[start...].prefix(4))) {
      for place in [13, 21, 36].map({ start + $0 }) where place + 8 <= head.count {
        let mark = head[place..<place + 4]
        if mark.elementsEqual("Xing".utf8) || mark.elementsEqual("Info".utf8) {
          return head[place + 7] & 1 != 0
        }
      }
    }
    return false
  }
}
