import Foundation
import Synchronization

/// One of the streams that follow each other in the bytes of a recording.
struct RecordingStream: Sendable, Equatable {
  /// Bytes of a header that are read in place of the file's.
  struct Patch: Sendable, Equatable {
    /// From the start of the stream.
    var offset: Int
    var bytes: [UInt8]
  }

  /// Its bytes, from the start of the recording.
  var range: Range<Int>
  /// Lets libsndfile read to the end where the header's length is none.
  var patch: Patch?
  /// The samples a channel that its header promises, where the patch hides that.
  var promised: Int?
  /// Whether the mark of its end is missing, which its format always has.
  var lacksEnd = false
  /// Of Ogg, how many samples there are up to the end of each of the last three pages.
  var granules: [Int] = []
}

/// The streams that follow each other in the bytes of one recording, as files joined by `cat` have them.
///
/// Decoders stop at the end of the first. MP3 has no such end: its frames follow each other.
struct RecordingStreams: Sendable {
  /// In their order; one at least.
  let streams: [RecordingStream]
  /// What is unusual about the headers' lengths, in words; nil when nothing is.
  let remark: String?

  private init(_ streams: [RecordingStream], _ remark: String?) {
    (self.streams, self.remark) = (streams, remark)
  }

  /// Finds the streams of a recording.
  ///
  /// Of the last few files they are remembered, since utterances may be parts of one long recording.
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
      // What follows is another entry.
      self.init([found.streams[0]], nil)
    } else {
      self.init(found.streams, found.remark)
    }
  }
}

extension RecordingStream {
  /// Streams that begin at given offsets, each up to the next.
  static func consecutive(_ starts: [Int], to end: Int) -> [RecordingStream] {
    zip(starts, starts.dropFirst() + [end]).map { RecordingStream(range: $0..<$1) }
  }
}

extension RecordingBytes {
  /// Where a mark stands next, in the order of the bytes.
  ///
  /// - Parameters:
  ///   - word: what it begins with.
  ///   - offset: where the search starts.
  ///   - isMark: given the offset of each place where the word stands, says whether it is one.
  /// - Returns: its offset; nil where there is none.
  /// - Throws: `AudioFault` when the system fails.
  func next(
    _ word: String, from offset: Int, where isMark: (Int) throws(AudioFault) -> Bool
  ) throws(AudioFault) -> Int? {
    let word = Array(word.utf8)
    let blockLength = 1 << 20
    var start = offset
    while start < count {
      // A mark may lie across two blocks.
      let block = try bytes(at: start, count: blockLength + word.count - 1)
      for place in block.places(of: word) where try isMark(start + place) { return start + place }
      start += blockLength
    }
    return nil
  }
}

extension [UInt8] {
  /// Where a word of at least one byte stands.
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
