import Audio
import Foundation
import LinearAlgebra
import Storage
import SystemPackage
import Synchronization

/// Checks the recordings of a data directory by decoding each to its end.
struct AudioValidation {
  /// The properties of a decoded recording.
  private struct Recorded: Sendable {
    var sampleRate: Int
    var channels: Int
    var samples = 0
    /// Samples at full scale, in runs of three or more.
    var clipped = 0
    /// Samples of zero, in runs of a tenth of a second or more.
    var silent = 0
    /// What is unusual about the file as a whole; nil when nothing is.
    var surplus: String?

    var seconds: Double { Double(samples) / Double(sampleRate) }
  }

  let data: DataDirectory
  /// The channel to read, counted from one; nil expects mono files.
  let channel: Int?
  /// The durations listed in `utt2dur` and `reco2dur`.
  let files: FileValidation

  /// Decodes all recordings.
  ///
  /// - Parameters:
  ///   - workers: the threads among which the recordings are shared.
  ///   - progress: called after each recording with the numbers done and in all.
  /// - Returns: the findings in the order of the recordings' ids, the duration of all audio in
  ///   seconds, and the number of recordings at each sample rate in hertz.
  /// - Throws: the first fault of the machine.
  func run(
    _ workers: Workers, progress: @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws -> (findings: [Finding], seconds: Double, sampleRates: [Int: Int]) {
    let recordings = data.recordings.sorted { inByteOrder($0.key, $1.key) }
    let segmentChannels = segmentChannels
    let done = Atomic(0)
    let results = workers.map(recordings.count) { index -> Result<Recorded, any Error> in
      let (id, recording) = recordings[index]
      let chosen = segmentChannels[id] ?? channel ?? 1
      let result = Result { try recording.withFile { try decode($0, called: $1, channel: chosen) } }
      progress(done.add(1, ordering: .relaxed).newValue, recordings.count)
      return result
    }
    var recorded: [String: Recorded] = [:]
    var seconds = 0.0
    var findings: [Finding] = []
    for ((id, _), result) in zip(recordings, results) {
      switch result {
      case .success(let facts):
        recorded[id] = facts
        seconds += facts.seconds
        findings += judge(id, facts, isChosen: segmentChannels[id] ?? channel != nil)
      case .failure(let fault as any Fault) where fault.isOfMachine: throw fault
      case .failure(let fault):
        findings.append(finding(.error, .audio, id, "\(fault)"))
      }
    }
    findings += judgeSampleRates(recorded)
    for utterance in data.utterances {
      if let facts = recorded[utterance.recordingID] { findings += judge(utterance, facts) }
    }
    let rates = Dictionary(recorded.values.map { ($0.sampleRate, 1) }, uniquingKeysWith: +)
    return (findings, seconds, rates)
  }

  private func finding(
    _ severity: Finding.Severity, _ check: Finding.Check, _ id: String, _ message: String
  ) -> Finding {
    Finding(
      severity, check, file: data.script.path, line: data.script.values[id]?.line, id: id, message)
  }

  /// A finding about an utterance's segment.
  private func finding(
    _ severity: Finding.Severity, of utterance: Utterance, _ message: String
  ) -> Finding {
    Finding(
      severity, .segment, file: data.segments?.path ?? data.path,
      line: data.segments?.values[utterance.id]?.line, id: utterance.id, message)
  }

  /// The highest channel that the segments of each recording name.
  private var segmentChannels: [String: Int] {
    data.utterances.reduce(into: [:]) { channels, utterance in
      guard let channel = utterance.channel else { return }
      channels[utterance.recordingID] = max(channel, channels[utterance.recordingID] ?? 1)
    }
  }

  private func decode(_ path: FilePath, called name: Origin, channel: Int) throws -> Recorded {
    do {
      return try decode(try AudioReader(path, called: name, channel: channel))
    } catch AudioFault.noSuchChannel where channel != self.channel {
      // A segment's fault must not hide those of other segments.
      return try decode(try AudioReader(path, called: name, channel: 1))
    }
  }

  private func decode(_ opened: consuming AudioReader) throws -> Recorded {
    var reader = opened
    var facts = Recorded(sampleRate: reader.sampleRate, channels: reader.channels)
    let shortestSilence = max(1, facts.sampleRate / 10)
    let (fullScale, silence) = (reader.coding.fullScale, reader.coding.silence)
    var block: [Float] = []
    var (loud, zero) = (0, 0)
    while try reader.next(&block) {
      facts.samples += block.count
      for sample in block {
        // Once a run is long enough, each of its samples counts.
        loud = sample.magnitude >= fullScale ? loud + 1 : 0
        if loud >= 3 { facts.clipped += loud == 3 ? 3 : 1 }
        zero = sample.magnitude <= silence ? zero + 1 : 0
        if zero >= shortestSilence { facts.silent += zero == shortestSilence ? zero : 1 }
      }
    }
    facts.surplus = try reader.remark()
    return facts
  }

  private func judge(_ id: String, _ facts: Recorded, isChosen: Bool) -> [Finding] {
    var findings: [Finding] = []
    if !isChosen, facts.channels != 1 {
      findings.append(
        finding(
          .error, .channels, id, "expected one channel, or --channel, found \(facts.channels)"))
    }
    if let surplus = facts.surplus {
      findings.append(
        finding(
          .warning, .audio, id, "expected a file as long as its header says, found \(surplus)"))
    }
    if facts.clipped > 0 {
      let share = String(format: "%.3f", 100 * Double(facts.clipped) / Double(facts.samples))
      findings.append(
        finding(
          .warning, .clipping, id,
          "clipped: \(facts.clipped) samples (\(share) %) at full scale in runs of three or more"))
    }
    if facts.silent == facts.samples {
      findings.append(finding(.warning, .silence, id, "digitally silent: every sample is zero"))
    } else if 2 * facts.silent >= facts.samples {
      let seconds = String(format: "%.2f", Double(facts.silent) / Double(facts.sampleRate))
      findings.append(
        finding(
          .warning, .silence, id,
          "digitally silent for \(seconds) of \(String(format: "%.2f", facts.seconds)) s"))
    }
    findings += compare(facts.seconds, with: .recordingDurations, id)
    return findings
  }

  /// Reports the recordings whose sample rate is not the most frequent one.
  private func judgeSampleRates(_ recorded: [String: Recorded]) -> [Finding] {
    let counts = Dictionary(recorded.values.map { ($0.sampleRate, 1) }, uniquingKeysWith: +)
    guard counts.count > 1,
      let usual = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })
    else { return [] }
    return recorded.filter { $0.value.sampleRate != usual.key }
      .sorted { inByteOrder($0.key, $1.key) }
      .map { id, facts in
        finding(
          .error, .sampleRate, id,
          "expected \(usual.key) Hz, as \(usual.value) of \(recorded.count) recordings have, found "
            + "\(facts.sampleRate) Hz")
      }
  }

  private func judge(_ utterance: Utterance, _ facts: Recorded) -> [Finding] {
    var findings: [Finding] = []
    if let channel = utterance.channel, channel > facts.channels {
      findings.append(
        finding(
          .error, of: utterance,
          "expected one of the \(facts.channels) channel\(facts.channels == 1 ? "" : "s") of "
            + "\(utterance.recordingID), found channel \(channel - 1), counted from 0"))
    }
    var own = facts.seconds
    if let seconds = utterance.seconds {
      let end = seconds.upperBound == .infinity ? facts.seconds : seconds.upperBound
      // Rounded times may exceed the end by half a frame shift.
      if end > facts.seconds + 0.005 || seconds.lowerBound >= facts.seconds {
        let isCut =
          end <= facts.seconds + AudioReader.mostOverrun && seconds.lowerBound < facts.seconds
        findings.append(
          finding(
            isCut ? .warning : .error, of: utterance,
            "expected a segment within the \(facts.seconds) s of \(utterance.recordingID), found "
              + "\(seconds.lowerBound) s to \(end) s" + (isCut ? "; it is cut at the end" : "")))
      }
      own = end - seconds.lowerBound
    }
    // Decimal times are not exact.
    if own < 0.025 - 1e-6 {
      // It is shorter than a frame of the usual 25 ms; without a sample it is an error.
      let list = data.segments ?? data.script
      findings.append(
        Finding(
          own * Double(facts.sampleRate) < 0.5 ? .error : .warning, .duration, file: list.path,
          line: list.values[utterance.id]?.line, id: utterance.id,
          "expected at least 0.025 s, one frame, found \((own * 1e4).rounded() / 1e4) s"))
    }
    return findings + compare(own, with: .utteranceDurations, utterance.id)
  }

  /// Compares a listed duration with the audio's; a difference of up to a frame shift of 10 ms is
  /// allowed.
  private func compare(_ seconds: Double, with file: DataFile, _ id: String) -> [Finding] {
    guard let (line, text) = files.value(of: id, in: file), let listed = Double(text),
      abs(listed - seconds) > 0.0101
    else { return [] }
    return [
      Finding(
        .warning, .duration, file: data.path.appending(file.rawValue), line: line, id: id,
        "expected \(seconds) s, as the audio has, found \(listed) s")
    ]
  }
}
