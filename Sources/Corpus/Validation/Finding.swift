import Audio
import Foundation
import Storage
package import SystemPackage

/// One finding of a data directory's check.
package struct Finding: Sendable, Equatable, Codable {
  /// The severity of a finding.
  package enum Severity: String, Sendable, Codable {
    /// Data is unusable or wrong: an utterance cannot be used, or files contradict each other.
    case error
    /// The data can be used, but is unusual, or Kaldi's own tools refuse it.
    case warning
  }

  /// What was checked.
  package enum Check: String, Sendable, Codable, CaseIterable {
    /// A file exists and is not empty.
    case presence
    /// A line has the form that its file requires, in UTF-8.
    case form
    /// No key appears twice.
    case duplicate
    /// Keys are in byte order.
    case order
    /// All files have the same ids.
    case match
    /// Transcripts have none of Kaldi's own symbols and no invisible characters.
    case text
    /// A segment is well-formed, within its recording, and overlaps no other.
    case segment
    /// `utt2spk` and `spk2utt` agree, and name more than one speaker.
    case speaker
    /// A recording opens, can be decoded to its end, and is as long as its header says.
    case audio
    /// Audio lasts at least a frame, and as long as the lists of durations say.
    case duration
    /// All recordings have the same sample rate.
    case sampleRate
    /// A recording has one channel, unless a channel is chosen.
    case channels
    /// Samples are at full scale in runs of three or more.
    case clipping
    /// At least half of a recording is digital silence.
    case silence
  }

  /// How bad it is.
  package let severity: Severity
  /// What was checked.
  package let check: Check
  /// The path of the file at fault.
  package let file: String
  /// The line, counted from one; nil when it is not about a line.
  package let line: Int?
  /// The utterance, recording or speaker; nil when it is about the file as a whole.
  package let id: String?
  /// What was expected and what was found.
  package let message: String

  /// A finding about `file`.
  package init(
    _ severity: Severity, _ check: Check, file: FilePath, line: Int? = nil, id: String? = nil,
    _ message: String
  ) {
    (self.severity, self.check, self.file, self.line) = (severity, check, file.string, line)
    (self.id, self.message) = (id, message)
  }

  /// `FILE:LINE: SEVERITY: ID: MESSAGE`, in the style of compilers; parts that are nil are omitted.
  package var text: String {
    "\(file)\(line.map { ":\($0)" } ?? ""): \(severity): \(id.map { "\($0): " } ?? "")\(message)"
  }
}

/// The result of checking a data directory.
package struct ValidationReport: Sendable, Equatable, Codable {
  /// The path of the data directory.
  package let path: String
  /// The number of utterances that the files name, usable or not; 0 when `wav.scp` is unusable.
  package var utterances = 0
  /// The number of usable recordings.
  package var recordings = 0
  /// The number of speakers; nil without `utt2spk`.
  package var speakers: Int?
  /// The duration of the decoded audio, in seconds; nil when audio was not checked.
  package var seconds: Double?
  /// The number of decoded recordings at each sample rate in hertz; nil when audio was not checked.
  package var sampleRates: [Int: Int]?
  /// The number of findings that are errors.
  package var errors = 0
  /// The number of findings that are warnings.
  package var warnings = 0
  /// All findings, in the order in which they were added.
  package private(set) var findings: [Finding] = []

  init(path: FilePath) {
    self.path = path.string
  }

  mutating func add(_ findings: some Sequence<Finding>) {
    for finding in findings {
      self.findings.append(finding)
      if finding.severity == .error { errors += 1 } else { warnings += 1 }
    }
  }

  /// The sample rate, or each with its number of recordings, the most frequent first.
  private var rates: String {
    let sorted = (sampleRates ?? [:]).sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    if sorted.count < 2 { return sorted.first.map { " at \($0.key) Hz" } ?? "" }
    return " at " + sorted.map { "\($0.key) Hz (\($0.value) recordings)" }.joined(separator: ", ")
  }

  /// The counts as one line.
  package var summary: String {
    var parts = [counted(utterances, "utterance"), counted(recordings, "recording")]
    if let speakers { parts.append(counted(speakers, "speaker")) }
    if let seconds { parts.append("\(duration(seconds)) of audio\(rates)") }
    return "\(path): \(parts.joined(separator: ", ")); "
      + "\(counted(errors, "error")), \(counted(warnings, "warning"))"
  }
}

/// A number of things, such as `1 error` or `2 errors`.
private func counted(_ number: Int, _ noun: String) -> String {
  "\(number) \(noun)\(number == 1 ? "" : "s")"
}

/// A duration in hours, or in minutes or seconds if it is short.
private func duration(_ seconds: Double) -> String {
  switch seconds {
  case 3600...: String(format: "%.2f h", seconds / 3600)
  case 60...: String(format: "%.1f min", seconds / 60)
  default: String(format: "%.1f s", seconds)
  }
}
