package import Storage

/// What can be wrong with a recording; each case carries its path, or the command that it is the output of.
package enum AudioFault: Fault, Equatable {
  case missing(path: Origin)
  /// The system failed; of the recording nothing is known.
  case system(FileFault)
  /// A second stream in the file, behind so many samples, that does not go on as the first.
  case otherStream(path: Origin, after: Int, found: String)
  /// libsndfile does not recognise it, or gave up within it.
  case unreadable(path: Origin, reason: String)
  case empty(path: Origin)
  /// The header promises more than the file holds; both in `unit`.
  case truncated(path: Origin, promised: Int, found: Int, unit: String)
  /// An Ogg stream without its last page, after so many samples.
  case unended(path: Origin, found: Int)
  /// An Ogg stream of fewer samples than its last page says, since pages are damaged or missing.
  case damaged(path: Origin, expected: Int, found: Int)
  case sampleRate(path: Origin, expected: Int, found: Int)
  /// More channels than one, and none was chosen.
  case severalChannels(path: Origin, count: Int)
  /// `chosen` counts from one.
  case noSuchChannel(path: Origin, chosen: Int, count: Int)
  /// The first sample that is not a number or infinite, counted from zero.
  case notFinite(path: Origin, sample: Int)
  /// A part of a recording that lies outside it; times in seconds.
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
      "\(path): expected audio that goes on as it begins, found \(found) in a stream behind \(sample) samples"
    case .unreadable(let path, let reason): "\(path): not readable as audio: \(reason)"
    case .empty(let path): "\(path): holds no samples"
    case .truncated(let path, let promised, let found, let unit):
      "\(path): cut short: the header promises \(promised) \(unit), the file holds \(found)"
    case .unended(let path, let found):
      "\(path): cut short: expected an Ogg page that ends the stream, found none behind \(found) samples"
    case .damaged(let path, let expected, let found):
      "\(path): expected \(expected) samples, as the last Ogg page says, found \(found): pages are damaged or missing"
    case .sampleRate(let path, let expected, let found):
      "\(path): expected a sample rate of \(expected) Hz, found \(found) Hz"
    case .severalChannels(let path, let count):
      "\(path): expected one channel, found \(count); choose one of them"
    case .noSuchChannel(let path, let chosen, let count):
      "\(path): expected a channel \(chosen), found \(count) channel\(count == 1 ? "" : "s")"
    case .notFinite(let path, let sample):
      "\(path): expected finite samples, found one that is not at sample \(sample)"
    case .outside(let path, let start, let end, let duration):
      "\(path): expected a segment within \(duration) s, found \(start) s to \(end) s"
    }
  }
}

extension AudioFault {
  /// What `body` gives; a file that is not there is the recording's own fault, all else the system's.
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
