import Classes
import Corpus
import Foundation
import KaldiIO
import Models
package import Storage
package import SystemPackage

/// A folder of posteriors or log-likelihoods: `posteriors.ark`, `posteriors.scp`, `utt2num_frames`,
/// `posteriors.json` and `ledger.jsonl`; or of labels: a TextGrid for each utterance,
/// `posteriors.json` and `ledger.jsonl`.
package struct PosteriorFolder: Sendable {
  /// What the folder holds of each utterance.
  enum Contents { case matrices, labels }

  /// The contents of `posteriors.json`.
  package struct Description: Codable, Sendable {
    /// What the values are: `log posteriors`, `log likelihoods` or `labels`.
    package let values: String
    /// The file name of the model, or the name of the models' combination.
    package let model: String
    /// A digest of the models' bytes.
    package let modelDigest: String
    /// T, by which logits were divided.
    package let temperature: Double
    /// A digest of the log priors that were subtracted; nil for posteriors.
    package let priorsDigest: String?
    /// The classes, in the order of the columns.
    package let classes: [String]
    /// How the matrices are compressed; nil if they are not.
    package let compression: String?
    /// The largest error of a value that compression causes; nil without compression.
    package let largestError: Float?
    /// The version of limbeck that wrote the folder.
    package let version: String
  }

  /// The folder's path.
  package let path: FilePath

  /// The folder at a path; nothing is read yet.
  package init(path: FilePath) { self.path = path }

  /// One matrix [T × classes] of each utterance.
  package var archivePath: FilePath { path.appending("posteriors.ark") }
  /// Where they are in the archive.
  package var scriptPath: FilePath { path.appending("posteriors.scp") }
  /// The number of frames of each utterance.
  package var frameCountPath: FilePath { path.appending("utt2num_frames") }
  /// The `Description`.
  package var descriptionPath: FilePath { path.appending("posteriors.json") }
  /// What became of each utterance, a `Ledger`.
  package var ledgerPath: FilePath { path.appending("ledger.jsonl") }
  /// The features of audio while the posteriors are made.
  var featuresPath: FilePath { path.appending("features.part") }

  /// The labels of an utterance.
  func textGridPath(of utterance: String) -> FilePath { path.appending("\(utterance).TextGrid") }

  /// Throws when the folder holds files that would be replaced and that this command did not make,
  /// or other contents that it made.
  func requireOwn(_ contents: Contents) throws(FileFault) {
    if try FileSystem.exists(descriptionPath), let values = try? description().values,
      (values == PosteriorFolder.labels) != (contents == .labels)
    {
      throw .malformed(
        path: path, expected: contents == .labels ? "a folder for labels" : "a folder for matrices",
        found: "\(values); name another folder")
    }
    let journal = ResumableFile.partPath(of: FeatureArchive.journalPath(of: archivePath))
    try OwnFiles.require(
      ["posteriors.ark", "posteriors.scp", "utt2num_frames", "ledger.jsonl"], in: path,
      marks: ["posteriors.json"] + [journal, featuresPath].compactMap(\.lastComponent),
      remedy: "name another folder, or move it away")
  }

  /// Reads `posteriors.json`.
  package func description() throws(FileFault) -> Description {
    try JSONText.read(descriptionPath, expected: "a description of posteriors")
  }

  /// Writes everything but the archive's values, and renames the archive to its final name.
  func finish(
    _ archive: consuming FeatureArchive, _ ledger: Ledger, _ description: Description
  ) throws(FileFault) {
    let (script, records) = (archive.script, archive.records.filter { $0.reason == nil })
    // The mark by which the next run knows the folder as the program's.
    try AtomicFile.write(JSONText.document(description), to: descriptionPath)
    try ledger.write(to: ledgerPath)
    try archive.commit()
    try AtomicFile.write(script, to: scriptPath)
    try AtomicFile.write(
      records.map { "\($0.utterance) \($0.frames)\n" }.joined(), to: frameCountPath)
  }
}

extension PosteriorFolder {
  /// How a description says that the folder holds labels.
  fileprivate static let labels = "labels"
}

extension PosteriorFolder.Description {
  /// Describes the values of a classifier.
  init(
    _ classifier: FrameClassifier, _ contents: PosteriorFolder.Contents, modelDigest: Fingerprint,
    form: ArchiveForm, error: Float?
  ) {
    switch contents {
    case .labels: values = PosteriorFolder.labels
    case .matrices: values = classifier.logPriors == nil ? "log posteriors" : "log likelihoods"
    }
    model = classifier.system.name
    self.modelDigest = modelDigest.description
    temperature = classifier.temperature
    priorsDigest = classifier.logPriors.map { Fingerprint(of: JSONText.line($0)).description }
    classes = classifier.classes.symbols
    if case .compressed(let chosen) = form {
      compression = chosen.rawValue
    } else {
      compression = nil
    }
    largestError = error
    version = limbeckVersion
  }
}
