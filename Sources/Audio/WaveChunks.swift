/// The chunks of a WAV file (RIFF).
enum WaveChunks {
  static func isStart(_ header: [UInt8]) -> Bool {
    header.count >= 12 && header.starts(with: "RIFF".utf8) && header[8...].starts(with: "WAVE".utf8)
  }

  /// Finds the streams of files joined end to end, and what is wrong with the sizes of their
  /// samples.
  static func streams(
    in bytes: RecordingBytes
  ) throws(AudioFault) -> (streams: [RecordingStream], remark: String?) {
    var streams: [RecordingStream] = []
    var remark: String?
    var start = 0
    while start < bytes.count {
      let found = try stream(in: bytes, from: start)
      streams.append(found.stream)
      remark = remark ?? found.remark
      start = found.stream.range.upperBound
    }
    return (streams, remark)
  }

  /// The stream that starts at an offset.
  private static func stream(
    in bytes: RecordingBytes, from start: Int
  ) throws(AudioFault) -> (stream: RecordingStream, remark: String?) {
    var place = start + 12
    var samples: Int?
    while place + 8 <= bytes.count {
      let chunk = try bytes.bytes(at: place, count: 12)
      if samples != nil, isStart(chunk) { return (RecordingStream(range: start..<place), nil) }
      let length = RecordingBytes.littleEndian(chunk[4..<8])
      let body = place + 8
      let isData = chunk.starts(with: "data".utf8)
      if isData, try isUnknown(length, at: body, of: bytes) {
        let end = try nextStart(in: bytes, from: body) ?? bytes.count
        var stream = RecordingStream(range: start..<end)
        guard length == 0 else { return (stream, nil) }
        // A size that means "unknown" to libsndfile, which then reads to the end.
        stream.patch = RecordingStream.Patch(
          offset: place + 4 - start, bytes: [0xFF, 0xFF, 0xFF, 0x7F])
        return (stream, "a header that says 0 bytes of samples, \(end - body) in the file")
      }
      guard isChunk(chunk, at: place, of: bytes) else {
        guard let samples else { break }
        // The file may hold fewer samples than the header says, or more.
        let end = try nextStart(in: bytes, from: samples) ?? bytes.count
        let rest = end > place ? "\(end - place) bytes after the end that the header gives" : nil
        return (RecordingStream(range: start..<end), rest)
      }
      if isData { samples = body }
      place = body + length
      // Some programs omit the byte that pads the length to an even number.
      if length % 2 == 1, !isStart(try bytes.bytes(at: place, count: 12)) { place += 1 }
    }
    return (RecordingStream(range: start..<bytes.count), nil)
  }

  /// Whether a chunk's size does not tell the number of samples.
  private static func isUnknown(
    _ length: Int, at body: Int, of bytes: RecordingBytes
  ) throws(AudioFault) -> Bool {
    guard length == 0 else {
      return length >= smallestUnknownLength && body + length > bytes.count
    }
    guard body < bytes.count else { return false }
    return isChunk(try bytes.bytes(at: body, count: 8), at: body, of: bytes) == false
  }

  /// The offset of the next WAV file.
  private static func nextStart(
    in bytes: RecordingBytes, from offset: Int
  ) throws(AudioFault) -> Int? {
    try bytes.next(
      "RIFF", from: offset,
      where: { (place: Int) throws(AudioFault) in
        let header = try bytes.bytes(at: place, count: 16)
        return isStart(header) && header[12...].allSatisfy { (0x20...0x7E).contains($0) }
      })
  }

  /// Whether bytes may be a chunk's header: four letters, and a length that fits.
  private static func isChunk(
    _ header: [UInt8], at place: Int, of bytes: RecordingBytes
  ) -> Bool {
    header.count >= 8 && header.prefix(4).allSatisfy { (0x20...0x7E).contains($0) }
      && place + 8 + RecordingBytes.littleEndian(header[4..<8]) <= bytes.count + 1
  }
}

/// A length of at least this many bytes means "unknown".
///
/// Programs that write to a pipe cannot know the length, and write a number near 2³¹ or 2³²
/// instead.
let smallestUnknownLength = 0x7FFF_0000
