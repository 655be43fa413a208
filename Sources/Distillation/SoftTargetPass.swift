package import Corpus
import Evaluation
import Foundation
import KaldiIO
package import LinearAlgebra
package import Storage
package import SystemPackage
package import Training

/// Labels frames with a teacher's distributions at one or more T, and stores them in 16 bits by
/// utterance.
///
/// The teacher labels a group of utterances at a time, whose distributions are in memory. Each
/// member of an ensemble processes the group once for all T, one member after the other. A killed
/// run resumes after the last utterances that were written.
package struct SoftTargetPass {
  /// The output for one T.
  package struct Output {
    /// The path of the archive of 16-bit matrices (`CM2`); its script and its report are beside it.
    let path: FilePath
    /// A digest of everything that determines its bytes.
    let identity: Fingerprint
    /// T.
    let temperature: Double
    /// What is kept of each frame.
    let store: SoftTargetStore

    /// An archive at a path, for one T.
    package init(
      path: FilePath, identity: Fingerprint, temperature: Double, store: SoftTargetStore
    ) {
      (self.path, self.identity) = (path, identity)
      (self.temperature, self.store) = (temperature, store)
    }
  }

  let frames: ArchiveFrames
  /// The archive of the features.
  let featuresPath: FilePath
  let teacher: any Teacher
  let workers: Workers
  let reporter: Reporter

  /// A pass over some frames; nothing is read yet.
  package init(
    frames: ArchiveFrames, featuresPath: FilePath, teacher: any Teacher, workers: Workers,
    reporter: Reporter
  ) {
    (self.frames, self.featuresPath, self.teacher) = (frames, featuresPath, teacher)
    (self.workers, self.reporter) = (workers, reporter)
  }

  /// The greatest number of values summed at a time; a longer utterance is summed alone.
  package static let mostValues = 1 << 26

  /// Makes an archive and a report for each T.
  ///
  /// - Parameters:
  ///   - outputs: at least one, all for the same classes.
  ///   - finish: called with the index of each output that is complete.
  /// - Throws: `FileFault` when files cannot be read or written, a fault of a model, and whatever
  ///   `finish` throws.
  package func run(to outputs: [Output], finish: (Int) throws -> Void) throws {
    var archives: [SoftTargetArchive] = []
    for output in outputs { archives.append(try SoftTargetArchive(output, of: frames, reporter)) }
    var next = archives.map(\.count).min() ?? frames.count
    let file = outputs[0].path.stem ?? ""
    while next < frames.count {
      try Interruption.check()
      let round = frames.round(
        from: next, columns: outputs[0].store.classes * outputs.count,
        mostValues: SoftTargetPass.mostValues)
      let distributions = try teacher.distributions(
        of: round, in: frames, path: featuresPath, temperatures: outputs.map(\.temperature),
        workers: workers
      ) { share in
        reporter.progress(
          WorkProgress(
            work: "soft targets of \(file)",
            done: Double(round.lowerBound) + share * Double(round.count),
            total: Double(frames.count), unit: "utterances"))
      }
      for (place, archive) in archives.enumerated() {
        try archive.append(distributions.map { $0[place] }, of: round, workers: workers)
      }
      next = round.upperBound
    }
    for (place, archive) in archives.enumerated() {
      try archive.commit()
      try finish(place)
    }
  }
}

/// The soft targets of one T while they are made.
private final class SoftTargetArchive {
  private let output: SoftTargetPass.Output
  private let frames: ArchiveFrames
  private let reporter: Reporter
  /// Nil once committed.
  private var archive: ResumableArchive<SoftTargetLosses>?

  /// Opens the archive, keeping what an earlier run of the same work left, and logs its final size.
  init(
    _ output: SoftTargetPass.Output, of frames: ArchiveFrames, _ reporter: Reporter
  ) throws(FileFault) {
    (self.output, self.frames, self.reporter) = (output, frames, reporter)
    let store = output.store
    reporter.log.info(
      """
      \(output.path.text): \(frames.frameCount) frames, \(store.largest.map { "the \($0) most probable" } ?? "all") \
      of \(store.classes) classes in \(store.bits) bits, \(String(format: "%.2f GB", Double(bytes) / 1e9))
      """)
    archive = try ResumableArchive(
      path: output.path, identity: output.identity, utterances: frames.ids)
  }

  /// The size of all soft targets in bytes.
  private var bytes: Int { output.store.bits / 8 * frames.frameCount * output.store.columns }

  /// The number of utterances so far.
  var count: Int { archive?.records.count ?? 0 }

  /// Appends the utterances of a round that the archive lacks.
  ///
  /// - Parameters:
  ///   - distributions: one matrix [T × classes] for each utterance of the round.
  ///   - round: utterances that follow or overlap those in the archive.
  ///   - workers: the threads that share the utterances.
  /// - Throws: `FileFault` when the archive cannot be written.
  func append(
    _ distributions: [Matrix], of round: Range<Int>, workers: Workers
  ) throws(FileFault) {
    let (store, first) = (output.store, max(round.lowerBound, count))
    guard first < round.upperBound else { return }
    let own = Array(distributions[(first - round.lowerBound)...])
    let ids = (first..<round.upperBound).map(frames.id)
    let stored = workers.map(own.count) { place in
      let kept = store.stored(own[place])
      var loss = SoftTargetLosses(of: store)
      let isCompressed = store.bits == 16
      loss.add(
        own[place],
        stored: isCompressed ? CompressedMatrix.restored(kept, by: .twoBytes) : kept)
      let form = isCompressed ? ArchiveForm.compressed(.twoBytes) : .binary
      return (entry: ArchiveEntry(ids[place], .matrix(kept), form: form), loss: loss)
    }
    for (place, (entry, loss)) in stored.enumerated() {
      try archive?.append(
        ids[place], entry, frames: own[place].rows, seconds: 0, error: nil, losses: loss)
    }
  }

  /// Renames the archive to its final name, and writes its script and its report.
  func commit() throws(FileFault) {
    guard let archive = archive.take() else { return }
    let script = archive.script
    var losses = SoftTargetLosses(of: output.store)
    for own in archive.records.compactMap(\.losses) { losses.add(own) }
    try archive.commit()
    var scriptPath = output.path
    scriptPath.extension = "scp"
    try AtomicFile.write(script, to: scriptPath)
    let report = losses.report(
      frames: frames.frameCount, bytes: bytes, temperature: output.temperature)
    try AtomicFile.write(JSONText.document(report), to: SoftTargetReport.path(of: output.path))
  }
}

extension FrameSource {
  /// The next utterances to process together.
  ///
  /// - Parameters:
  ///   - first: the first of them.
  ///   - columns: the number of values in memory for each frame.
  ///   - mostValues: the greatest number of values for all of them; a longer utterance is processed
  ///     alone.
  /// - Returns: at least one utterance.
  func round(from first: Int, columns: Int, mostValues: Int) -> Range<Int> {
    var (end, values) = (first, 0)
    repeat {
      values += frameCount(of: end) * columns
      end += 1
    } while end < count && values + frameCount(of: end) * columns <= mostValues
    return first..<end
  }
}
