import Foundation
import Synchronization

/// One of the consecutive streams in a recording.
struct RecordingStream: Sendable, Equatable {
  /// Bytes of a header to read in place of the file's.
  struct Patch: Sendable, Equatable {
    /// The offset from the start of the stream.
    var offset: Int
    var bytes: [UInt8]
  }

  /// The bytes of the stream, as offsets in the recording.
  var range: Range<Int>
  /// A patch that makes libsndfile read to the end when the header gives no length.
  var patch: Patch?
  /// The number of samples per channel in the header, when the patch hides it.
  var promised: Int?
  /// Whether the end mark is missing that the format requires.
  var lacksEnd = false
  /// In Ogg, the number of samples up to the end of each of the last three pages.
  var granules: [Int] = []
}

/// The consecutive streams in the bytes of a recording, as in files joined by `cat`.
///
/// Decoders stop at the end of the first. MP3 has no such end: its frames simply follow each other.
struct RecordingStreams: Sendable {
  /// The streams in their order; at least one.
  let streams: [RecordingStream]
  /// What is unusual about the lengths in the headers; nil when nothing is.
  let remark: String?

  private init(_ streams: [RecordingStream], _ remark: String?) {
    (self.streams, self.remark) = (streams, remark)
  }

  /// Finds the streams of a recording.
  ///
  /// The result is cached for the last few files, since utterances may be parts of one long
  /// recording.
  static func find(in bytes: RecordingBytes) throws(AudioFault) -> RecordingStreams {
    if let found = remembered.withLock({ $0[bytes.identity] }) { return found }
    let streams = try RecordingStreams(bytes)
    remembered.withLock {
      if $0.count >= 64 { $0.removeAll() }
      $0[bytes.identity] = streams
    }
    return streams
  }

  private static let remembered = Mutex<[RecordingBytes.Identity: RecordingStreams]>([:])

  private init(_ bytes: RecordingBytes) throws(AudioFault) {
    let head = try bytes.bytes(at: 0, count: 12)
    let found: (streams: [RecordingStream], remark: String?) =
      if head.starts(with: "OggS".utf8) {
        try OggPages.streams(in: bytes)
      } else if WaveChunks.isStart(head) {
        try WaveChunks.streams(in: bytes)
      } else if let start = try FLACHeader.start(in: bytes) {
        try FLACHeader.streams(in: bytes, from: start)
      } else if let container = SizedContainer(head) {
        try container.streams(in: bytes)
      } else {
        ([RecordingStream(range: 0..<bytes.count)], nil)
      }
    if bytes.isInArchive {
      // Whatever follows belongs to another entry.
      self.init([found.streams[0]], nil)
    } else {
      self.init(found.streams, found.remark)
    }
  }
}

extension RecordingStream {
  /// Streams that start at the given offsets, each ending at the next.
  static func consecutive(_ starts: [Int], to end: Int) -> [RecordingStream] {
    zip(starts, starts.dropFirst() + [end]).map { RecordingStream(range: $0..<$1) }
  }
}

extension RecordingBytes {
  /// Finds the next mark.
  ///
  /// - Parameters:
  ///   - word: the word that the mark starts with.
  ///   - offset: the offset at which to start the search.
  ///   - isMark: whether an occurrence of the word, given by its offset, is a mark.
  /// - Returns: the offset of the mark; nil when there is none.
  /// - Throws: `AudioFault` when the system fails.
  func next(
    _ word: String, from offset: Int, where isMark: (Int) throws(AudioFault) -> Bool
  ) throws(AudioFault) -> Int? {
    let word = Array(word.utf8)
    let blockLength = 1 << 20
    var start = offset
    while start < count {
      // A mark may span two blocks.
      let block = try bytes(at: start, count: blockLength + word.count - 1)
      for place in block.places(of: word) where try isMark(start + place) { return start + place }
      start += blockLength
    }
    return nil
  }
}

extension [UInt8] {
  /// The offsets of a word of at least one byte.
  fileprivate func places(of word: [UInt8]) -> [Int] {
    var places: [Int] = []
    unsafe withUnsafeBytes { all in
      guard let start = all.baseAddress, let first = word.first else { return }
      var from = 0
      while from < all.count,
        let found = unsafe memchr(start + from, Int32(first), all.count - from)
      {
        let place = unsafe UnsafeRawPointer(found) - start
        if unsafe all[place...].starts(with: word) { places.append(place) }
        from = place + 1
      }
    }
    return places
  }
}
