package import Storage

/// A fault of a recording; `path` is its file, or the command whose output it is.
package enum AudioFault: Fault, Equatable {
  /// The file does not exist.
  case missing(path: Origin)
  /// The system failed, so nothing is known about the recording.
  case system(FileFault)
  /// A later stream of the file differs from the first; `after` counts the samples before it.
  case otherStream(path: Origin, after: Int, found: String)
  /// libsndfile or libmpg123 does not recognise the recording, or failed in the middle of it.
  case unreadable(path: Origin, reason: String)
  /// The recording has no samples.
  case empty(path: Origin)
  /// The file holds less than the header promises, both in `unit`.
  case truncated(path: Origin, promised: Int, found: Int, unit: String)
  /// An Ogg stream lacks its last page, after `found` samples.
  case unended(path: Origin, found: Int)
  /// An Ogg stream has fewer samples than its last page says: pages are damaged or missing.
  case damaged(path: Origin, expected: Int, found: Int)
  /// The sample rate is not the one required; both in hertz.
  case sampleRate(path: Origin, expected: Int, found: Int)
  /// The recording has several channels, and none was chosen.
  case severalChannels(path: Origin, count: Int)
  /// The recording has no channel `chosen`, counted from one.
  case noSuchChannel(path: Origin, chosen: Int, count: Int)
  /// A sample is infinite or not a number; `sample` is the first one, counted from zero.
  case notFinite(path: Origin, sample: Int)
  /// The segment is outside the recording; times in seconds.
  case outside(path: Origin, start: Double, end: Double, duration: Double)

  package var exitStatus: ExitStatus {
    switch self {
    case .missing: .noInput
    case .system(let fault): fault.exitStatus
    default: .data
    }
  }

  package var description: String {
    switch self {
    case .missing(let path): "\(path): no such file"
    case .system(let fault): fault.description
    case .otherStream(let path, let sample, let found):
      "\(path): expected all streams to be like the first, found \(found) after \(sample) samples"
    case .unreadable(let path, let reason): "\(path): not readable as audio: \(reason)"
    case .empty(let path): "\(path): holds no samples"
    case .truncated(let path, let promised, let found, let unit):
      "\(path): cut short: the header promises \(promised) \(unit), the file holds \(found)"
    case .unended(let path, let found):
      "\(path): cut short: expected an Ogg page that ends the stream, found none after \(found) samples"
    case .damaged(let path, let expected, let found):
      "\(path): expected \(expected) samples, as the last Ogg page says, found \(found): pages are damaged or missing"
    case .sampleRate(let path, let expected, let found):
      "\(path): expected a sample rate of \(expected) Hz, found \(found) Hz"
    case .severalChannels(let path, let count):
      "\(path): expected one channel, found \(count); choose one of them"
    case .noSuchChannel(let path, let chosen, let count):
      "\(path): expected a channel \(chosen), found \(count) channel\(count == 1 ? "" : "s")"
    case .notFinite(let path, let sample):
      "\(path): expected finite samples, found an infinity or NaN at sample \(sample)"
    case .outside(let path, let start, let end, let duration):
      "\(path): expected a segment within \(duration) s, found \(start) s to \(end) s"
    }
  }
}

extension AudioFault {
  /// Returns what `body` returns, and converts its fault.
  ///
  /// A missing or malformed file is a fault of the recording; anything else is one of the system.
  static func ofSystem<Result>(_ body: () throws(FileFault) -> Result) throws(AudioFault) -> Result
  {
    do throws(FileFault) { return try body() } catch {
      switch error {
      case .missing(let path): throw .missing(path: path)
      case .malformed(let path, _, let found):
        throw .unreadable(path: path, reason: "it is \(found)")
      default: throw .system(error)
      }
    }
  }
}
