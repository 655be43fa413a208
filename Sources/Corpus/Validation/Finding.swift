import Audio
import Foundation
import Storage
package import SystemPackage

/// One thing that a check of a data directory found.
package struct Finding: Sendable, Equatable, Codable {
  /// How bad it is.
  package enum Severity: String, Sendable, Codable {
    /// Something is lost or wrong: an utterance that cannot be used, files that contradict each other.
    case error
    /// All can be used as it is; but it is unusual, or Kaldi's own tools refuse it.
    case warning
  }

  /// What was checked.
  package enum Check: String, Sendable, Codable, CaseIterable {
    /// A file is there and holds something.
    case presence
    /// A line has the form that its file asks for, in UTF-8.
    case form
    /// Each key stands once.
    case duplicate
    /// Keys are in the order of their bytes.
    case order
    /// The same ids stand in all files.
    case match
    /// Transcripts have words, and none of Kaldi's own symbols.
    case text
    /// A segment lies within its recording and lasts.
    case segment
    /// Speakers, their utterances and their properties.
    case speaker
    /// A recording opens and can be decoded to its end.
    case audio
    /// It has the length that its header and the lists of durations say.
    case duration
    case sampleRate
    case channels
    case clipping
    case silence
  }

  package let severity: Severity
  package let check: Check
  /// The file, and its line from one on.
  package let file: String
  package let line: Int?
  /// The utterance, recording or speaker.
  package let id: String?
  /// What was expected and what was found.
  package let message: String

  package init(
    _ severity: Severity, _ check: Check, file: FilePath, line: Int? = nil, id: String? = nil,
    _ message: String
  ) {
    (self.severity, self.check, self.file, self.line) = (severity, check, file.string, line)
    (self.id, self.message) = (id, message)
  }

  /// `FILE:LINE: SEVERITY: MESSAGE`, as compilers write it.
  package var text: String {
    "\(file)\(line.map { ":\($0)" } ?? ""): \(severity): \(id.map { "\($0): " } ?? "")\(message)"
  }
}

/// What a check of a data directory came to.
package struct ValidationReport: Sendable, Equatable, Codable {
  package let path: String
  package var utterances = 0
  package var recordings = 0
  /// Nil without `utt2spk`.
  package var speakers: Int?
  /// The audio that was decoded, in seconds; nil when it was not asked for.
  package var seconds: Double?
  package var errors = 0
  package var warnings = 0
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

  /// The counts, in words.
  package var summary: String {
    var parts = ["\(utterances) utterances", "\(recordings) recordings"]
    if let speakers { parts.append("\(speakers) speakers") }
    if let seconds { parts.append(String(format: "%.2f h of audio", seconds / 3600)) }
    return "\(path): \(parts.joined(separator: ", ")); \(errors) errors, \(warnings) warnings"
  }
}
