import Audio
package import Corpus
package import Features
import Foundation
import KaldiIO
package import LinearAlgebra
import Logging
package import Storage

/// A folder of log-mel features: `feats.ark`, `feats.scp`, `utt2num_frames`, `features.json` and
/// `ledger.jsonl`.
package struct FeatureFolder: Sendable {
  /// What `features.json` holds.
  private struct Description: Codable {
    let options: LogMelOptions
    let version: String
  }

  package let path: String

  package init(path: String) {
    self.path = path
  }

  var archivePath: String { path + "/feats.ark" }
  var scriptPath: String { path + "/feats.scp" }
  var frameCountPath: String { path + "/utt2num_frames" }
  var descriptionPath: String { path + "/features.json" }
  package var ledgerPath: String { path + "/ledger.jsonl" }

  /// The options that the features were made with.
  package func options() throws(FileFault) -> LogMelOptions {
    let data = try TextFile.bytes(of: descriptionPath)
    do {
      return try JSONDecoder().decode(Description.self, from: data).options
    } catch {
      throw .malformed(
        path: descriptionPath, expected: "feature options and a version", found: "\(error)")
    }
  }

  /// The number of frames of each utterance.
  package func frameCounts() throws(FileFault) -> [String: Int] {
    var counts: [String: Int] = [:]
    for (number, line) in try TextFile.lines(of: frameCountPath) {
      let fields = line.fields
      guard fields.count == 2, let count = Int(fields[1]), count >= 0 else {
        throw .malformedLine(
          path: frameCountPath, line: number, expected: "an utterance and its number of frames",
          found: "\"\(line)\"")
      }
      counts[String(fields[0])] = count
    }
    return counts
  }

  /// The features of all utterances: frames × bands, at least one frame, all finite.
  package func read() throws(FileFault) -> [(key: String, matrix: Matrix)] {
    let bands = try options().melBins
    let entries = try MatrixArchive.read(archivePath)
    for (key, matrix) in entries
    where matrix.rows == 0 || matrix.columns != bands || !matrix.isFinite {
      throw .malformed(
        path: archivePath, expected: "finite frames of \(bands) features for \(key)",
        found: "\(matrix.rows)×\(matrix.columns)\(matrix.isFinite ? "" : ", not all finite")")
    }
    return entries
  }

  /// Makes the features of a data directory.
  ///
  /// Utterances that cannot be read, or are shorter than one frame, are named in the ledger; the
  /// rest is done. The files are the same to the byte for any number of workers.
  ///
  /// - Parameters:
  ///   - data: the utterances.
  ///   - options: must be valid.
  ///   - channel: which channel of each recording to take, from one; nil asks for mono files.
  ///   - workers: share the utterances.
  ///   - reporter: where progress and the summary go.
  /// - Returns: the ledger, also written to `ledger.jsonl`.
  /// - Throws: `FileFault` when the folder cannot be written.
  package func extract(
    _ data: DataDirectory, options: LogMelOptions, channel: Int? = nil, workers: Workers,
    reporter: Reporter
  ) throws(FileFault) -> Ledger {
    var ledger = Ledger()
    // Without its description the folder is unusable until all is there.
    try? FileManager.default.removeItem(atPath: descriptionPath)
    var archive = try MatrixArchive.Writer(archive: archivePath, script: scriptPath)
    var frameCounts = ""
    var seconds = 0.0
    let roundSize = 64 * workers.count
    for start in stride(from: 0, to: data.utterances.count, by: roundSize) {
      let round = data.utterances[start..<min(data.utterances.count, start + roundSize)]
      let results = workers.map(round.count, state: { LogMelExtractor(options: options) }) {
        extractor, index in
        extract(round[round.startIndex + index], with: &extractor, channel: channel)
      }
      for (utterance, result) in zip(round, results) {
        switch result {
        case .success(let (features, duration)):
          try archive.write(utterance.id, features)
          frameCounts += "\(utterance.id) \(features.rows)\n"
          seconds += duration
        case .failure(let fault):
          ledger.leaveOut(utterance.id, stage: "features", reason: fault.description)
        }
      }
      reporter.progress(
        WorkProgress(
          work: "features", done: Double(round.endIndex), total: Double(data.utterances.count),
          unit: "utterances"))
    }
    try archive.commit()
    try AtomicFile.write(frameCounts, to: frameCountPath)
    try ledger.write(to: ledgerPath)
    try AtomicFile.write(
      JSONText.document(Description(options: options, version: limbeckVersion)),
      to: descriptionPath)
    reporter.log.info(
      """
      \(path): \(data.utterances.count - ledger.entries.count) of \(data.utterances.count) \
      utterances, \(String(format: "%.1f", seconds / 60)) min of audio
      """)
    return ledger
  }

  private func extract(
    _ utterance: Utterance, with extractor: inout LogMelExtractor, channel: Int?
  ) -> Result<(features: Matrix, seconds: Double), ExtractionFault> {
    do {
      let waveform = try AudioFile.read(
        utterance.audioPath, sampleRate: extractor.options.sampleRate, channel: channel,
        seconds: utterance.seconds)
      let features = extractor.logMel(of: waveform.samples, utterance: utterance.id)
      guard features.rows > 0 else {
        return .failure(
          .shorterThanFrame(
            samples: waveform.samples.count, window: extractor.options.grid.window))
      }
      guard features.isFinite else { return .failure(.notFinite) }
      return .success((features, waveform.duration))
    } catch {
      return .failure(.audio(error))
    }
  }
}

/// Why an utterance has no features.
private enum ExtractionFault: Error, CustomStringConvertible {
  case audio(AudioFault)
  case shorterThanFrame(samples: Int, window: Int)
  /// Samples so large that their energy overflows.
  case notFinite

  var description: String {
    switch self {
    case .audio(let fault): fault.description
    case .shorterThanFrame(let samples, let window):
      "expected at least one frame of \(window) samples, found \(samples) samples"
    case .notFinite: "expected finite features, found samples too large for them"
    }
  }
}
