import Foundation
package import Storage

/// One utterance of a data directory.
package struct Utterance: Sendable, Equatable {
  package let id: String
  /// The recording that it is, or is a part of.
  package let audioPath: String
  /// Its part of the recording in seconds; nil for all of it.
  package let seconds: ClosedRange<Double>?
}

/// A Kaldi data directory: `wav.scp`, and `segments` where it exists.
package struct DataDirectory: Sendable {
  package let path: String
  /// In the order of their ids' bytes, whatever order the files have.
  package let utterances: [Utterance]

  /// Reads the files; audio is not opened.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - root: where relative paths in `wav.scp` start; nil for the current folder, as in Kaldi.
  /// - Throws: `FileFault` for a missing `wav.scp`, an id that stands twice, a segment of an unknown
  ///   recording or of no length, or a `wav.scp` entry that is a command: a list must not run
  ///   programs.
  package init(path: String, root: String? = nil) throws(FileFault) {
    self.path = path
    let scriptPath = path + "/wav.scp"
    var recordings: [String: String] = [:]
    for (key, value) in try readTable(scriptPath) {
      guard !value.text.hasSuffix("|") else {
        throw .malformedLine(
          path: scriptPath, line: value.line, expected: "the path of an audio file",
          found: "a command, which is not run: \(value.text)")
      }
      let isRelative = !value.text.hasPrefix("/")
      recordings[key] = isRelative ? (root.map { $0 + "/" } ?? "") + value.text : value.text
    }
    let segmentPath = path + "/segments"
    var parts: [(id: String, recording: String, seconds: ClosedRange<Double>?)] = []
    if FileManager.default.fileExists(atPath: segmentPath) {
      for (key, value) in try readTable(segmentPath) {
        let fields = value.text[...].fields
        guard fields.count == 3, let start = Double(fields[1]), let end = Double(fields[2]),
          start >= 0, end > start, end.isFinite
        else {
          throw .malformedLine(
            path: segmentPath, line: value.line,
            expected: "an utterance, its recording, and a start before an end in seconds",
            found: "\"\(key) \(value.text)\"")
        }
        guard recordings[String(fields[0])] != nil else {
          throw .malformedLine(
            path: segmentPath, line: value.line, expected: "a recording of wav.scp",
            found: "\"\(fields[0])\"")
        }
        parts.append((key, String(fields[0]), start...end))
      }
    } else {
      parts = recordings.keys.map { ($0, $0, nil) }
    }
    utterances = parts.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
      .compactMap { part in
        recordings[part.recording].map {
          Utterance(id: part.id, audioPath: $0, seconds: part.seconds)
        }
      }
    guard !utterances.isEmpty else {
      throw .malformed(path: scriptPath, expected: "at least one recording", found: "none")
    }
  }
}

/// Reads a file of `KEY VALUE` lines; a key without a value and a key that stands twice are faults.
private func readTable(
  _ path: String
) throws(FileFault) -> [String: (line: Int, text: String)] {
  var table: [String: (line: Int, text: String)] = [:]
  for (number, line) in try TextFile.lines(of: path) {
    let (key, rest) = line.keyAndRest
    guard !rest.isEmpty else {
      throw .malformedLine(
        path: path, line: number, expected: "a key and a value", found: "\"\(line)\"")
    }
    if let first = table.updateValue((number, String(rest)), forKey: String(key)) {
      throw .malformedLine(
        path: path, line: number, expected: "each key once",
        found: "\(key) again, after line \(first.line)")
    }
  }
  return table
}
