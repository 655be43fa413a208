import Training
import Classes
package import Corpus
import Features
package import Foundation
package import LinearAlgebra
import KaldiIO
package import Storage
package import SystemPackage

/// Writes runs of the most probable class of each frame as alignments.
///
/// Read back as frame targets with these classes and one state each, they give the same class in
/// every frame.
package struct LabelWriter {
  /// Where the labels go.
  package enum Target: Sendable {
    /// A CTM of all utterances, in a file or, with nil, on standard output. A file appears under
    /// its name once it is complete, and not at all if all utterances are skipped.
    case ctm(FilePath?)
    /// A folder with a TextGrid of each utterance.
    case textGrids(PosteriorFolder)
    /// The TextGrid of the only utterance, on standard output.
    case textGrid
  }

  private let classifier: FrameClassifier
  private let workers: Workers
  private let reporter: Reporter

  /// - Parameters:
  ///   - classifier: the model or models.
  ///   - workers: the threads that share the utterances; the labels do not depend on their number.
  ///   - reporter: receives progress and the summary.
  /// - Throws: `FileFault` for a class whose symbol is empty or has white space, so that it cannot
  ///   be a label.
  package init(
    _ classifier: FrameClassifier, workers: Workers, reporter: Reporter
  ) throws(FileFault) {
    // A CTM reserves these for alternatives.
    for symbol in classifier.classes.symbols where !isSymbol(symbol) || symbol.hasPrefix("<ALT") {
      throw .malformed(
        path: classifier.system.path, expected: "classes whose symbols can be labels",
        found: "\"\(symbol)\"")
    }
    (self.classifier, self.workers, self.reporter) = (classifier, workers, reporter)
  }

  /// Writes the labels of all utterances of a source.
  ///
  /// - Parameters:
  ///   - source: the audio or the features.
  ///   - target: where the labels go.
  ///   - print: writes bytes to standard output.
  /// - Returns: the ledger of all utterances, which a folder's `ledger.jsonl` has too.
  /// - Throws: a fault of the source, of the model or of a file.
  package func write(
    _ source: PosteriorSource, to target: Target, print: (Data) throws -> Void
  ) throws -> Ledger {
    switch target {
    case .ctm(let path):
      return try withPass(source) { pass, earlier in
        guard let path else {
          let ledger = try self.ctm(of: pass, earlier) { try print(Data($0.utf8)) }
          return finish(ledger, of: .named("standard output"))
        }
        return finish(try write(pass, earlier, to: path), of: .file(path))
      }
    case .textGrid:
      return try withPass(source) { pass, earlier in
        guard pass.frames.count + earlier.leftOutCount == 1 else {
          throw FileFault.malformed(
            path: pass.origin, expected: "one utterance for a TextGrid on standard output",
            found: "\(pass.frames.count + earlier.leftOutCount)")
        }
        let own = try pass.forEachDecisions { _ throws(FileFault) in
        } write: { _, decisions in
          try print(Data(textGrid(decisions).utf8))
        }
        return finish(earlier.with(own), of: .named("standard output"))
      }
    case .textGrids(let folder):
      let lock = try FolderLock(folder.path)
      if let remark = lock.remark { reporter.log.warning("\(remark)") }
      try folder.requireOwn(.labels)
      let ledger = try withPass(source) { pass, earlier in
        try write(pass, earlier, to: folder)
      }
      _ = consume lock
      return ledger
    }
  }

  private func withPass<Result>(
    _ source: PosteriorSource, _ body: (PosteriorPass, Ledger) throws -> Result
  ) throws -> Result {
    try source.withFeatures(for: classifier, work: nil, workers: workers, reporter: reporter) {
      try body(
        PosteriorPass(classifier, $0, workers: workers, reporter: reporter), $0.earlier)
    }
  }

  private func spans(_ decisions: FrameDecisions) -> [ScoredSpan] {
    decisions.spans(classifier.classes, classifier.features.grid)
  }

  private func textGrid(_ decisions: FrameDecisions) -> String {
    // The tier that `limbeck targets` reads by default.
    spans(decisions).textGrid(tier: "phones")
  }

  // MARK: - CTM

  private func ctm(
    of pass: PosteriorPass, _ earlier: Ledger, _ write: (String) throws -> Void
  ) throws -> Ledger {
    let own = try pass.forEachDecisions { id throws(FileFault) in
      guard !id.hasPrefix(";;") else {
        throw .malformed(
          path: .named("CTM"), expected: "an utterance id that does not begin a comment (;;)",
          found: id)
      }
    } write: { id, decisions in
      try write(spans(decisions).ctm(of: id))
    }
    return earlier.with(own)
  }

  private func write(
    _ pass: PosteriorPass, _ earlier: Ledger, to path: FilePath
  ) throws -> Ledger {
    var file = try AtomicFile(path: path)
    let ledger = try ctm(of: pass, earlier) { try file.write($0) }
    if !ledger.passed(.posteriors).isEmpty { try file.commit() }
    return ledger
  }

  // MARK: - TextGrids

  private func write(
    _ pass: PosteriorPass, _ earlier: Ledger, to folder: PosteriorFolder
  ) throws -> Ledger {
    // What an earlier run made of utterances that are no longer in the source must not be read.
    if try FileSystem.exists(folder.ledgerPath), try FileSystem.exists(folder.descriptionPath) {
      for entry in try Ledger(path: folder.ledgerPath).passed(.posteriors)
      where PosteriorFolder.isFileName(entry.utterance) {
        try FileSystem.remove(folder.textGridPath(of: entry.utterance))
      }
      try FileSystem.remove(folder.ledgerPath)
    }
    for id in pass.frames.ids where PosteriorFolder.isFileName(id) {
      let name = folder.textGridPath(of: id).lastComponent
      try OwnFiles.require(
        [name].compactMap { $0 }, in: folder.path, marks: ["posteriors.json"],
        remedy: "name another folder, or move it away")
    }
    let description = PosteriorFolder.Description(
      classifier, .labels, modelDigest: try classifier.system.digest(), form: .binary, error: nil)
    // The mark by which the next run knows the folder as the program's.
    try AtomicFile.write(JSONText.document(description), to: folder.descriptionPath)
    let own = try pass.forEachDecisions { id throws(FileFault) in
      guard PosteriorFolder.isFileName(id) else {
        throw .malformed(
          path: folder.path, expected: "an utterance id that can be a file name", found: id)
      }
    } write: { id, decisions in
      try AtomicFile.write(textGrid(decisions), to: folder.textGridPath(of: id))
    }
    let ledger = earlier.with(own)
    // Last, so that a folder without it is incomplete.
    try ledger.write(to: folder.ledgerPath)
    reporter.name(ledger.leftOut, in: folder.ledgerPath)
    classifier.summarize(ledger, of: .file(folder.path), reporter)
    return ledger
  }

  /// Names the skipped utterances and logs the summary.
  private func finish(_ ledger: Ledger, of origin: Origin) -> Ledger {
    for entry in ledger.leftOut { reporter.log.warning(entry.account) }
    classifier.summarize(ledger, of: origin, reporter)
    return ledger
  }
}

extension Ledger {
  /// The ledger followed by entries.
  fileprivate func with(_ entries: [Entry]) -> Ledger {
    var result = self
    for entry in entries { result.append(entry) }
    return result
  }
}

extension PosteriorFolder {
  /// Whether an utterance's id can be the name of its TextGrid and of the part of it.
  fileprivate static func isFileName(_ id: String) -> Bool {
    !id.isEmpty && !id.utf8.contains(0) && !id.contains("/")
      && id.utf8.count <= 255 - ".TextGrid.part".utf8.count
  }
}
