import Distillation
import Evaluation
import Foundation
import KaldiIO
import LinearAlgebra
import Logging
import Storage
import Training

/// Labels frames with a teacher's distributions, and stores them in 16 bits by utterance.
///
/// The teacher labels some utterances at a time, whose distributions are held: of an ensemble each member goes over
/// them before the next one does. A run that was killed goes on after the last utterances that were written.
struct SoftTargetPass {
  let frames: ArchiveFrames
  let store: SoftTargetStore
  /// The archive of the features.
  let featuresPath: String
  let teacher: any Teacher
  /// T.
  let temperature: Double
  let workers: Workers
  let reporter: Reporter

  /// The values that are summed at a time; an utterance of more is summed alone.
  private static let mostValues = 1 << 26

  /// Makes an archive of 16-bit matrices (`CM2`) of what the store keeps of each frame, and a report beside it.
  ///
  /// - Parameters:
  ///   - path: of the archive; its script stands beside it.
  ///   - identity: of all that decides on it.
  /// - Throws: `FileFault` for files that cannot be read or written, and what is wrong with a model.
  func run(to path: String, identity: Fingerprint) throws {
    let lock = try FolderLock((path as NSString).deletingLastPathComponent)
    defer { withExtendedLifetime(lock) {} }
    let bytes = Double(2 * frames.frameCount * store.columns)
    reporter.log.info(
      """
      \(path): \(frames.frameCount) frames, \(store.largest.map { "the \($0) most probable" } ?? "all") of \
      \(store.classes) classes in 16 bits, \(String(format: "%.2f GB", bytes / 1e9))
      """)
    var archive = try ResumableArchive(path: path, identity: identity, utterances: frames.ids)
    var next = archive.records.count
    while next < frames.count {
      let round = frames.round(
        from: next, columns: store.classes, mostValues: SoftTargetPass.mostValues)
      let distributions = try teacher.distributions(
        of: round, in: frames, path: featuresPath, temperature: temperature, workers: workers
      ) { share in
        reporter.progress(
          WorkProgress(
            work: "soft targets", done: Double(round.lowerBound) + share * Double(round.count),
            total: Double(frames.count), unit: "utterances"))
      }
      let stored = workers.map(round.count) { index in
        let own = store.stored(distributions[index])
        var loss = SoftTargetLosses(of: store)
        loss.add(distributions[index], stored: CompressedMatrix.restored(own, by: .twoBytes))
        return (
          entry: ArchiveEntry(
            frames.id(of: round.lowerBound + index), .matrix(own), form: .compressed(.twoBytes)),
          loss: loss
        )
      }
      for (index, (entry, loss)) in zip(round, stored) {
        let own = distributions[index - round.lowerBound]
        try archive.append(
          frames.id(of: index), entry, frames: own.rows, seconds: 0, error: nil, losses: loss)
      }
      next = round.upperBound
    }
    let script = archive.script
    var losses = SoftTargetLosses(of: store)
    for own in archive.records.compactMap(\.losses) { losses.add(own) }
    try archive.commit()
    try AtomicFile.write(script, to: (path as NSString).deletingPathExtension + ".scp")
    let report = losses.report(
      frames: frames.frameCount, bytes: Int(bytes), temperature: temperature)
    try AtomicFile.write(JSONText.document(report), to: SoftTargetReport.path(of: path))
    guard losses.own.frames > 0 else { return }
    reporter.log.info("\(path):\n\(report.table.markdown)")
  }
}

extension FrameSource {
  /// The utterances from one on that are gone over together.
  ///
  /// - Parameters:
  ///   - first: the first of them.
  ///   - columns: the values that are held of each frame.
  ///   - mostValues: of all of them; an utterance of more is alone.
  /// - Returns: one at least.
  func round(from first: Int, columns: Int, mostValues: Int) -> Range<Int> {
    var (end, values) = (first, 0)
    repeat {
      values += frameCount(of: end) * columns
      end += 1
    } while end < count && values + frameCount(of: end) * columns <= mostValues
    return first..<end
  }
}
