import Foundation
import Storage
package import SystemPackage

/// The log of one training: JSON lines with every figure, and the same as TensorBoard's events.
///
/// Both files go on where they were when a training is taken up again: what was written after its last
/// checkpoint is cut off.
package struct TrainingLog: ~Copyable {
  /// Where the files go.
  package struct Paths: Sendable {
    let lines: FilePath
    let events: FilePath

    /// - Parameters:
    ///   - lines: of the JSON lines.
    ///   - events: of TensorBoard's events; its name has `tfevents` in it.
    package init(lines: FilePath, events: FilePath) {
      (self.lines, self.events) = (lines, events)
    }
  }

  /// How much of each file belongs to a checkpoint.
  package struct Mark: Sendable, Equatable, Codable {
    let lines: Int
    let events: Int
  }

  private var lines: ResumableFile
  private var events: EventFile
  /// Whether there was less of the files than their mark says; they are then begun anew.
  let isShort: Bool
  private var lastTime = ContinuousClock.now
  private var frames = 0

  /// Begins the files, or goes on with those that were begun.
  ///
  /// - Parameters:
  ///   - paths: where they go.
  ///   - mark: where the checkpoint is that the training goes on from; nil at its start.
  /// - Throws: `FileFault` when they cannot be written.
  init(_ paths: Paths, from mark: Mark?) throws(FileFault) {
    // A run that was killed just after its end has given them their names.
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

  /// Where the files are now.
  var mark: Mark { Mark(lines: lines.byteCount, events: events.byteCount) }

  /// Sees to it that what was written is on the disk.
  mutating func synchronize() throws(FileFault) {
    try lines.synchronize()
    try events.synchronize()
  }

  /// Counts frames for the rate.
  mutating func count(frames: Int) { self.frames += frames }

  /// Writes what some steps came to.
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

  /// Writes what an epoch came to.
  mutating func write(_ record: EpochRecord) throws(FileFault) {
    try write(Line(record, framesPerSecond: nil))
    try events.write(
      [
        ("epoch/loss", record.loss), ("epoch/accuracy", record.accuracy),
        ("epoch/learningRate", record.learningRate), ("epoch/gradientNorm", record.gradientNorm),
        ("development/loss", record.developmentLoss),
        ("development/accuracy", record.developmentAccuracy),
      ], step: record.step)
    // Scoring the development set is no training.
    (lastTime, frames) = (.now, 0)
  }

  /// Training frames a second since the last record.
  private mutating func framesPerSecond() -> Double {
    let now = ContinuousClock.now
    let rate = Double(frames) / max(1e-9, (now - lastTime) / .seconds(1))
    (lastTime, frames) = (now, 0)
    return rate
  }

  /// A record with its rate beside it.
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

  /// Gives the files their names.
  consuming func close() throws(FileFault) {
    try lines.commit()
    try events.close()
  }
}
