package import Storage

/// A label and the time it lasts, in seconds.
package struct LabelSpan: Sendable, Equatable {
  package let start: Double
  package let end: Double
  package let label: String

  package init(start: Double, end: Double, label: String) {
    (self.start, self.end, self.label) = (start, end, label)
  }
}

/// Reads NIST's CTM: a line `UTTERANCE CHANNEL START DURATION LABEL [CONFIDENCE]`, times in seconds;
/// a line that starts with `;;` is a comment.
package enum CTMReader {
  /// The spans of each utterance, in the order of the file.
  package static func read(_ path: String) throws(FileFault) -> [String: [LabelSpan]] {
    var alignments: [String: [LabelSpan]] = [:]
    for (number, line) in try TextFile.lines(of: path) where !line.hasPrefix(";;") {
      let fields = line.fields
      guard fields.count == 5 || fields.count == 6,
        let start = Double(fields[2]), let duration = Double(fields[3]),
        start >= 0, duration >= 0, start + duration < longestRecording
      else {
        throw .malformedLine(
          path: path, line: number,
          expected: """
            an utterance, a channel, a start and a duration in seconds below \
            \(Int(longestRecording)), and a label
            """,
          found: "\"\(line)\"")
      }
      let span = LabelSpan(start: start, end: start + duration, label: String(fields[4]))
      alignments[String(fields[0]), default: []].append(span)
    }
    return alignments
  }
}

/// Two days in seconds; a time beyond it is a mistake, and would be millions of frames.
private let longestRecording = 172_800.0
