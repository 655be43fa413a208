import Foundation
package import Storage
package import SystemPackage

/// An upper bound on the frames of an utterance: about four months at 100 frames a second.
package let mostFrames = 1_000_000_000

/// What happened to each utterance at each stage: what it received, what it passed on, and the
/// reason if the utterance was skipped.
package struct Ledger: Sendable, Equatable {
  /// The stages that an utterance goes through.
  package enum Stage: String, Sendable, Codable, CaseIterable {
    /// Making a data directory, and aligning it.
    case prepare, align
    /// Reading the lines of a data directory.
    case data
    /// Computing or reading the features, and making the frame targets.
    case features, targets
    /// Using frames with their targets, for training or for scoring.
    case train, score
    /// Classifying the frames with a model.
    case posteriors
  }

  /// One line of `ledger.jsonl`.
  package struct Entry: Sendable, Equatable, Codable {
    /// The utterance's id.
    package let utterance: String
    /// The stage that the entry is about.
    package let stage: Stage
    /// Why the utterance was skipped; absent when it passed the stage.
    package var reason: String?
    /// The duration of the audio received, in seconds.
    package var seconds: Double?
    /// The number of frames received.
    package var framesIn: Int?
    /// The number of frames that its alignment labels.
    package var labels: Int?
    /// The number of frames passed on.
    package var framesOut: Int?
    /// The part of the corpus (train, development or test) in an experiment's ledger.
    package var part: String?

    /// An entry of an utterance that passed the stage; the other fields are set afterwards.
    package init(_ utterance: String, _ stage: Stage) {
      (self.utterance, self.stage) = (utterance, stage)
    }

    /// The entry as one line for people.
    package var account: String { "\(utterance), \(stage): \(reason ?? "passed")" }
  }

  /// All entries, in the order in which they were added.
  package private(set) var entries: [Entry] = []

  /// A ledger without entries.
  package init() {}

  /// The entries of utterances that were skipped.
  package var leftOut: [Entry] { entries.filter { $0.reason != nil } }

  /// The entries of utterances that passed a stage.
  package func passed(_ stage: Stage) -> [Entry] {
    entries.filter { $0.stage == stage && $0.reason == nil }
  }

  /// The number of utterances skipped, each counted once.
  package var leftOutCount: Int {
    // By bytes: Swift treats the same letters in different bytes as one id.
    Set(leftOut.map { [Array(($0.part ?? "").utf8), Array($0.utterance.utf8)] }).count
  }

  /// Adds an utterance that was skipped, with the reason.
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

  /// Writes one JSON object per line, in the order of the entries; without entries, the file is
  /// empty.
  package func write(to path: FilePath) throws(FileFault) {
    try AtomicFile.write(entries.map { JSONText.line($0) + "\n" }.joined(), to: path)
  }

  /// Reads a file that `write(to:)` wrote.
  ///
  /// - Throws: `FileFault` when it cannot be read, or for the first malformed line.
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
