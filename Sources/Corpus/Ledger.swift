import Foundation
package import Storage

/// The utterances that were left out, each with its stage and its reason.
package struct Ledger: Sendable, Equatable {
  /// One line of `ledger.jsonl`.
  package struct Entry: Sendable, Equatable, Codable {
    package let utterance: String
    package let stage: String
    package let reason: String

    package init(utterance: String, stage: String, reason: String) {
      (self.utterance, self.stage, self.reason) = (utterance, stage, reason)
    }
  }

  package private(set) var entries: [Entry] = []

  package init() {}

  /// Adds an entry.
  package mutating func leaveOut(_ utterance: String, stage: String, reason: String) {
    entries.append(Entry(utterance: utterance, stage: stage, reason: reason))
  }

  /// Adds an entry of another ledger.
  package mutating func append(_ entry: Entry) {
    entries.append(entry)
  }

  /// Adds another ledger's entries.
  package mutating func append(_ other: Ledger) {
    entries += other.entries
  }

  /// Writes one JSON object a line, in the order of the entries; no entries make an empty file.
  package func write(to path: String) throws(FileFault) {
    try AtomicFile.write(entries.map { JSONText.line($0) + "\n" }.joined(), to: path)
  }

  /// Reads what `write` wrote.
  package init(path: String) throws(FileFault) {
    for (number, line) in try TextFile.lines(of: path) {
      guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(line.utf8)) else {
        throw .malformedLine(
          path: path, line: number, expected: "an object with utterance, stage and reason",
          found: "\(line)")
      }
      entries.append(entry)
    }
  }
}
