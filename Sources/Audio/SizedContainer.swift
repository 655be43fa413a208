import Foundation

/// A container whose header gives its length, so that another may follow it.
enum SizedContainer: CaseIterable {
  case aiff, au, caf, rf64, sphere, wave64

  private var mark: String {
    switch self {
    case .aiff: "FORM"
    case .au: ".snd"
    case .caf: "caff"
    case .rf64: "RF64"
    case .sphere: "NIST_1A"
    case .wave64: "riff."
    }
  }

  /// The container that starts with these bytes; nil for other formats.
  init?(_ head: [UInt8]) {
    guard let kind = SizedContainer.allCases.first(where: { head.starts(with: $0.mark.utf8) })
    else { return nil }
    self = kind
  }

  /// Finds the streams of files of this kind joined end to end.
  func streams(
    in bytes: RecordingBytes
  ) throws(AudioFault) -> (streams: [RecordingStream], remark: String?) {
    var streams: [RecordingStream] = []
    var start = 0
    while true {
      let own = RecordingBytes(start..<bytes.count, of: bytes)
      let length = try length(of: own)
      guard let length, length > 0, length < own.count else {
        streams.append(RecordingStream(range: start..<bytes.count))
        if length == 0 { streams[streams.count - 1].patch = try unknownLength(of: own) }
        return (streams, nil)
      }
      guard try own.bytes(at: length, count: 8).starts(with: mark.utf8) else {
        streams.append(RecordingStream(range: start..<bytes.count))
        let rest = own.count - length
        // libsndfile reads SPHERE to the end of the file; its decoder reports the difference.
        return (
          streams,
          self == .sphere || rest <= 1
            ? nil : "\(rest) bytes after the end that the header gives"
        )
      }
      streams.append(RecordingStream(range: start..<start + length))
      start += length
    }
  }

  /// The length of a file by its header; nil if the header has none, 0 if the samples were not
  /// counted.
  private func length(of bytes: RecordingBytes) throws(AudioFault) -> Int? {
    let head = try bytes.bytes(at: 0, count: self == .sphere ? 1024 : 40)
    guard head.count >= 28 else { return nil }
    switch self {
    case .aiff: return 8 + SizedContainer.bigEndian(head[4..<8])
    case .au:
      let size = SizedContainer.bigEndian(head[8..<12])
      if size == 0 { return 0 }
      return size == 0xFFFF_FFFF ? nil : SizedContainer.bigEndian(head[4..<8]) + size
    case .caf: return try SizedContainer.chunksLength(bytes)
    case .rf64:
      // The 64-bit sizes are in the first chunk (EBU Tech 3306).
      guard head[12...].starts(with: "ds64".utf8) else { return nil }
      return SizedContainer.size(head[20..<28], adding: 8)
    case .sphere: return SizedContainer.sphereLength(String(decoding: head, as: UTF8.self))
    case .wave64: return SizedContainer.size(head[16..<24], adding: 0)
    }
  }

  /// A patch that marks the length of an AU file as unknown.
  private func unknownLength(
    of bytes: RecordingBytes
  ) throws(AudioFault) -> RecordingStream.Patch? {
    let offset = SizedContainer.bigEndian(try bytes.bytes(at: 4, count: 4)[...])
    return offset < bytes.count
      ? RecordingStream.Patch(offset: 8, bytes: [0xFF, 0xFF, 0xFF, 0xFF]) : nil
  }

  /// The length of a CAF file, by its chunks.
  ///
  /// The chunk of samples may be the last one with a size of -1, which means up to the end of the
  /// file.
  private static func chunksLength(_ bytes: RecordingBytes) throws(AudioFault) -> Int? {
    var place = 8
    while true {
      let chunk = try bytes.bytes(at: place, count: 12)
      guard chunk.count == 12, !chunk.starts(with: "caff".utf8) else { return place }
      guard chunk[4] < 0x40 else { return nil }
      place += 12 + bigEndian(chunk[4..<12])
      if place > bytes.count { return nil }
    }
  }

  private static func sphereLength(_ header: String) -> Int? {
    func field(_ name: String) -> Int? {
      header.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        .flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
    }
    let lines = header.split(separator: "\n")
    guard lines.count > 1, let start = Int(lines[1].trimmingCharacters(in: .whitespaces)),
      let samples = field("sample_count"), let width = field("sample_n_bytes"),
      samples > 0, width > 0, start > 0
    else { return nil }
    let (frames, overflow) = samples.multipliedReportingOverflow(
      by: width &* (field("channel_count") ?? 1))
    return overflow || frames > Int.max / 2 || start > 1 << 20 ? nil : start + frames
  }

  private static func bigEndian(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }

  /// The size in eight little-endian bytes; nil if it makes no sense.
  private static func size(_ bytes: ArraySlice<UInt8>, adding more: Int) -> Int? {
    let size = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return size < 1 << 62 && size > 0 ? Int(size) + more : nil
  }
}
