import Foundation
import Storage
package import SystemPackage

/// The log of one training: JSON lines with every figure, and the same figures as TensorBoard
/// events.
///
/// When a training resumes, whatever was written after its last checkpoint is cut off, and both
/// files continue from there.
package struct TrainingLog: ~Copyable {
  /// The paths of both files.
  package struct Paths: Sendable {
    let lines: FilePath
    let events: FilePath

    /// - Parameters:
    ///   - lines: the path of the JSON lines.
    ///   - events: the path of the TensorBoard events; TensorBoard expects `tfevents` in the name.
    package init(lines: FilePath, events: FilePath) {
      (self.lines, self.events) = (lines, events)
    }
  }

  /// The length of each file, in bytes, at a checkpoint.
  package struct Mark: Sendable, Equatable, Codable {
    let lines: Int
    let events: Int
  }

  private var lines: ResumableFile
  private var events: EventFile
  /// Whether a file was shorter than its mark says, in which case both are started again.
  let isShort: Bool
  private var lastTime = ContinuousClock.now
  private var frames = 0

  /// Starts the files, or continues existing ones.
  ///
  /// - Parameters:
  ///   - paths: the paths of both files.
  ///   - mark: the mark of the checkpoint from which the training resumes; nil at the start.
  /// - Throws: `FileFault` when they cannot be written.
  init(_ paths: Paths, from mark: Mark?) throws(FileFault) {
    // A run that was killed just after its end has already renamed them.
    for path in [paths.lines, paths.events] where mark != nil {
      try ResumableFile.reopen(path)
    }
    let kept = mark ?? Mark(lines: 0, events: 0)
    let (haveLines, haveEvents) = (
      try ResumableFile.partSize(of: paths.lines), try ResumableFile.partSize(of: paths.events)
    )
    let isShort = haveLines < kept.lines || haveEvents < kept.events
    let lines = try ResumableFile(path: paths.lines, keeping: isShort ? 0 : kept.lines)
    let events = try EventFile(path: paths.events, keeping: isShort ? 0 : kept.events)
    self.isShort = isShort
    self.lines = lines
    self.events = events
  }

  /// The current length of both files.
  var mark: Mark { Mark(lines: lines.byteCount, events: events.byteCount) }

  /// Flushes what was written to disk.
  mutating func synchronize() throws(FileFault) {
    try lines.synchronize()
    try events.synchronize()
  }

  /// Adds frames to the count behind the frame rate.
  mutating func count(frames: Int) { self.frames += frames }

  /// Writes the record of some steps.
  mutating func write(_ record: StepRecord) throws(FileFault) {
    let rate = framesPerSecond()
    try write(Line(record, framesPerSecond: rate))
    try events.write(
      [
        ("train/loss", record.loss), ("train/accuracy", record.accuracy),
        ("train/learningRate", record.learningRate), ("train/gradientNorm", record.gradientNorm),
        ("train/framesPerSecond", rate),
      ], step: record.step)
  }

  /// Writes the record of an epoch.
  mutating func write(_ record: EpochRecord) throws(FileFault) {
    try write(Line(record, framesPerSecond: nil))
    try events.write(
      [
        ("epoch/loss", record.loss), ("epoch/accuracy", record.accuracy),
        ("epoch/learningRate", record.learningRate), ("epoch/gradientNorm", record.gradientNorm),
        ("development/loss", record.developmentLoss),
        ("development/accuracy", record.developmentAccuracy),
      ], step: record.step)
    // The time for scoring the development set does not count as training.
    (lastTime, frames) = (.now, 0)
  }

  /// The training frames per second since the last record.
  private mutating func framesPerSecond() -> Double {
    let now = ContinuousClock.now
    let rate = Double(frames) / max(1e-9, (now - lastTime) / .seconds(1))
    (lastTime, frames) = (now, 0)
    return rate
  }

  /// A record with the frame rate as an additional key.
  private struct Line<Record: Encodable>: Encodable {
    let record: Record
    let framesPerSecond: Double?

    init(_ record: Record, framesPerSecond: Double?) {
      (self.record, self.framesPerSecond) = (record, framesPerSecond.map { $0.rounded() })
    }

    private enum CodingKeys: String, CodingKey { case framesPerSecond }

    func encode(to encoder: any Encoder) throws {
      try record.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encodeIfPresent(framesPerSecond, forKey: .framesPerSecond)
    }
  }

  private mutating func write(_ line: Line<some Encodable>) throws(FileFault) {
    try lines.write(Data((JSONText.line(line) + "\n").utf8))
  }

  /// Renames both files to their final names.
  consuming func close() throws(FileFault) {
    try lines.commit()
    try events.close()
  }
}
