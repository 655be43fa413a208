import CSndfile
import Foundation
import Storage
import Synchronization

/// Decodes the bytes of a stream into samples, block by block.
protocol SampleDecoder: AnyObject {
  /// The sample rate, in hertz.
  var sampleRate: Int { get }
  var channels: Int { get }
  var coding: SampleCoding { get }
  /// Seeks to a sample, or to an earlier one.
  ///
  /// - Returns: the index of the next sample.
  /// - Throws: `AudioFault` when the system fails.
  func seek(to sample: Int) throws(AudioFault) -> Int

  /// Reads the next samples of all channels, interleaved; full scale is [-1, 1).
  ///
  /// - Returns: the number of samples per channel; 0 at the end.
  /// - Throws: `AudioFault` when the stream is damaged here.
  func read(into samples: inout [Float], count: Int) throws(AudioFault) -> Int

  /// Checks what is only known at the end of the stream.
  ///
  /// - Parameter decoded: the number of samples in the stream; nil when it was not read to its end.
  /// - Throws: `AudioFault` when the stream is damaged or cut short.
  func checkEnd(decoded: Int?) throws(AudioFault)

  /// What is unusual about the stream.
  ///
  /// - Parameter decoded: the number of samples in the stream, which was read to its end.
  /// - Returns: a description; nil when nothing is unusual.
  /// - Throws: `AudioFault` when the system fails.
  func remark(decoded: Int) throws(AudioFault) -> String?
}

/// Decodes a stream of any format that libsndfile reads.
@safe final class SoundFileDecoder: SampleDecoder {
  let sampleRate: Int
  let channels: Int
  let coding: SampleCoding
  private let origin: Origin
  private let bytes: RecordingBytes
  private let handle: OpaquePointer
  private let frames: Int
  private let isSeekable: Bool
  private let isOgg: Bool
  private let isVorbis: Bool
  private let isOpus: Bool
  private let isFLAC: Bool
  private let stream: RecordingStream

  /// - Parameters:
  ///   - bytes: the bytes of the stream.
  ///   - stream: what is known about the stream.
  /// - Throws: `AudioFault` when libsndfile does not recognise the stream, or the system fails.
  init(_ bytes: RecordingBytes, _ stream: RecordingStream) throws(AudioFault) {
    self.stream = stream
    self.bytes = bytes
    origin = bytes.origin
    bytes.position = 0
    var info = SF_INFO()
    var calls = SoundFileDecoder.calls
    nonisolated(unsafe) var opened: OpaquePointer?
    nonisolated(unsafe) let source = unsafe Unmanaged.passUnretained(bytes).toOpaque()
    let raw = SoundFileDecoder.rawFormat(bytes.origin)
    let reason = opening.withLock { _ -> String? in
      unsafe opened = sf_open_virtual(&calls, Int32(SFM_READ), &info, source)
      if unsafe opened == nil, bytes.fault == nil,
        sf_error(nil) == SF_ERR_UNRECOGNISED_FORMAT,
        let raw
      {
        info = raw
        bytes.position = 0
        unsafe opened = sf_open_virtual(&calls, Int32(SFM_READ), &info, source)
      }
      return unsafe opened == nil ? String(cString: sf_strerror(nil)) : nil
    }
    if let fault = bytes.fault {
      if let opened = unsafe opened { unsafe sf_close(opened) }
      throw .system(fault)
    }
    guard let ready = unsafe opened else {
      throw .unreadable(path: bytes.origin, reason: reason ?? "no reason given")
    }
    unsafe handle = ready
    (sampleRate, channels) = (Int(info.samplerate), Int(info.channels))
    coding = SampleCoding(Int(info.format) & SF_FORMAT_SUBMASK)
    frames = Int(info.frames)
    isSeekable = info.seekable != 0
    let format = Int(info.format) & SF_FORMAT_TYPEMASK
    let subtype = Int(info.format) & SF_FORMAT_SUBMASK
    (isVorbis, isOpus) = (subtype == SF_FORMAT_VORBIS, subtype == SF_FORMAT_OPUS)
    (isOgg, isFLAC) = (format == SF_FORMAT_OGG, format == SF_FORMAT_FLAC)
  }

  deinit { unsafe sf_close(handle) }

  /// The format of a file without a header, by the extension of its name; nil for other extensions.
  private static func rawFormat(_ origin: Origin) -> SF_INFO? {
    let name = origin.description.lowercased()
    let formats: [(String, rate: Int32, code: Int)] = [
      (".vox", 8000, SF_FORMAT_VOX_ADPCM), (".vox8", 8000, SF_FORMAT_VOX_ADPCM),
      (".vox6", 6000, SF_FORMAT_VOX_ADPCM), (".gsm", 8000, SF_FORMAT_GSM610),
      (".au", 8000, SF_FORMAT_ULAW), (".snd", 8000, SF_FORMAT_ULAW),
    ]
    guard let found = formats.first(where: { name.hasSuffix($0.0) }) else { return nil }
    var info = SF_INFO()
    (info.samplerate, info.channels) = (found.rate, 1)
    info.format = Int32(SF_FORMAT_RAW | found.code)
    return info
  }

