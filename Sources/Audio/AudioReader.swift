package import Storage
package import SystemPackage

/// Reads one channel of a recording, or of a part of it, block by block, so that its length is not
/// bounded by memory.
///
/// Audio is decoded to its end, whatever the header says of its length: that of MP3, of Ogg and of a WAV file
/// whose writer was stopped is an estimate. Only a count that is exact by its format, and larger than what came,
/// means a file cut short. Streams that follow each other in one file, as `cat` joins them, are one recording.
/// What is wrong beyond a block shows when that place is read, so only a reader that was read to its end is known
/// to be whole.
package struct AudioReader: ~Copyable {
  /// What faults call it.
  package let origin: Origin
  /// In hertz.
  package let sampleRate: Int

  /// How many channels the recording has.
  package let channels: Int

  /// How its samples are coded, where that decides on the largest and the smallest of them.
  package let coding: SampleCoding

  /// The seconds by which the part that was asked for ends behind the recording's end; known at the end.
  package private(set) var overrun = 0.0

  private let channel: Int
  /// The part that was asked for, in seconds and in samples.
  private let seconds: ClosedRange<Double>?
  private let part: Range<Int>
  private let bytes: RecordingBytes
  private let streams: RecordingStreams
  /// Which of the streams is read.
  private var stream = 0
  private var decoder: any SampleDecoder
  private var interleaved: [Float] = []
  /// The sample of the recording that comes next, and that of its stream.
  private var position: Int
  private var streamPosition: Int

  /// Opens a recording and goes to the start of the part.
  ///
  /// - Parameters:
  ///   - path: the file; or `PATH:OFFSET`, a recording within an archive from that byte on.
  ///   - name: what faults call it; nil for the path.
  ///   - sampleRate: the rate that it must have, in hertz; nil takes any.
  ///   - channel: which channel to take, from one; nil asks for a file with one channel.
  ///   - seconds: the part to take; nil takes all of it. Its end may lie behind the end of the recording by half a
  ///     second, and is then that end, as in Kaldi (`featbin/extract-segments.cc`, `--max-overshoot`).
  /// - Throws: `AudioFault` when it cannot be opened or is not as asked for.
  package init(
    _ path: FilePath, called name: Origin? = nil, sampleRate: Int? = nil, channel: Int? = nil,
    seconds: ClosedRange<Double>? = nil
  ) throws(AudioFault) {
    let bytes = try RecordingBytes(path, called: name)
    let origin = bytes.origin
    let streams = try RecordingStreams.find(in: bytes)
    let opened = try AudioReader.decoder(of: bytes, streams.streams[0])
    let (rate, count) = (opened.sampleRate, opened.channels)
    if let sampleRate, rate != sampleRate {
      throw .sampleRate(path: origin, expected: sampleRate, found: rate)
    }
    if let channel, channel < 1 || channel > count {
      throw .noSuchChannel(path: origin, chosen: channel, count: count)
    }
    guard channel != nil || count == 1 else { throw .severalChannels(path: origin, count: count) }
    let part =
      seconds.map {
        AudioReader.sample($0.lowerBound, rate)..<AudioReader.sample($0.upperBound, rate)
      } ?? 0..<Int.max
    guard !part.isEmpty else {
      throw .unreadable(
        path: origin,
        reason:
          "a segment from \(seconds?.lowerBound ?? 0) s to \(seconds?.upperBound ?? 0) s holds "
          + "no sample")
    }
    let start =
      part.lowerBound > 0 && streams.streams.count == 1 ? try opened.seek(to: part.lowerBound) : 0
    self.origin = origin
    self.sampleRate = rate
    channels = count
    self.channel = channel ?? 1
    self.seconds = seconds
    self.part = part
    coding = opened.coding
    (position, streamPosition) = (start, start)
    (self.bytes, self.streams, decoder) = (bytes, streams, opened)
  }

  /// The sample at a time; the last there is for a time without end.
  private static func sample(_ seconds: Double, _ rate: Int) -> Int {
    Int(exactly: (seconds * Double(rate)).rounded()) ?? (seconds > 0 ? Int.max : 0)
  }

  /// The decoder of one stream.
  private static func decoder(
    of bytes: RecordingBytes, _ stream: RecordingStream
  ) throws(AudioFault) -> any SampleDecoder {
    let own = RecordingBytes(stream.range, of: bytes)
    own.patch = stream.patch
    if try MPEGDecoder.canRead(own) { return try MPEGDecoder(own) }
    do throws(AudioFault) { return try SoundFileDecoder(own, stream) } catch {
      // What stands before the first frame is not known of all programs that write it.
      guard case .unreadable = error, own.origin.description.lowercased().hasSuffix(".mp3") else {
        throw error
      }
      return try MPEGDecoder(own)
    }
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
      let count = wanted > 0 ? try readFrames(wanted) : 0
      position += count
      streamPosition += count
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
        throw .notFinite(path: origin, sample: start + skipped + bad)
      }
      if count < wanted || wanted <= 0 {
        // Asked for again only when this block was empty, so that the end is checked once.
        if !block.isEmpty { return true }
        if wanted > 0, try goOn() { continue }
        try checkEnd()
        return false
      }
    }
    return true
  }

  private mutating func readFrames(_ count: Int) throws(AudioFault) -> Int {
    if interleaved.isEmpty {
      interleaved = Array(repeating: 0, count: AudioReader.blockFrames * channels)
    }
    return try decoder.read(into: &interleaved, count: count)
  }

  private static let blockFrames = 1 << 15

  /// Goes on with the next stream of the file.
  ///
  /// - Returns: whether there was one.
  private mutating func goOn() throws(AudioFault) -> Bool {
    guard stream + 1 < streams.streams.count else { return false }
    try decoder.checkEnd(decoded: streamPosition)
    let next = try AudioReader.decoder(of: bytes, streams.streams[stream + 1])
    guard next.sampleRate == sampleRate, next.channels == channels else {
      throw .otherStream(
        path: origin, after: position,
        found: "\(next.sampleRate) Hz and \(next.channels) channel\(next.channels == 1 ? "" : "s")")
    }
    decoder = next
    (stream, streamPosition) = (stream + 1, 0)
    return true
  }

  private mutating func checkEnd() throws(AudioFault) {
    let isAtEnd = seconds == nil || position < part.upperBound
    // After a seek, what was passed over was there: the end is where it is.
    try decoder.checkEnd(decoded: isAtEnd ? streamPosition : nil)
    guard let seconds else {
      if position == 0 { throw .empty(path: origin) }
      return
    }
    let rate = Double(sampleRate)
    guard seconds.lowerBound >= 0, part.lowerBound < min(position, part.upperBound),
      seconds.upperBound.isInfinite
        || seconds.upperBound * rate <= Double(position) + AudioReader.mostOverrun * rate
    else {
      throw .outside(
        path: origin, start: seconds.lowerBound, end: seconds.upperBound,
        duration: Double(position) / rate)
    }
    if seconds.upperBound.isFinite {
      overrun = max(0, seconds.upperBound - Double(position) / rate)
    }
  }

  /// The seconds by which a part may end behind the end of its recording.
  package static let mostOverrun = 0.5

  /// What is unusual about a file as a whole, in words; nil when nothing is.
  ///
  /// To be asked at the end of a whole recording.
  ///
  /// Several streams, Ogg pages that are missing, bytes that are not read, and a count of the header's that is not
  /// that of what came.
  package func remark() throws(AudioFault) -> String? {
    let several =
      streams.streams.count == 1
      ? nil : "\(streams.streams.count) streams one behind the other, which are read as one"
    let remarks = [several, streams.remark, try decoder.remark(decoded: streamPosition)]
    let all = remarks.compactMap(\.self)
    return all.isEmpty ? nil : all.joined(separator: "; ")
  }
}
