import Foundation
package import KaldiIO
import LinearAlgebra
package import Storage
package import SystemPackage

/// Matrices of utterances as they are made, in their order: an archive, and beside it a journal of what is
/// in it, from which a run that was killed goes on.
///
/// The archive is whole up to the last line of the journal; what is behind that is made again. `Losses` is what its
/// maker measures of an utterance as it is stored.
package struct ResumableArchive<Losses: Codable & Sendable>: ~Copyable {
  /// What became of one utterance: a line of the journal.
  package struct Record: Codable, Sendable {
    package let utterance: String
    /// The length of its audio in seconds.
    package let seconds: Double
    package let frames: Int
    /// Where its value starts in the archive, and where what comes after it starts.
    package let valueOffset: Int
    package let end: Int
    /// The largest error of its features that compression causes; nil without.
    package var error: Float?
    /// Why it was skipped; nil when it was not.
    package var reason: String?
    /// Of soft targets: what their frames lose by being stored.
    package var losses: Losses?
  }

  /// Of the utterances so far, in their order.
  package private(set) var records: [Record]
  private var file: ResumableFile
  private var journal: ResumableFile
  /// The matrix that is written piece by piece: its key, where it starts, its rows so far.
  private var open: (key: String, start: Int, rows: Int)?

  /// Opens an archive, to go on with what an earlier run of the same work left.
  ///
  /// - Parameters:
  ///   - path: of the archive; the journal stands beside it.
  ///   - identity: of all that decides on the archive's bytes; a journal of other work is dropped.
  ///   - utterances: their ids, in order.
  /// - Throws: `FileFault` when a file cannot be written.
  package init(path: FilePath, identity: Fingerprint, utterances: [String]) throws(FileFault) {
    // After a crash of the machine the archive may lack what the journal says.
    let head = Fingerprint(of: "\(identity) \(try ResumableArchive.boot())").description + "\n"
    let journalPath = ResumableArchive.journalPath(of: path)
    var kept: [Record] = []
    var length = head.utf8.count
    let journalPart = ResumableFile.partPath(of: journalPath)
    let bytes = try FileSystem.exists(journalPart) ? TextFile.bytes(of: journalPart) : Data()
    if bytes.starts(with: Data(head.utf8)) {
      let size = try ResumableFile.partSize(of: path)
      for line in bytes.dropFirst(length).split(separator: UInt8(ascii: "\n")) {
        guard let record = try? JSONDecoder().decode(Record.self, from: line), record.end <= size,
          kept.count < utterances.count, record.utterance == utterances[kept.count],
          length + line.count < bytes.count
        else { break }
        kept.append(record)
        length += line.count + 1
      }
    }
    let isNew = kept.isEmpty
    let file = try ResumableFile(path: path, keeping: kept.last?.end ?? 0)
    var journal = try ResumableFile(path: journalPath, keeping: isNew ? 0 : length)
    if isNew { try journal.write(Data(head.utf8)) }
    self.file = file
    self.journal = journal
    records = kept
  }

  /// Which start of the machine this is.
  private static func boot() throws(FileFault) -> String {
    let path: FilePath = "/proc/sys/kernel/random/boot_id"
    return try FileSystem.exists(path) ? TextFile.text(of: path) : ""
  }

  static func journalPath(of path: FilePath) -> FilePath { path.withSuffix(".journal") }

  /// The path of the archive until it is committed.
  var partPath: FilePath { ResumableFile.partPath(of: file.path) }

  /// The lines of an `scp` for the utterances so far.
  package var script: String {
    let place = file.path.absolute.string
    return records.filter { $0.reason == nil }
      .map { "\($0.utterance) \(place):\($0.valueOffset)\n" }.joined()
  }

  /// Appends an utterance that is whole in memory.
  package mutating func append(
    _ utterance: String, _ entry: ArchiveEntry, frames: Int, seconds: Double, error: Float?,
    losses: Losses? = nil
  ) throws(FileFault) {
    let start = file.byteCount
    try file.write(entry.bytes)
    try record(
      Record(
        utterance: utterance, seconds: seconds, frames: frames,
        valueOffset: start + entry.valueOffset, end: file.byteCount, error: error,
        losses: losses))
  }

  /// Notes an utterance that is skipped, and removes what was appended of it.
  mutating func leaveOut(_ utterance: String, reason: String) throws(FileFault) {
    if let open, open.key == utterance {
      try file.truncate(to: open.start)
      self.open = nil
    }
    try record(
      Record(
        utterance: utterance, seconds: 0, frames: 0, valueOffset: 0, end: file.byteCount,
        reason: reason))
  }

  /// Appends rows of an utterance whose matrix is too large to hold; the first call starts it.
  mutating func appendRows(_ utterance: String, _ frames: Matrix) throws(FileFault) {
    let (header, rows) = ArchiveEntry.splitMatrix(utterance, frames)
    if open == nil {
      open = (utterance, file.byteCount, 0)
      try file.write(header)
    }
    open?.rows += frames.rows
    try file.write(rows)
  }

  /// Ends an utterance of `appendRows`, and sets the number of rows that its header has.
  mutating func finishRows(_ utterance: String, seconds: Double) throws(FileFault) {
    guard let open, open.key == utterance else { return }
    try file.replace(
      at: open.start + ArchiveEntry.rowCountOffset(utterance),
      with: ArchiveEntry.rowCount(open.rows))
    try record(
      Record(
        utterance: utterance, seconds: seconds, frames: open.rows,
        valueOffset: open.start + utterance.utf8.count + 1, end: file.byteCount))
    self.open = nil
  }

  private mutating func record(_ record: Record) throws(FileFault) {
    try journal.write(Data((JSONText.line(record) + "\n").utf8))
    records.append(record)
  }

  /// Gives the archive its name and removes the journal.
  ///
  /// - Throws: `FileFault` when the bytes do not reach the disk. Which of them did is not known then, so the next
  ///   run makes them anew.
  package consuming func commit() throws(FileFault) {
    let path = file.path
    do throws(FileFault) { try file.commit() } catch {
      try ResumableArchive.removeJournal(of: path)
      throw error
    }
    try ResumableArchive.removeJournal(of: path)
  }

  /// Removes an archive that was not committed, and its journal.
  static func discard(_ path: FilePath) throws(FileFault) {
    try FileSystem.remove(ResumableFile.partPath(of: path))
    try removeJournal(of: path)
  }

  private static func removeJournal(of path: FilePath) throws(FileFault) {
    try FileSystem.remove(ResumableFile.partPath(of: journalPath(of: path)))
  }
}

/// An archive of features, of whose losses `Record.error` tells.
typealias FeatureArchive = ResumableArchive<Never>
