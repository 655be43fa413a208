import Classes
import Corpus
import Features
import KaldiIO
import LinearAlgebra
import Models
import Storage
import SystemPackage
import Training

/// Classifies the frames of utterances in parallel, and writes what the models say of them in
/// order.
///
/// Frames are read and classified a thousand at a time, so that memory does not grow with the length
/// of an utterance when a binary archive or labels are written.
struct PosteriorPass {
  let classifier: FrameClassifier
  let frames: ArchiveFrames
  /// The features' name in messages.
  let origin: Origin
  let workers: Workers
  let reporter: Reporter

  /// A pass over features.
  ///
  /// - Throws: `FileFault` when they cannot be read, have other columns than the system expects, or
  ///   there are none and none was skipped.
  init(
    _ classifier: FrameClassifier, _ ready: ReadyFeatures, workers: Workers, reporter: Reporter
  ) throws(FileFault) {
    let matrices = try MatrixArchive(path: ready.folder.archivePath, otherForms: .held)
    frames = try ArchiveFrames(
      features: matrices, targets: nil, columns: classifier.features.columns,
      classes: classifier.classes.count)
    guard frames.count > 0 || !ready.earlier.entries.isEmpty else {
      throw .malformed(path: ready.origin, expected: "at least one utterance", found: "none")
    }
    (self.classifier, origin) = (classifier, ready.origin)
    (self.workers, self.reporter) = (workers, reporter)
  }

  private var classes: Int { classifier.classes.count }

  /// The duration of an utterance in seconds.
  private func seconds(of utterance: Int) -> Double {
    Double(frames.frameCount(of: utterance)) * classifier.features.grid.shiftInSeconds
  }

  /// Makes an archive, resuming after the utterances that an earlier run of the same work left.
  ///
  /// - Parameters:
  ///   - path: the archive's path.
  ///   - form: the form of the matrices.
  ///   - identity: a digest of everything that determines its bytes.
  /// - Returns: the archive, complete but not committed.
  /// - Throws: a machine fault, after which the same call resumes.
  func makeArchive(
    _ path: FilePath, form: ArchiveForm, identity: Fingerprint
  ) throws -> FeatureArchive {
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
      try forEachPiece(of: index, &stream) { logits in
        try append(logits, of: index, to: &sink.frames)
        try sink.relieve()
      }
      return seconds(of: index)
    }
  }

  /// Passes the entries of an archive to `write`, in order.
  ///
  /// The utterances of a round are in memory.
  ///
  /// - Parameters:
  ///   - form: the form of the matrices.
  ///   - write: receives each entry.
  /// - Returns: the entries of a ledger.
  /// - Throws: a machine fault, and what `write` throws.
  func forEachEntry(
    _ form: ArchiveForm, _ write: (ArchiveEntry) throws -> Void
  ) throws -> [Ledger.Entry] {
    try ThreadMemory.require(forLogitsOf: frames, by: 1, classes: classes, workers: workers)
    return try forEach(valuesAFrame: classes) { index, stream in
      var values = Matrix(rows: 0, columns: classes)
      try forEachPiece(of: index, &stream) { try append($0, of: index, to: &values) }
      let id = frames.id(of: index)
      try ArchiveWriter.requireStorable(.matrix(values), id, form: form, path: origin)
      return ArchiveEntry(id, .matrix(values), form: form)
    } write: {
      try write($0)
    }
  }

  /// Passes the decisions on each utterance to `write`, in order.
  ///
  /// - Parameters:
  ///   - check: throws a data fault for an utterance that cannot be written, by its id.
  ///   - write: receives each utterance's id and decisions.
  /// - Returns: the entries of a ledger.
  /// - Throws: a machine fault, and what `write` throws.
  func forEachDecisions(
    check: @Sendable (String) throws(FileFault) -> Void,
    write: (String, FrameDecisions) throws -> Void
  ) throws -> [Ledger.Entry] {
    try forEach(valuesAFrame: 2) { index, stream in
      let id = frames.id(of: index)
      try check(id)
      var decisions = FrameDecisions()
      try forEachPiece(of: index, &stream) { logits in
        let distributions = classifier.system.distributions(
          of: logits, temperature: classifier.temperature)
        try frames.requireFinite(distributions, of: index, path: origin)
        decisions.append(distributions)
      }
      return (id, decisions)
    } write: {
      try write($0.0, $0.1)
    }
  }

  /// Makes a value of each utterance in parallel, and passes them to `write` in order.
  private func forEach<Value: Sendable>(
    valuesAFrame: Int, _ make: @Sendable (Int, inout SystemStream) throws -> Value,
    write: (Value) throws -> Void
  ) throws -> [Ledger.Entry] {
    let report = reporter.utterances("posteriors", of: frames.count)
    var entries: [Ledger.Entry] = []
    while entries.count < frames.count {
      try Interruption.check()
      let round = frames.round(from: entries.count, columns: valuesAFrame, mostValues: 1 << 24)
      let made = workers.map(round.count, state: { classifier.stream() }) { stream, place in
        Result {
          try Interruption.check()
          return try make(round.lowerBound + place, &stream)
        }
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

  /// Reads an utterance in pieces, and passes on the logits of the frames that are then known.
  private func forEachPiece(
    of utterance: Int, _ stream: inout SystemStream, _ body: ([Matrix]) throws -> Void
  ) throws {
    // An utterance that was skipped may have left frames behind.
    stream.begin()
    let count = frames.frameCount(of: utterance)
    for start in stride(from: 0, to: count, by: framesAPiece) {
      let piece = start..<min(count, start + framesAPiece)
      let features = try frames.features(piece, of: utterance, path: origin)
      let logits = stream.push(features, isLast: piece.upperBound == count)
      for own in logits { try frames.requireFinite(own, of: utterance, path: origin) }
      try body(logits)
    }
  }

  /// Appends the values of the frames of some logits.
  private func append(
    _ logits: [Matrix], of utterance: Int, to values: inout Matrix
  ) throws(FileFault) {
    let known = classifier.values(of: logits)
    try frames.requireFinite(known, of: utterance, path: origin)
    values.append(known)
  }
}
