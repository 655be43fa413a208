/// The pages of an Ogg file (RFC 3533).
enum OggPages {
  /// The fields of a page's header that show where streams start and end.
  private struct Page {
    let isFirst: Bool
    let isLast: Bool
    let serial: Int
    let sequence: Int
    /// The number of samples up to the end of the page, at the codec's rate; nil if no packet ends
    /// in it.
    let granule: Int?
    let length: Int

    init?(_ bytes: RecordingBytes, at place: Int) throws(AudioFault) {
      let header = try bytes.bytes(at: place, count: 27 + 255)
      guard header.count >= 27, header.starts(with: "OggS".utf8), header[4] == 0 else { return nil }
      let segments = Int(header[26])
      guard header.count >= 27 + segments else { return nil }
      (isFirst, isLast) = (header[5] & 2 != 0, header[5] & 4 != 0)
      serial = RecordingBytes.littleEndian(header[14..<18])
      sequence = RecordingBytes.littleEndian(header[18..<22])
      let position = header[6..<14].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      granule = position < 1 << 62 ? Int(position) : nil
      length = 27 + segments + header[27..<27 + segments].reduce(0) { $0 + Int($1) }
    }
  }

  /// Finds the chained streams (section 4 there) of a file that starts with a page.
  ///
  /// The last page of a stream is marked as such. Without the mark, the stream was cut short.
  static func streams(
    in bytes: RecordingBytes
  ) throws(AudioFault) -> (streams: [RecordingStream], remark: String?) {
    var streams: [RecordingStream] = []
    var current = RecordingStream(range: 0..<0)
    // Interleaved streams start with the first pages of all of them.
    var (isInside, isEnded, place, end) = (false, false, 0, 0)
    var next: [Int: Int] = [:]
    var gaps = 0
    while let found = try page(in: bytes, at: place, lastStart: end) {
      let page = found.page
      if page.isFirst, isInside {
        current.lacksEnd = !isEnded
        streams.append(current)
        current = RecordingStream(range: found.start..<found.start)
        next = [:]
      } else if found.start > place {
        gaps += 1
      }
      isInside = !page.isFirst
      if let expected = next[page.serial], expected != page.sequence { gaps += 1 }
      next[page.serial] = page.sequence &+ 1
      if let granule = page.granule {
        current.granules = current.granules.suffix(2) + [granule]
      }
      end = found.start
      place = found.start + page.length
      // A truncated page does not end its stream, even if it is marked as the last.
      isEnded = page.isLast && place <= bytes.count
      current.range = current.range.lowerBound..<min(place, bytes.count)
    }
    current.lacksEnd = !isEnded
    streams.append(current)
    if gaps > 0 {
      return (streams, "missing Ogg pages in \(gaps) place\(gaps == 1 ? "" : "s")")
    }
    let rest = bytes.count - place
    return (streams, rest > 0 ? "\(rest) bytes after the last Ogg page" : nil)
  }

  /// The page at an offset, or the next one if there is none.
  ///
  /// After a truncated page, the search resumes right after the start of that page.
  private static func page(
    in bytes: RecordingBytes, at place: Int, lastStart: Int
  ) throws(AudioFault) -> (start: Int, page: Page)? {
    if let page = try Page(bytes, at: place) { return (place, page) }
    guard place > 0,
      let start = try bytes.next(
        "OggS", from: lastStart + 4,
        where: { (offset: Int) throws(AudioFault) in
          try Page(bytes, at: offset) != nil
        }),
      let page = try Page(bytes, at: start)
    else { return nil }
    return (start, page)
  }
}
