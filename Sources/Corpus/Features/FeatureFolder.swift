package import Features
import Foundation
import KaldiIO
package import LinearAlgebra
package import Storage
package import SystemPackage

/// A folder of features: `feats.ark`, `feats.scp`, `utt2num_frames`, `features.json` and
/// `ledger.jsonl`, and `utt2spk` if the data directory has it.
package struct FeatureFolder: Sendable {
  /// The contents of `features.json`.
  package struct Description: Codable {
    /// The options that the features were made with.
    package let options: FeatureOptions
    /// The version of the program that made them.
    package let version: String
    /// The channel of the recordings that was used, from 1; nil for mono recordings.
    package var channel: Int?
    /// How the audio was perturbed; nil if it was not.
    package var copy: AugmentedCopy?
    /// How the matrices are compressed; nil if they are not.
    package var compression: String?
    /// The largest error of a feature that compression causes; nil without compression.
    package var largestError: Float?
  }

  /// The folder's path.
  package let path: FilePath

  /// The folder at a path; nothing is read yet.
  package init(path: FilePath) {
    self.path = path
  }

  /// The matrices of all utterances.
  package var archivePath: FilePath { path.appending("feats.ark") }
  /// The places of the matrices in the archive, as a Kaldi scp.
  package var scriptPath: FilePath { path.appending("feats.scp") }
  /// The number of frames of each utterance, as Kaldi's `utt2num_frames`.
  package var frameCountPath: FilePath { path.appending("utt2num_frames") }
  package var descriptionPath: FilePath { path.appending("features.json") }
  /// What became of each utterance, a `Ledger`.
  package var ledgerPath: FilePath { path.appending("ledger.jsonl") }
  /// The speakers of the utterances that have features, if the data directory has `utt2spk`.
  package var speakersPath: FilePath { path.appending("utt2spk") }

  /// The archive of log-mel frames that a second pass transforms to features.
  static let framesName: FilePath = "logmel.ark"

  /// Throws when the folder holds features, or other files of these names, that the program did not
  /// make.
  func requireOwn() throws(FileFault) {
    try OwnFiles.require(
      ["feats.ark", "feats.scp", "utt2num_frames", "utt2spk", "cmvn.ark", "cmvn.scp"], in: path,
      marks: ["features.json", "ledger.jsonl"]
        + ["feats.ark", FeatureFolder.framesName].compactMap {
          ResumableFile.partPath(of: FeatureArchive.journalPath(of: $0)).lastComponent
        },
      remedy: "name another folder, or move it away")
  }

  /// Makes `feats.scp` point to the archive's present path, for an experiment that was moved.
  package func placeScript() throws(FileFault) {
    try ArchiveScript.place(scriptPath, of: archivePath)
  }

  /// The speaker of each utterance; nil when speakers are unknown.
  package func speakers() throws(FileFault) -> [String: String]? {
    guard try FileSystem.exists(speakersPath) else { return nil }
    var speakers: [String: String] = [:]
    for (number, line) in try TextFile.lines(of: speakersPath) {
      let fields = line.fields
      guard fields.count == 2 else {
        throw .malformedLine(
          path: speakersPath, line: number, expected: "an utterance and its speaker",
          found: "\"\(line)\"")
      }
      speakers[String(fields[0])] = String(fields[1])
    }
    return speakers
  }

  /// The options that the features were made with.
  package func options() throws(FileFault) -> FeatureOptions { try description().options }

  /// Reads `features.json`.
  package func description() throws(FileFault) -> Description {
    try JSONText.read(descriptionPath, expected: "feature options and a version")
  }

  /// The number of frames of each utterance.
  package func frameCounts() throws(FileFault) -> [String: Int] {
    var counts: [String: Int] = [:]
    for (number, line) in try TextFile.lines(of: frameCountPath) {
      let fields = line.fields
      guard fields.count == 2, let count = Int(fields[1]),
        (0...mostFrames).contains(count)
      else {
        throw .malformedLine(
          path: frameCountPath, line: number, expected: "an utterance and its number of frames",
          found: "\"\(line)\"")
      }
      counts[String(fields[0])] = count
    }
    return counts
  }

  /// Makes the features of a data directory, with the folder locked.
  ///
  /// Utterances that cannot be read, or are shorter than one frame, are skipped and named in the
  /// ledger. The files are identical to the byte for any number of workers, and after a run that
  /// was killed and resumed.
  ///
  /// - Parameters:
  ///   - data: the utterances.
  ///   - request: how the features are made and stored.
  ///   - workers: the threads that share the utterances.
  ///   - reporter: receives progress and the summary.
  /// - Returns: the ledger, also written to `ledger.jsonl`.
  /// - Throws: `FileFault` when the folder cannot be written, or statistics or speakers cannot be
  ///   read; a machine fault while audio is read, after which the same call resumes.
  package func extract(
    _ data: DataDirectory, _ request: FeatureRequest, workers: Workers, reporter: Reporter
  ) throws -> Ledger {
    let lock = try FolderLock(path)
    if let remark = lock.remark { reporter.log.warning("\(remark)") }
    let ledger = try FeatureExtraction(
      folder: self, data: data, request: request, workers: workers, reporter: reporter
    ).run()
    _ = consume lock
    return ledger
  }

  /// Writes `features.json`.
  func describe(_ request: FeatureRequest, error: Float?) throws(FileFault) {
    var compression: String?
    if case .compressed(let chosen) = request.form { compression = chosen.rawValue }
    let description = Description(
      options: request.options, version: limbeckVersion, channel: request.channel,
      copy: request.copy, compression: compression, largestError: error)
    try AtomicFile.write(JSONText.document(description), to: descriptionPath)
  }
}
