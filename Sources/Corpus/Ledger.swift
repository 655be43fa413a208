import Foundation
package import Storage
package import SystemPackage

/// More frames than an utterance can have: three months of a hundred a second.
package let mostFrames = 1_000_000_000

/// What became of each utterance at each stage: what came in, what went on, and why it did not.
package struct Ledger: Sendable, Equatable {
  /// The steps that an utterance goes through.
  package enum Stage: String, Sendable, Codable, CaseIterable {
    /// The making of a data directory, and its alignment.
    case prepare, align
    /// The lines of a data directory.
    case data
    case features, targets
    /// The use of frames with their targets: to train on, or to score.
    case train, score
  }

  /// One line of `ledger.jsonl`.
  package struct Entry: Sendable, Equatable, Codable {
    package let utterance: String
    package let stage: Stage
    /// Why it was skipped; absent when it went on.
    package var reason: String?
    /// The seconds of audio that came in.
    package var seconds: Double?
    /// The frames that came in.
    package var framesIn: Int?
    /// The labels that its alignment had.
    package var labels: Int?
    /// The frames that went on.
    package var framesOut: Int?
    /// The part of the corpus, in an experiment's ledger.
    package var part: String?

    package init(_ utterance: String, _ stage: Stage) {
      (self.utterance, self.stage) = (utterance, stage)
    }

    /// What became of it, in words.
    package var account: String { "\(utterance), \(stage): \(reason ?? "went on")" }
  }

  package private(set) var entries: [Entry] = []

  package init() {}

  /// The entries of utterances that were skipped.
  package var leftOut: [Entry] { entries.filter { $0.reason != nil } }

  /// How many utterances were skipped, each counted once.
  package var leftOutCount: Int {
    // By bytes: Swift takes the same letters in other bytes for one id.
    Set(leftOut.map { [Array(($0.part ?? "").utf8), Array($0.utterance.utf8)] }).count
  }

  /// Adds an utterance that goes no further.
  package mutating func leaveOut(
    _ utterance: String, _ stage: Stage, reason: String, seconds: Double? = nil,
    framesIn: Int? = nil
  ) {
    var entry = Entry(utterance, stage)
    (entry.reason, entry.seconds, entry.framesIn) = (reason, seconds, framesIn)
    if framesIn != nil { entry.framesOut = 0 }
    entries.append(entry)
  }

  /// Adds an entry.
  package mutating func append(_ entry: Entry) {
    entries.append(entry)
  }

  /// Adds another ledger's entries.
  package mutating func append(_ other: Ledger) {
    entries += other.entries
  }

  /// Writes one JSON object a line, in the order of the entries; no entries make an empty file.
  package func write(to path: FilePath) throws(FileFault) {
    try AtomicFile.write(entries.map { JSONText.line($0) + "\n" }.joined(), to: path)
  }

  /// Reads what `write` wrote.
  package init(path: FilePath) throws(FileFault) {
    for (number, line) in try TextFile.lines(of: path) {
      guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(line.utf8)),
        [entry.framesIn, entry.labels, entry.framesOut].allSatisfy({
          (0...mostFrames).contains($0 ?? 0)
        })
      else {
        throw .malformedLine(
          path: path, line: number,
          expected: "an object with utterance and stage, and numbers of frames",
          found: "\(line)")
      }
      entries.append(entry)
    }
  }
}
