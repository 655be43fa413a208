import Classes
package import Corpus
import Features
package import Foundation
package import KaldiIO
package import LinearAlgebra
import Models
import Storage
import SystemPackage
import Training

/// Writes what a model says of each frame of some utterances.
///
/// The bytes do not depend on the number of workers, nor on where the features come from. A killed
/// run resumes after the last utterance that was written, except on standard output.
package struct PosteriorWriter {
  /// Where the matrices go.
  package enum Target {
    /// A folder with the archive, its script, a description and a ledger.
    case folder(PosteriorFolder)
    /// An archive, and perhaps its script; nothing appears under their names before it is complete,
    /// or if all utterances are skipped.
    case archive(ArchiveOutput)
  }

  /// The model, and what is computed.
  let classifier: FrameClassifier
  /// The form of the matrices.
  let form: ArchiveForm
  let workers: Workers
  let reporter: Reporter

  /// - Parameters:
  ///   - classifier: the model, and what is computed.
  ///   - form: the form of the matrices.
  ///   - workers: the threads that share the utterances.
  ///   - reporter: receives progress and the summary.
  package init(
    _ classifier: FrameClassifier, form: ArchiveForm, workers: Workers, reporter: Reporter
  ) {
    (self.classifier, self.form) = (classifier, form)
    (self.workers, self.reporter) = (workers, reporter)
  }

  /// Writes the posteriors of all utterances of a source.
  ///
  /// - Parameters:
  ///   - source: the audio or the features.
  ///   - target: where the matrices go.
  ///   - print: writes bytes to standard output.
  /// - Returns: the ledger of all utterances, which a folder's `ledger.jsonl` has too.
  /// - Throws: a fault of the source, of the model or of a file; after a machine fault the same call
  ///   resumes.
  package func write(
    _ source: PosteriorSource, to target: Target,
    print: (Data) throws -> Void
  ) throws -> Ledger {
    switch target {
    case .archive(let output):
      return try source.withFeatures(
        for: classifier, work: nil, workers: workers, reporter: reporter
      ) { try write($0, to: output, print: print) }
    case .folder(let folder):
      let lock = try FolderLock(folder.path)
      if let remark = lock.remark { reporter.log.warning("\(remark)") }
      try folder.requireOwn(.matrices)
      // Without these files, the folder is unusable until it is complete.
      for path in [folder.descriptionPath, folder.scriptPath] { try FileSystem.remove(path) }
      let ledger = try source.withFeatures(
        for: classifier, work: folder.featuresPath, workers: workers, reporter: reporter
      ) { try write($0, to: folder) }
      _ = consume lock
      return ledger
    }
  }

  private func pass(_ ready: ReadyFeatures) throws(FileFault) -> PosteriorPass {
    try PosteriorPass(classifier, ready, workers: workers, reporter: reporter)
  }

  /// A digest of everything that determines the archive's bytes.
  private func identity(_ ready: ReadyFeatures) throws(FileFault) -> Fingerprint {
    var inputs = try Inputs()
    inputs.add("model", try classifier.system.digest().description)
    inputs.add("temperature", classifier.temperature)
    inputs.add("log priors", classifier.logPriors)
    inputs.add("form", "\(form)")
    // Features of audio are made again by each run, so their bytes count.
    inputs.add("features", try Fingerprint(ofFile: ready.folder.archivePath).description)
    return inputs.fingerprint
  }

  // MARK: - To files

  private func write(_ ready: ReadyFeatures, to folder: PosteriorFolder) throws -> Ledger {
    let pass = try pass(ready)
    let archive = try pass.makeArchive(folder.archivePath, form: form, identity: identity(ready))
    let ledger = ledger(ready.earlier, archive.records, of: pass.frames)
    let description = PosteriorFolder.Description(
      classifier, .matrices, modelDigest: try classifier.system.digest(), form: form,
      error: archive.records.compactMap(\.error).max())
    try folder.finish(archive, ledger, description)
    reporter.name(ledger.leftOut, in: folder.ledgerPath)
    classifier.summarize(ledger, of: .file(folder.path), reporter)
    return ledger
  }

  private func write(
    _ ready: ReadyFeatures, to output: ArchiveOutput, print: (Data) throws -> Void
  ) throws -> Ledger {
    let pass = try pass(ready)
    var ledger: Ledger
    if let path = output.archive {
      if let kind = try FileSystem.facts(of: path)?.kind, kind != .file {
        throw FileFault.unwritable(path: path, reason: "it is not a regular file")
      }
      let archive = try pass.makeArchive(path, form: form, identity: identity(ready))
      ledger = self.ledger(ready.earlier, archive.records, of: pass.frames)
      let script = archive.script
      if script.isEmpty {
        // Without any utterance, no archive is written.
        _ = consume archive
        for path in [path, FeatureArchive.journalPath(of: path)] {
          try FileSystem.remove(ResumableFile.partPath(of: path))
        }
      } else {
        try archive.commit()
        if let path = output.script { try AtomicFile.write(script, to: path) }
      }
    } else {
      ledger = ready.earlier
      for entry in try pass.forEachEntry(form, { try print($0.bytes) }) { ledger.append(entry) }
    }
    for entry in ledger.leftOut { reporter.log.warning(entry.account) }
    let origin = output.archive.map { Origin.file($0) } ?? .named("standard output")
    classifier.summarize(ledger, of: origin, reporter)
    return ledger
  }

  /// The ledger of all utterances, given a record for each of the frames.
  private func ledger(
    _ earlier: Ledger, _ records: [FeatureArchive.Record], of frames: ArchiveFrames
  ) -> Ledger {
    var ledger = earlier
    for (index, record) in records.enumerated() {
      var entry = Ledger.Entry(record.utterance, .posteriors)
      (entry.reason, entry.framesIn) = (record.reason, frames.frameCount(of: index))
      entry.framesOut = record.frames
      if record.reason == nil { entry.seconds = record.seconds }
      ledger.append(entry)
    }
    return ledger
  }
}

extension FrameClassifier {
  /// Logs how many utterances and frames were classified.
  func summarize(_ ledger: Ledger, of origin: Origin, _ reporter: Reporter) {
    let own = ledger.passed(.posteriors)
    let frames = own.reduce(0) { $0 + ($1.framesOut ?? 0) }
    reporter.log.info(
      """
      \(origin): \(own.count) of \(own.count + ledger.leftOutCount) utterances, \(frames) frames \
      of \(classes.count) classes
      """)
  }
}
