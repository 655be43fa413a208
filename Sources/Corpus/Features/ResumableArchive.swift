import Foundation
package import KaldiIO
import LinearAlgebra
package import Storage
package import SystemPackage

/// An archive of utterances' matrices, written in order, with a journal from which a killed run
/// resumes.
///
/// The archive is complete up to the last line of the journal; anything after that is made again.
package struct ResumableArchive<Losses: Codable & Sendable>: ~Copyable {
  /// A line of the journal: what became of one utterance.
  package struct Record: Codable, Sendable {
    /// The utterance's id.
    package let utterance: String
    /// The length of its audio in seconds.
    package let seconds: Double
    /// The number of its frames; 0 for one that was skipped.
    package let frames: Int
    /// The offset of its value in the archive.
    package let valueOffset: Int
    /// The offset of the end of its entry.
    package let end: Int
    /// The largest error of its features that compression causes; nil without compression.
    package var error: Float?
    /// Why it was skipped; nil if it was not.
    package var reason: String?
    /// For soft targets: what their frames lose by being stored.
    package var losses: Losses?
  }

  /// The records of the utterances so far, in order.
  package private(set) var records: [Record]
  private var file: ResumableFile
  private var journal: ResumableFile
  /// The matrix that is being written in pieces: its key, its offset, and its rows so far.
  private var open: (key: String, start: Int, rows: Int)?

  /// Opens an archive, keeping what an earlier run of the same work left.
  ///
  /// - Parameters:
  ///   - path: the archive's path; the journal is beside it.
  ///   - identity: a digest of everything that determines the archive's bytes; the journal of other
  ///     work is dropped.
  ///   - utterances: the ids of all utterances, in order.
  /// - Throws: `FileFault` when a file cannot be written.
  package init(path: FilePath, identity: Fingerprint, utterances: [String]) throws(FileFault) {
    // After a crash of the machine, the archive may lack bytes that the journal records.
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

  /// Identifies the present boot of the machine.
  private static func boot() throws(FileFault) -> String {
    let path: FilePath = "/proc/sys/kernel/random/boot_id"
    return try FileSystem.exists(path) ? TextFile.text(of: path) : ""
  }

  /// The final path of the journal of an archive, under which it never appears.
  package static func journalPath(of path: FilePath) -> FilePath { path.withSuffix(".journal") }

  /// The archive's path until it is committed.
  var partPath: FilePath { ResumableFile.partPath(of: file.path) }

  /// The lines of an `scp` for the utterances so far.
  package var script: String {
    let place = file.path.absolute.string
    return records.filter { $0.reason == nil }
      .map { "\($0.utterance) \(place):\($0.valueOffset)\n" }.joined()
  }

  /// Appends an utterance whose matrix is complete.
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

  /// Records an utterance as skipped, and removes any rows appended for it.
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

  /// Appends rows of an utterance whose matrix is too large for memory; the first call starts it.
  mutating func appendRows(_ utterance: String, _ frames: Matrix) throws(FileFault) {
    let (header, rows) = ArchiveEntry.splitMatrix(utterance, frames)
    if open == nil {
      open = (utterance, file.byteCount, 0)
      try file.write(header)
    }
    open?.rows += frames.rows
    try file.write(rows)
  }

  /// Completes an utterance of `appendRows` by writing the number of rows to its header.
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

  /// Renames the archive to its final name and removes the journal.
  ///
  /// - Throws: `FileFault` when the bytes do not reach the disk. It is then unknown which of them
  ///   did, so the next run makes all of them again.
  package consuming func commit() throws(FileFault) {
    let path = file.path
    do throws(FileFault) { try file.commit() } catch {
      try ResumableArchive.removeJournal(of: path)
      throw error
    }
    try ResumableArchive.removeJournal(of: path)
  }

  /// Removes an uncommitted archive and its journal.
  static func discard(_ path: FilePath) throws(FileFault) {
    try FileSystem.remove(ResumableFile.partPath(of: path))
    try removeJournal(of: path)
  }

  private static func removeJournal(of path: FilePath) throws(FileFault) {
    try FileSystem.remove(ResumableFile.partPath(of: journalPath(of: path)))
  }
}

/// An archive of frames' values, of whose losses `Record.error` tells.
package typealias FeatureArchive = ResumableArchive<Never>
