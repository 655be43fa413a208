/// The header of a FLAC file (RFC 9639, section 8).
enum FLACHeader {
  /// The offset of the file, after any ID3v2 tag; nil when it is not FLAC.
  static func start(in bytes: RecordingBytes) throws(AudioFault) -> Int? {
    let start = try MPEGDecoder.firstFrame(of: bytes)
    return try isStart(bytes, at: start) ? start : nil
  }

  /// Whether FLAC's mark is followed by a STREAMINFO block, which does not occur by chance.
  private static func isStart(_ bytes: RecordingBytes, at offset: Int) throws(AudioFault) -> Bool {
    let mark = try bytes.bytes(at: offset, count: 8)
    return mark.starts(with: "fLaC".utf8) && mark[4...].elementsEqual([mark[4] & 0x80, 0, 0, 34])
  }

  /// Finds the streams of files joined end to end.
  ///
  /// libsndfile reads no more samples than the header counts, so the count is hidden from it.
  static func streams(
    in bytes: RecordingBytes, from start: Int
  ) throws(AudioFault) -> (streams: [RecordingStream], remark: String?) {
    var headers = [start]
    while let last = headers.last,
      let next = try bytes.next(
        "fLaC", from: last + 1,
        where: { (offset: Int) throws(AudioFault) in try isStart(bytes, at: offset) })
    {
      headers.append(next)
    }
    var streams = RecordingStream.consecutive([0] + headers.dropFirst(), to: bytes.count)
    for (index, header) in headers.enumerated() {
      // The sample count is 36 bits, after block sizes, frame sizes, rate, channels and bit depth.
      let count = try bytes.bytes(at: header + 21, count: 5)
      guard count.count == 5 else { continue }
      let samples = count[1...].reduce(Int(count[0] & 0x0F)) { $0 << 8 | Int($1) }
      guard samples > 0 else { continue }
      streams[index].promised = samples
      if !bytes.isInArchive {
        streams[index].patch = RecordingStream.Patch(
          offset: header + 21 - streams[index].range.lowerBound,
          bytes: [count[0] & 0xF0, 0, 0, 0, 0])
      }
    }
    return (streams, nil)
  }

  /// Whether the recording, without any ID3v1 tag, ends with a whole frame.
  ///
  /// A frame ends with a CRC-16 (section 9.3 there), so the remainder over a whole frame is 0.
  static func endsWithFrame(_ bytes: RecordingBytes) throws(AudioFault) -> Bool {
    let tag = try bytes.bytes(at: bytes.count - 128, count: 3)
    let end = tag.elementsEqual("TAG".utf8) ? bytes.count - 128 : bytes.count
    let first = max(0, end - mostFrameBytes)
    let last = try bytes.bytes(at: first, count: end - first)
    for start in stride(from: last.count - 2, through: 0, by: -1)
    where last[start] == 0xFF && last[start + 1] & 0xFE == 0xF8 {
      if last[start...].reduce(UInt16(0), remainder) == 0 { return true }
    }
    return false
  }

  /// The number of bytes searched for the last frame.
  ///
  /// Only several channels of noise have longer frames.
  private static let mostFrameBytes = 1 << 18

  /// Updates the CRC-16 of a frame, with polynomial x¹⁶ + x¹⁵ + x² + 1, by a byte.
  private static func remainder(_ check: UInt16, _ byte: UInt8) -> UInt16 {
    (0..<8).reduce(check ^ UInt16(byte) << 8) { check, _ in
      check & 0x8000 == 0 ? check << 1 : check << 1 ^ 0x8005
    }
  }
}