  /// The number of samples per channel that the format guarantees.
  ///
  /// Nil when the header's count is an estimate or means "unknown".
  private var promised: Int? {
    stream.promised ?? (isOgg || frames >= Int(Int32.max) ? nil : frames)
  }

  func seek(to sample: Int) throws(AudioFault) -> Int {
    // Beyond the end, reading from the start finds out where the end is.
    guard isSeekable, sample < promised ?? frames else { return 0 }
    var sample = sample
    // The Opus decoder predicts from earlier samples; libsndfile gives it only 80 ms of them.
    if isOpus { sample = max(0, sample - SoundFileDecoder.opusRun * sampleRate) }
    if isVorbis {
      // libsndfile 1.2 seeks wrongly within the last page, or if the first does not start at 0.
      guard stream.granules.count == 3, stream.granules[2] == frames else { return 0 }
      sample = min(sample, stream.granules[0])
    }
    let place = unsafe Int(sf_seek(handle, sf_count_t(sample), Int32(SEEK_SET)))
    if let fault = bytes.fault { throw .system(fault) }
    return max(0, place)
  }

  /// The seconds of Opus to decode before the samples requested.
  private static let opusRun = 10

  func read(into samples: inout [Float], count: Int) throws(AudioFault) -> Int {
    let got = unsafe max(0, Int(sf_readf_float(handle, &samples, sf_count_t(count))))
    if let fault = bytes.fault { throw .system(fault) }
    return got
  }

  func checkEnd(decoded: Int?) throws(AudioFault) {
    guard unsafe sf_error(handle) == 0 else {
      throw .unreadable(path: origin, reason: unsafe String(cString: sf_strerror(handle)))
    }
    if let decoded, stream.lacksEnd { throw .unended(path: origin, found: decoded) }
    if let decoded, isOgg, decoded < frames, frames < Int(Int32.max) {
      throw .damaged(path: origin, expected: frames, found: decoded)
    }
    if let decoded, let promised, promised > decoded {
      throw .truncated(path: origin, promised: promised, found: decoded, unit: "samples")
    }
    if let decoded, let count = try sphereSampleCount(), count > decoded {
      throw .truncated(path: origin, promised: count, found: decoded, unit: "samples")
    }
    try checkLog()
  }

  /// Throws when the header promised more than the file holds and libsndfile corrected it.
  ///
  /// libsndfile corrects WAV, AIFF, AU and W64 silently, and leaves a line such as
  /// `data : 32000 (should be 15978)` in its log.
  private func checkLog() throws(AudioFault) {
    var buffer = [CChar](repeating: 0, count: 16384)
    unsafe sf_command(handle, Int32(SFC_GET_LOG_INFO), &buffer, Int32(buffer.count))
    let log = String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for line in log.split(separator: "\n") where line.contains("(should be ") {
      guard
        let match = line.wholeMatch(
          of: #/ *(?:data|SSND|Data Size|riff) *: *(\d+) \(should be (\d+)\).*/#),
        let promised = Int(match.1), let found = Int(match.2)
      else { continue }
      if promised > found && promised < smallestUnknownLength {
        throw .truncated(path: origin, promised: promised, found: found, unit: "bytes")
      }
    }
  }

  func remark(decoded: Int) throws(AudioFault) -> String? {
    if let promised = try sphereSampleCount() ?? promised, promised != decoded {
      return "\(promised) samples promised by the header, \(decoded) in the file"
    }
    guard isFLAC, try !FLACHeader.endsWithFrame(bytes) else { return nil }
    return "bytes after its last whole frame"
  }

  /// The sample count in SPHERE's text header, which libsndfile ignores; nil for other formats.
  private func sphereSampleCount() throws(AudioFault) -> Int? {
    let header = try bytes.bytes(at: 0, count: 1024)
    guard header.starts(with: "NIST_1A".utf8),
      let match = String(decoding: header, as: UTF8.self)
        .firstMatch(of: #/sample_count -i (\d+)/#)
    else { return nil }
    return Int(match.1)
  }

  /// The functions by which libsndfile reads `RecordingBytes`.
  private static var calls: SF_VIRTUAL_IO {
    unsafe SF_VIRTUAL_IO(
      get_filelen: { source in unsafe sf_count_t(recording(source).count) },
      seek: { offset, whence, source in
        unsafe sf_count_t(recording(source).seek(Int(offset), whence))
      },
      read: { buffer, count, source in
        unsafe sf_count_t(
          recording(source).read(
            into: UnsafeMutableRawBufferPointer(start: buffer, count: max(0, Int(count)))))
      },
      write: { _, _, _ in 0 },
      tell: { source in unsafe sf_count_t(recording(source).position) })
  }
}

/// The recording that was passed to a C library as its source.
@unsafe func recording(_ source: UnsafeMutableRawPointer?) -> RecordingBytes {
  guard let source = unsafe source else {
    preconditionFailure("recording: a library gave back no source")
  }
  return unsafe Unmanaged<RecordingBytes>.fromOpaque(source).takeUnretainedValue()
}

/// Held while a file is opened: libsndfile keeps the reason of a failure in a global variable.
private let opening = Mutex(())
