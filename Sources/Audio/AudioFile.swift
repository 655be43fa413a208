import CSndfile
import Foundation
import Synchronization

/// Reading recordings of every kind that libsndfile knows.
package enum AudioFile {
  /// Reads one channel of a recording, or a part of it.
  ///
  /// The number of samples is what was decoded, since headers of streamed files are often wrong; a
  /// header that promises more than there is, other than by a length that stands for "unknown",
  /// means a file cut short and is an error.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - sampleRate: the rate that it must have, in hertz; nil takes any.
  ///   - channel: which channel to take, from one; nil asks for a file with one channel.
  ///   - seconds: the part to take; nil takes all of it. Its end may lie beyond the end of the
  ///     recording by half a frame shift (5 ms), as rounded times do.
  /// - Returns: at least one sample, all of them finite.
  /// - Throws: `AudioFault` for anything else.
  package static func read(
    _ path: String, sampleRate: Int? = nil, channel: Int? = nil,
    seconds: ClosedRange<Double>? = nil
  ) throws(AudioFault) -> Waveform {
    guard FileManager.default.fileExists(atPath: path) else { throw .missing(path: path) }
    let file = try OpenFile(path: path)
    if let sampleRate, file.sampleRate != sampleRate {
      throw .sampleRate(path: path, expected: sampleRate, found: file.sampleRate)
    }
    if let channel, channel < 1 || channel > file.channels {
      throw .noSuchChannel(path: path, chosen: channel, count: file.channels)
    }
    guard channel != nil || file.channels == 1 else {
      throw .severalChannels(path: path, count: file.channels)
    }
    var samples = try file.readAll(channel: channel ?? 1)
    if let shortfall = file.shortfall(decoded: samples.count) {
      throw .truncated(
        path: path, promised: shortfall.promised, found: shortfall.found, unit: shortfall.unit)
    }
    guard !samples.isEmpty else { throw .empty(path: path) }
    if let bad = samples.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(path: path, sample: bad)
    }
    if let seconds {
      let rate = Double(file.sampleRate)
      let (start, end) = (seconds.lowerBound * rate, seconds.upperBound * rate)
      guard start >= 0, end <= Double(samples.count) + 0.005 * rate,
        start.rounded() < min(Double(samples.count), end.rounded())
      else {
        throw .outside(
          path: path, start: seconds.lowerBound, end: seconds.upperBound,
          duration: Double(samples.count) / rate)
      }
      samples = Array(samples[Int(start.rounded())..<min(samples.count, Int(end.rounded()))])
    }
    return Waveform(sampleRate: file.sampleRate, samples: samples)
  }
}

/// An open file of libsndfile.
@safe private struct OpenFile: ~Copyable {
  let path: String
  let sampleRate: Int
  let channels: Int
  /// The header's count of samples a channel; it may be wrong.
  private let promisedSamples: Int
  private let isOgg: Bool
  private let handle: OpaquePointer

  init(path: String) throws(AudioFault) {
    self.path = path
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
    sampleRate = Int(info.samplerate)
    channels = Int(info.channels)
    promisedSamples = Int(info.frames)
    isOgg = Int(info.format) & SF_FORMAT_TYPEMASK == SF_FORMAT_OGG
  }

  deinit { unsafe sf_close(handle) }

  /// Decodes the whole file in blocks and keeps one channel, counted from one.
  func readAll(channel: Int) throws(AudioFault) -> [Float] {
    let blockFrames = 1 << 15
    var block = [Float](repeating: 0, count: blockFrames * channels)
    var samples: [Float] = []
    samples.reserveCapacity(min(max(0, promisedSamples), 1 << 26))
    while true {
      let read = unsafe Int(sf_readf_float(handle, &block, sf_count_t(blockFrames)))
      for frame in 0..<max(0, read) { samples.append(block[frame * channels + channel - 1]) }
      if read < blockFrames { break }
    }
    guard unsafe sf_error(handle) == 0 else {
      throw .unreadable(
        path: path,
        reason: unsafe String(cString: sf_strerror(handle)) + " after \(samples.count) samples")
    }
    return samples
  }

  /// What the header promised and the file did not hold.
  ///
  /// libsndfile corrects the sizes of WAV, AIFF, AU and W64 in silence and leaves a line
  /// `data : 32000 (should be 15978)` in its log; of SPHERE it ignores the `sample_count` of the text
  /// header; of other formats it keeps the header's count, and of an Ogg stream without its last page
  /// it says the largest count there is.
  func shortfall(decoded: Int) -> (promised: Int, found: Int, unit: String)? {
    let isUnknown = promisedSamples >= Int(Int32.max)
    if promisedSamples > decoded, !isUnknown || isOgg {
      return (promisedSamples, decoded, "samples")
    }
    if let promised = sphereSampleCount(), promised > decoded {
      return (promised, decoded, "samples")
    }
    for line in log().split(separator: "\n") {
      guard
        let match = line.wholeMatch(
          of: #/ *(?:data|SSND|Data Size|riff) *: *(\d+) \(should be (\d+)\).*/#),
        let promised = Int(match.1), let found = Int(match.2)
      else { continue }
      if promised > found && promised < smallestUnknownLength { return (promised, found, "bytes") }
    }
    return nil
  }

  private func log() -> String {
    var buffer = [CChar](repeating: 0, count: 16384)
    unsafe sf_command(handle, Int32(SFC_GET_LOG_INFO), &buffer, Int32(buffer.count))
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

/// Held while a file is opened: the reason of a failure is one variable for the whole process.
private let opening = Mutex(())

/// Programs that write to a pipe cannot know the length and put a number of bytes near 2³¹ or 2³²
/// there; a length from here on stands for "unknown".
private let smallestUnknownLength = 0x7FFF_0000
