import CSndfile
import Foundation
import Synchronization

/// Reading recordings of every kind that libsndfile knows.
package enum AudioFile {
  /// The library's name and version.
  package static var libraryVersion: String { unsafe String(cString: sf_version_string()) }

  /// Reads one channel of a recording, or a part of it, whole; see `AudioReader`.
  ///
  /// - Returns: at least one sample, all of them finite.
  /// - Throws: `AudioFault` for anything else.
  package static func read(
    _ path: String, sampleRate: Int? = nil, channel: Int? = nil,
    seconds: ClosedRange<Double>? = nil
  ) throws(AudioFault) -> Waveform {
    var reader = try AudioReader(
      path, sampleRate: sampleRate, channel: channel, seconds: seconds)
    var samples: [Float] = []
    var block: [Float] = []
    while try reader.next(&block) { samples += block }
    return Waveform(sampleRate: reader.sampleRate, samples: samples)
  }
}

/// Reads one channel of a recording, or of a part of it, block by block, so that its length is not
/// bounded by memory.
///
/// The number of samples is what was decoded, since headers of streamed files are often wrong; a
/// header that promises more than there is, other than by a length that stands for "unknown", means a
/// file cut short and is an error. What is wrong beyond a block shows when that place is read, so only
/// a reader that was read to its end is known to be whole.
package struct AudioReader: ~Copyable {
  package let path: String
  /// In hertz.
  package let sampleRate: Int

  /// How many channels the recording has.
  package let channels: Int

  /// How its samples are coded, where that decides on the largest and the smallest of them.
  package let coding: SampleCoding

  private let channel: Int
  /// The part that was asked for, in seconds and in samples.
  private let seconds: ClosedRange<Double>?
  private let part: Range<Int>
  /// The header's count of samples a channel; it may be wrong.
  private let promisedSamples: Int
  private let isOgg: Bool
  private let file: SoundFile
  private var interleaved: [Float] = []
  /// The sample of the recording that comes next.
  private var position: Int

  /// Opens a recording and goes to the start of the part.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - sampleRate: the rate that it must have, in hertz; nil takes any.
  ///   - channel: which channel to take, from one; nil asks for a file with one channel.
  ///   - seconds: the part to take; nil takes all of it. Its end may lie beyond the end of the
  ///     recording by half a frame shift (5 ms), as rounded times do.
  /// - Throws: `AudioFault` when it cannot be opened or is not as asked for.
  package init(
    _ path: String, sampleRate: Int? = nil, channel: Int? = nil,
    seconds: ClosedRange<Double>? = nil
  ) throws(AudioFault) {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .missing(path: path)
    }
    guard !isFolder.boolValue else { throw .unreadable(path: path, reason: "it is a folder") }
    let kind =
      try? FileManager.default.attributesOfItem(
        atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)[.type]
      as? FileAttributeType
    guard kind == nil || kind == .typeRegular else {
      throw .unreadable(path: path, reason: "it is a pipe or a device")
    }
    let opened = try SoundFile(path)
    let info = opened.info
    let (rate, count) = (Int(info.samplerate), Int(info.channels))
    if let sampleRate, rate != sampleRate {
      throw .sampleRate(path: path, expected: sampleRate, found: rate)
    }
    if let channel, channel < 1 || channel > count {
      throw .noSuchChannel(path: path, chosen: channel, count: count)
    }
    guard channel != nil || count == 1 else { throw .severalChannels(path: path, count: count) }
    let part =
      seconds.map {
        Int(
          ($0.lowerBound * Double(rate)).rounded())..<Int(($0.upperBound * Double(rate)).rounded())
      } ?? 0..<Int.max
    guard !part.isEmpty else {
      throw .unreadable(
        path: path,
        reason:
          "a segment from \(seconds?.lowerBound ?? 0) s to \(seconds?.upperBound ?? 0) s holds "
          + "no sample")
    }
    var start = 0
    if part.lowerBound > 0, info.seekable != 0 {
      let place = unsafe sf_seek(opened.handle, sf_count_t(part.lowerBound), Int32(SEEK_SET))
      start = max(0, Int(place))
    }
    self.path = path
    self.sampleRate = rate
    channels = count
    self.channel = channel ?? 1
    self.seconds = seconds
    self.part = part
    promisedSamples = Int(info.frames)
    coding = SampleCoding(Int(info.format) & SF_FORMAT_SUBMASK)
    isOgg = Int(info.format) & SF_FORMAT_TYPEMASK == SF_FORMAT_OGG
    position = start
    file = opened
  }

  /// Reads the next block.
  ///
  /// - Parameter block: the samples, replaced; at most 32,768, all finite.
  /// - Returns: whether there was any; false at the end.
  /// - Throws: `AudioFault` for what is wrong with the block, and at the end with the whole: no sample,
  ///   fewer than the header promises, or than the part needs.
  package mutating func next(_ block: inout [Float]) throws(AudioFault) -> Bool {
    block.removeAll(keepingCapacity: true)
    while block.isEmpty {
      let start = position
      let wanted = min(AudioReader.blockFrames, part.upperBound - start)
      let count = wanted > 0 ? readFrames(wanted) : 0
      position += count
      let skipped = min(count, max(0, part.lowerBound - start))
      if channels == 1 {
        block.append(contentsOf: interleaved[skipped..<count])
      } else {
        for frame in skipped..<count { block.append(interleaved[frame * channels + channel - 1]) }
      }
      // The bits of what is not finite are the largest there are; only then it is looked for.
      if block.reduce(0, { max($0, $1.magnitude.bitPattern) }) >= Float.infinity.bitPattern,
        let bad = block.firstIndex(where: { !$0.isFinite })
      {
        throw .notFinite(path: path, sample: start + skipped + bad)
      }
      if count < wanted || wanted <= 0 {
        // Asked for again only when this block was empty, so that the end is checked once.
        if !block.isEmpty { return true }
        try checkEnd()
        return false
      }
    }
    return true
  }

  private mutating func readFrames(_ count: Int) -> Int {
    if interleaved.isEmpty {
      interleaved = Array(repeating: 0, count: AudioReader.blockFrames * channels)
    }
    return unsafe max(0, Int(sf_readf_float(file.handle, &interleaved, sf_count_t(count))))
  }

  private static let blockFrames = 1 << 15

  private func checkEnd() throws(AudioFault) {
    guard unsafe sf_error(file.handle) == 0 else {
      throw .unreadable(
        path: path,
        reason: unsafe String(cString: sf_strerror(file.handle)) + " after \(position) samples")
    }
    let isWhole = seconds == nil || position < part.upperBound
    if let shortfall = shortfall(decoded: isWhole ? position : Int.max) {
      throw .truncated(
        path: path, promised: shortfall.promised, found: shortfall.found, unit: shortfall.unit)
    }
    guard let seconds else {
      if position == 0 { throw .empty(path: path) }
      return
    }
    let rate = Double(sampleRate)
    guard seconds.lowerBound >= 0, part.lowerBound < min(position, part.upperBound),
      seconds.upperBound * rate <= Double(position) + 0.005 * rate
    else {
      throw .outside(
        path: path, start: seconds.lowerBound, end: seconds.upperBound,
        duration: Double(position) / rate)
    }
  }

  /// What the header promised and the file did not hold.
  ///
  /// libsndfile corrects the sizes of WAV, AIFF, AU and W64 in silence and leaves a line
  /// `data : 32000 (should be 15978)` in its log; of SPHERE it ignores the `sample_count` of the text
  /// header; of other formats it keeps the header's count, and of an Ogg stream without its last page
  /// it says the largest count there is.
  private func shortfall(decoded: Int) -> (promised: Int, found: Int, unit: String)? {
    let isUnknown = promisedSamples >= Int(Int32.max)
    if promisedSamples > decoded, !isUnknown || isOgg {
      return (promisedSamples, decoded, "samples")
    }
    if let promised = sphereSampleCount(), promised > decoded {
      return (promised, decoded, "samples")
    }
    for line in log().split(separator: "\n") where line.contains("(should be ") {
      guard
        let match = line.wholeMatch(
          of: #/ *(?:data|SSND|Data Size|riff) *: *(\d+) \(should be (\d+)\).*/#),
        let promised = Int(match.1), let found = Int(match.2)
      else { continue }
      if promised > found && promised < smallestUnknownLength { return (promised, found, "bytes") }
    }
    return nil
  }

  /// What a file holds beyond what its header promises, in words; nil when that is nothing, or not known.
  ///
  /// Of WAV, bytes behind its `data` that are no further chunk; of SPHERE, more samples than `sample_count`.
  /// To be asked at the end of a whole recording.
  package func surplus() -> String? {
    if let promised = sphereSampleCount(), promised < position {
      return "\(promised) samples promised by the header, \(position) in the file"
    }
    guard let handle = FileHandle(forReadingAtPath: path),
      let size = try? handle.seekToEnd(), (try? handle.seek(toOffset: 0)) != nil,
      let head = try? handle.read(upToCount: 12), head.count == 12,
      head.starts(with: Data("RIFF".utf8)), head.suffix(4) == Data("WAVE".utf8)
    else { return nil }
    var offset: UInt64 = 12
    var afterData = false
    while offset + 8 <= size, (try? handle.seek(toOffset: offset)) != nil,
      let chunk = try? handle.read(upToCount: 8), chunk.count == 8
    {
      let name = chunk.prefix(4)
      let length = chunk.suffix(4).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let isChunk =
        name.allSatisfy { (0x20...0x7E).contains($0) } && offset + 8 + length <= size + 1
      if afterData, !isChunk {
        return "\(size - offset) bytes behind the end that the header gives"
      }
      guard isChunk else { return nil }
      if name == Data("data".utf8) { afterData = true }
      offset += 8 + length + length % 2
    }
    return nil
  }

  private func log() -> String {
    var buffer = [CChar](repeating: 0, count: 16384)
    unsafe sf_command(file.handle, Int32(SFC_GET_LOG_INFO), &buffer, Int32(buffer.count))
    return String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func sphereSampleCount() -> Int? {
    guard let file = FileHandle(forReadingAtPath: path),
      let header = try? file.read(upToCount: 1024), header.starts(with: Data("NIST_1A".utf8)),
      let match = String(decoding: header, as: UTF8.self)
        .firstMatch(of: #/sample_count -i (\d+)/#)
    else { return nil }
    return Int(match.1)
  }
}

/// How a recording's samples are coded, as far as it bounds them.
package enum SampleCoding: Sendable {
  case muLaw, aLaw, bits8, other

  fileprivate init(_ subtype: Int) {
    switch subtype {
    case SF_FORMAT_ULAW: self = .muLaw
    case SF_FORMAT_ALAW: self = .aLaw
    case SF_FORMAT_PCM_U8, SF_FORMAT_PCM_S8: self = .bits8
    default: self = .other
    }
  }

  /// The smallest magnitude of a sample at full scale, on either side, where 1 is that of 16 bits
  /// (ITU-T G.711 for the laws).
  package var fullScale: Float {
    switch self {
    case .muLaw: 32124.0 / 32768
    case .aLaw: 32256.0 / 32768
    case .bits8: 127.0 / 128
    case .other: 32767.0 / 32768
    }
  }

  /// The largest magnitude of a sample that stands for silence; A-law has no zero.
  package var silence: Float { self == .aLaw ? 8.0 / 32768 : 0 }
}

/// An open file of libsndfile.
@safe private struct SoundFile: ~Copyable {
  let info: SF_INFO
  let handle: OpaquePointer

  init(_ path: String) throws(AudioFault) {
    var info = SF_INFO()
    nonisolated(unsafe) var opened: OpaquePointer?
    let reason = opening.withLock { _ -> String? in
      unsafe opened = sf_open(path, Int32(SFM_READ), &info)
      return unsafe opened == nil ? String(cString: sf_strerror(nil)) : nil
    }
    guard let ready = unsafe opened else {
      throw .unreadable(path: path, reason: reason ?? "no reason given")
    }
    unsafe handle = ready
    self.info = info
  }

  deinit { unsafe sf_close(handle) }
}

/// Held while a file is opened: the reason of a failure is one variable for the whole process.
private let opening = Mutex(())

/// Programs that write to a pipe cannot know the length and put a number of bytes near 2³¹ or 2³²
/// there; a length from here on stands for "unknown".
private let smallestUnknownLength = 0x7FFF_0000
