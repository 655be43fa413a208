import ArgumentParser
import Audio
import Distillation
import Storage

/// Classification of audio on standard input while it arrives.
struct StreamOptions: ParsableArguments {
  @Flag(
    help: """
      Read samples from standard input, and print the class of each frame as a line of JSON once it is known.
      """)
  var stream = false
  @Option(
    help: ArgumentHelp(
      "With --stream, the samples: s16le (16-bit integers) or f32le (floats); one channel, no header.",
      valueName: "s16le|f32le"))
  var raw: RawCoding?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --stream, the sample rate in hertz, which must be the model's.", valueName: "hertz"))
  var rate: Int?

  func validate() throws {
    for (name, isGiven) in [("--raw", raw != nil), ("--rate", rate != nil)]
    where isGiven != stream {
      throw ValidationError(
        stream
          ? "--stream: expected \(name) with it, found none"
          : "\(name): expected --stream with it, found none")
    }
    guard rate ?? 1 > 0 else {
      throw ValidationError("--rate: expected a positive number, found \(rate ?? 0)")
    }
  }

  /// Classifies standard input up to its end, or up to a signal.
  ///
  /// - Throws: `FileFault` for a model that cannot be streamed, another rate, or bytes that are no
  ///   samples; `ExitCode` after a signal, when all decisions that are known have been printed.
  func run(_ classifier: FrameClassifier) throws {
    guard let raw, let rate else { preconditionFailure("StreamOptions: no --raw or --rate") }
    var decoder = RawSampleDecoder(raw)
    var stream = try DecisionStream(classifier, sampleRate: rate, origin: StandardInput.origin)
    var lines = DecisionLines(classifier)
    do {
      while case let bytes = try StandardInput.read(most: StreamOptions.mostBytes), !bytes.isEmpty {
        guard decoder.decodedBytes > 0 || !bytes.starts(with: Array("RIFF".utf8)) else {
          throw FileFault.malformed(
            path: StandardInput.origin, expected: "samples without a header",
            found: "the header of a WAV file")
        }
        try stream.push(decoder.push(bytes)) { try Terminal.print(lines.text(of: $0)) }
      }
    } catch let fault as FileFault where fault.isInterruption {
      throw ExitCode(fault.exitStatus.rawValue)
    }
    try Terminal.print(lines.text(of: stream.finish()))
    guard decoder.pendingBytes == 0 else {
      throw FileFault.malformedBytes(
        path: StandardInput.origin, offset: decoder.decodedBytes,
        expected: "a whole sample of \(raw.byteCount) bytes",
        found: "\(decoder.pendingBytes) at the end")
    }
  }

  /// The greatest number of bytes read at a time: two seconds of 16-bit samples at 16 kHz.
  private static let mostBytes = 1 << 16
}

extension RawCoding: ExpressibleByArgument {}
