package import Storage
package import SystemPackage

/// Reads one channel of a recording, or of a part of it, block by block.
///
/// A recording may thus be longer than memory.
///
/// Audio is decoded to its end, whatever length the header gives: in MP3, in Ogg, and in a WAV file
/// whose writer was stopped, that length is an estimate. A file counts as cut short only if its
/// format has an exact count, and that count is larger than the number of samples decoded.
/// Consecutive streams in one file, as from `cat`, are one recording. Damage is found only when the
/// damaged place is read, so a recording is known to be complete only after it was read to its end.
package struct AudioReader: ~Copyable {
  /// The name of the recording in faults.
  package let origin: Origin
  /// The sample rate, in hertz.
  package let sampleRate: Int

  /// The number of channels of the recording.
  package let channels: Int

  /// The coding of its samples, which bounds their values.
  package let coding: SampleCoding

  /// The seconds by which the part extends beyond the end of the recording.
  ///
  /// It is known only at the end.
  package private(set) var overrun = 0.0

  private let channel: Int
  /// The part to read, in seconds and in samples.
  private let seconds: ClosedRange<Double>?
  private let part: Range<Int>
  private let bytes: RecordingBytes
  private let streams: RecordingStreams
  /// The index of the stream being read.
  private var stream = 0
  private var decoder: any SampleDecoder
  private var interleaved: [Float] = []
  /// The index of the next sample in the recording, and in its stream.
  private var position: Int
  private var streamPosition: Int

  /// Opens a recording and seeks to the start of the part.
  ///
  /// - Parameters:
  ///   - path: the file; or `PATH:OFFSET`, a recording within an archive that starts at this byte.
  ///   - name: the recording's name in faults; nil for the path.
  ///   - sampleRate: the required rate, in hertz; nil accepts any.
  ///   - channel: the channel to read, counted from one; nil requires a recording with one channel.
  ///   - seconds: the part to read; nil for all. It may extend up to half a second beyond the end
  ///     of the recording, where it is cut, as in Kaldi (`featbin/extract-segments.cc`,
  ///     `--max-overshoot`).
  /// - Throws: `AudioFault` when the recording cannot be opened or is not as required.
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

  /// The index of the sample at a time; the largest index for an infinite time.
  private static func sample(_ seconds: Double, _ rate: Int) -> Int {
    Int(exactly: (seconds * Double(rate)).rounded()) ?? (seconds > 0 ? Int.max : 0)
  }

  /// Opens the decoder of a stream.
  private static func decoder(
    of bytes: RecordingBytes, _ stream: RecordingStream
  ) throws(AudioFault) -> any SampleDecoder {
    let own = RecordingBytes(stream.range, of: bytes)
    own.patch = stream.patch
    if try MPEGDecoder.canRead(own) { return try MPEGDecoder(own) }
    do throws(AudioFault) { return try SoundFileDecoder(own, stream) } catch {
      // Some programs write unknown data before the first frame of an MP3.
      guard case .unreadable = error, own.origin.description.lowercased().hasSuffix(".mp3") else {
        throw error
      }
      return try MPEGDecoder(own)
    }
  }

  /// Reads the next block.
  ///
  /// - Parameter block: replaced by at most 32,768 samples, all finite.
  /// - Returns: whether there were any; false at the end.
  /// - Throws: `AudioFault` when the block is damaged. At the end, also when the recording is
  ///   empty, or has fewer samples than its header promises or the part needs.
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
      // Non-finite values have the largest bit patterns; search for one only if it exists.
      if block.reduce(0, { max($0, $1.magnitude.bitPattern) }) >= Float.infinity.bitPattern,
        let bad = block.firstIndex(where: { !$0.isFinite })
      {
        throw .notFinite(path: origin, sample: start + skipped + bad)
      }
      if count < wanted || wanted <= 0 {
        // The next call finds an empty block, so the end is checked once.
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

  /// Continues with the next stream of the file.
  ///
  /// - Returns: whether there is one.
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
    // After a seek the position is still right: the samples skipped exist.
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

  /// The maximum seconds by which a part may extend beyond the end of its recording.
  package static let mostOverrun = 0.5

  /// What is unusual about the file as a whole; nil when nothing is.
  ///
  /// Examples are several streams, missing Ogg pages, bytes that are not read, and a sample count
  /// in the header that differs from the number of samples decoded. Call it only after all of a
  /// recording was read.
  package func remark() throws(AudioFault) -> String? {
    let several =
      streams.streams.count == 1
      ? nil : "\(streams.streams.count) streams in sequence, read as one"
    let remarks = [several, streams.remark, try decoder.remark(decoded: streamPosition)]
    let all = remarks.compactMap(\.self)
    return all.isEmpty ? nil : all.joined(separator: "; ")
  }
}
