import Classes
import Corpus
import Features
import KaldiIO
import LinearAlgebra
import Models
import Storage
import SystemPackage
import Training

/// Classifies the frames of utterances in parallel, and writes what the model says of them in order.
///
/// Frames are read and classified a thousand at a time, so that memory does not grow with the length
/// of an utterance when a binary archive is written.
struct PosteriorPass {
  let classifier: FrameClassifier
  let frames: ArchiveFrames
  /// The features' name in messages.
  let origin: Origin
  let form: ArchiveForm
  let workers: Workers
  let reporter: Reporter

  private var classes: Int { classifier.model.classes.count }

  /// The duration of an utterance in seconds.
  private func seconds(of utterance: Int) -> Double {
    Double(frames.frameCount(of: utterance)) * classifier.model.features.grid.shiftInSeconds
  }

  /// Makes an archive, resuming after the utterances that an earlier run of the same work left.
  ///
  /// - Parameters:
  ///   - path: the archive's path.
  ///   - identity: a digest of everything that determines its bytes.
  /// - Returns: the archive, complete but not committed.
  /// - Throws: a machine fault, after which the same call resumes.
  func makeArchive(_ path: FilePath, identity: Fingerprint) throws -> FeatureArchive {
    let ids = frames.ids
    let archive = try FeatureArchive(path: path, identity: identity, utterances: ids)
    if !archive.records.isEmpty {
      reporter.log.info("\(path.text): resuming after \(archive.records.count) utterances")
    }
    let pass = FeaturePass(
      archive, utterances: ids, form: form,
      report: reporter.utterances("posteriors", of: ids.count))
    return try pass.run(workers, own: { classifier.stream() }) { stream, index, sink in
      sink.frames = Matrix(rows: 0, columns: classes)
      // An utterance that was skipped may have left frames behind.
      stream.begin()
      for piece in pieces(of: index) {
        try classify(piece, of: index, &stream, to: &sink.frames)
        try sink.relieve()
      }
      return seconds(of: index)
    }
  }

  /// Passes the entries of an archive to `write`, in order.
  ///
  /// The utterances of a round are in memory.
  ///
  /// - Returns: the entries of a ledger.
  /// - Throws: a machine fault, and what `write` throws.
  func forEachEntry(_ write: (ArchiveEntry) throws -> Void) throws -> [Ledger.Entry] {
    try ThreadMemory.require(
      forLogitsOf: frames, by: 1, classes: classes, workers: workers)
    let report = reporter.utterances("posteriors", of: frames.count)
    var entries: [Ledger.Entry] = []
    while entries.count < frames.count {
      try Interruption.check()
      let round = frames.round(from: entries.count, columns: classes, mostValues: 1 << 24)
      let made = workers.map(round.count, state: { classifier.stream() }) { stream, place in
        Result { try entry(of: round.lowerBound + place, &stream) }
      }
      for (index, result) in zip(round, made) {
        var entry = Ledger.Entry(frames.id(of: index), .posteriors)
        entry.framesIn = frames.frameCount(of: index)
        switch result {
        case .success(let own):
          try write(own)
          (entry.framesOut, entry.seconds) = (entry.framesIn, seconds(of: index))
        case .failure(let fault as any Fault) where fault.isOfMachine: throw fault
        case .failure(let fault): (entry.framesOut, entry.reason) = (0, "\(fault)")
        }
        entries.append(entry)
        report(entries.count, entry.seconds ?? 0)
      }
    }
    return entries
  }

  private func entry(of utterance: Int, _ stream: inout LogitStream) throws -> ArchiveEntry {
    var values = Matrix(rows: 0, columns: classes)
    stream.begin()
    for piece in pieces(of: utterance) {
      try classify(piece, of: utterance, &stream, to: &values)
    }
    let id = frames.id(of: utterance)
    try ArchiveWriter.requireStorable(.matrix(values), id, form: form, path: origin)
    return ArchiveEntry(id, .matrix(values), form: form)
  }

  private func pieces(of utterance: Int) -> [Range<Int>] {
    let count = frames.frameCount(of: utterance)
    return stride(from: 0, to: count, by: framesAPiece).map {
      $0..<min(count, $0 + framesAPiece)
    }
  }

  /// Reads the next piece of an utterance, and appends the frames that are then known.
  private func classify(
    _ piece: Range<Int>, of utterance: Int, _ stream: inout LogitStream, to values: inout Matrix
  ) throws(FileFault) {
    let features = try frames.features(piece, of: utterance, path: origin)
    var known = Matrix(rows: 0, columns: classes)
    stream.push(
      features, isLast: piece.upperBound == frames.frameCount(of: utterance), appendingTo: &known)
    classifier.replace(&known)
    try frames.requireFinite(known, of: utterance, path: origin)
    values.append(known)
  }
}
