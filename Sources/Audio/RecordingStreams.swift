import Foundation

/// The streams that follow each other in the bytes of one recording, as files joined by `cat` have them.
///
/// Decoders stop at the end of the first. MP3 has no such end: its frames follow each other.
struct RecordingStreams {
  /// The bytes of each, in their order; one at least.
  let ranges: [Range<Int>]
  /// The offset of a WAV header's size of the samples, which is 0 though there are samples; nil when it is right.
  let unfinishedSize: Int?
  /// What is wrong with the header's sizes, in words; nil when nothing is.
  let remark: String?

  /// Finds where streams of FLAC, Ogg and WAV start.
  init(_ bytes: RecordingBytes) throws(AudioFault) {
    let head = try bytes.bytes(at: 0, count: 12)
    var starts = [0]
    var (unfinished, remark): (Int?, String?) = (nil, nil)
    if head.starts(with: "OggS".utf8) {
      starts = try RecordingStreams.oggStarts(bytes)
    } else if head.starts(with: "fLaC".utf8) {
      starts = try RecordingStreams.flacStarts(bytes)
    } else if head.starts(with: "RIFF".utf8), head.dropFirst(8).starts(with: "WAVE".utf8) {
      (starts, unfinished, remark) = try RecordingStreams.waveStarts(bytes)
    }
    ranges = zip(starts, starts.dropFirst() + [bytes.count]).map { $0..<$1 }
    (unfinishedSize, self.remark) = (unfinished, remark)
  }

  /// Where logical streams begin that follow others (RFC 3533, section 4: chained).
  private static func oggStarts(_ bytes: RecordingBytes) throws(AudioFault) -> [Int] {
    var starts = [0]
    var (place, isInside) = (0, false)
    while true {
      let header = try bytes.bytes(at: place, count: 27 + 255)
      guard header.count >= 27, header.starts(with: "OggS".utf8) else { return starts }
      let isFirst = header[5] & 2 != 0
      if isFirst, isInside { starts.append(place) }
      isInside = !isFirst
      let segments = Int(header[26])
      guard header.count >= 27 + segments else { return starts }
      place += 27 + segments + header[27..<27 + segments].reduce(0) { $0 + Int($1) }
    }
  }

  /// Where FLAC's mark stands before a STREAMINFO (RFC 9639, section 8.2), which does not occur by chance.
  private static func flacStarts(_ bytes: RecordingBytes) throws(AudioFault) -> [Int] {
    var starts = [0]
    let mark = Array("fLaC".utf8)
    let blockLength = 1 << 20
    for offset in stride(from: 1, to: bytes.count, by: blockLength) {
      // A mark may lie across two blocks.
      let block = try bytes.bytes(at: offset, count: blockLength + 7)
      var rest = block[...]
      while let found = rest.firstRange(of: mark) {
        let info = block[found.upperBound...].prefix(4)
        if info.elementsEqual([0, 0, 0, 34]) || info.elementsEqual([0x80, 0, 0, 34]),
          found.lowerBound < blockLength
        {
          starts.append(offset + found.lowerBound)
        }
        rest = block[found.upperBound...]
      }
    }
    return starts
  }

  /// Where RIFF files begin, and what is wrong with the size of the samples.
  private static func waveStarts(
    _ bytes: RecordingBytes
  ) throws(AudioFault) -> (starts: [Int], unfinishedSize: Int?, remark: String?) {
    var starts = [0]
    var (place, hasSamples) = (12, false)
    while place + 8 <= bytes.count {
      let chunk = try bytes.bytes(at: place, count: 12)
      guard chunk.count >= 8 else { break }
      let length = RecordingBytes.littleEndian(chunk[4..<8])
      if hasSamples, chunk.count == 12, chunk.starts(with: "RIFF".utf8),
        chunk[8...].starts(with: "WAVE".utf8)
      {
        starts.append(place)
        (place, hasSamples) = (place + 12, false)
        continue
      }
      let isChunk = isChunk(chunk, length, at: place, of: bytes)
      guard isChunk else {
        guard hasSamples else { break }
        return (starts, nil, "\(bytes.count - place) bytes behind the end that the header gives")
      }
      if chunk.starts(with: "data".utf8) {
        hasSamples = true
        if length == 0, starts.count == 1, place + 8 < bytes.count {
          let next = try bytes.bytes(at: place + 8, count: 8)
          let nextLength = next.count == 8 ? RecordingBytes.littleEndian(next[4..<8]) : 0
          if next.count < 8 || !RecordingStreams.isChunk(next, nextLength, at: place + 8, of: bytes)
          {
            return (
              starts, place + 4,
              "a header that says 0 bytes of samples, \(bytes.count - place - 8) in the file"
            )
          }
        }
      }
      place += 8 + length + length % 2
    }
    return (starts, nil, nil)
  }

  /// Whether bytes may be a chunk's header: four letters, and a length that fits.
  private static func isChunk(
    _ header: [UInt8], _ length: Int, at place: Int, of bytes: RecordingBytes
  ) -> Bool {
    header.prefix(4).allSatisfy { (0x20...0x7E).contains($0) }
      && place + 8 + length <= bytes.count + 1
  }
}
