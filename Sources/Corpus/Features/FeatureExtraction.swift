import Features
import Foundation
import KaldiIO
package import LinearAlgebra
import Storage
import SystemPackage

/// Makes the features of a data directory.
///
/// The first pass computes log-mel frames from the audio, or copies frames that another program
/// made. A second pass over the frames normalises them, masks them, appends deltas, or compresses
/// them, if the options require any of these. Each pass resumes where a killed run left it.
package struct FeatureExtraction: Sendable {
  let folder: FeatureFolder
  let data: DataDirectory
  let request: FeatureRequest
  let workers: Workers
  let reporter: Reporter

  /// An extraction into a folder, which the caller has locked; nothing is read or written yet.
  package init(
    folder: FeatureFolder, data: DataDirectory, request: FeatureRequest, workers: Workers,
    reporter: Reporter
  ) {
    (self.folder, self.data, self.request) = (folder, data, request)
    (self.workers, self.reporter) = (workers, reporter)
  }

  /// Whether frames are stored in another form than the first pass makes.
  private var needsSecondPass: Bool {
    request.options.transform.changesFrames || request.form != .binary
      || request.copy?.options.hasMasks == true
  }

  /// Makes all files of the folder.
  package func run() throws -> Ledger {
    try folder.requireOwn()
    // Without these files, the folder is unusable until it is complete.
    let given = try request.statisticsTable.map { table throws(FileFault) in
      try StatisticsFile.path(of: table).absolute
    }
    let own = statisticsPaths.contains { $0.absolute == given } ? [] : statisticsPaths
    for path in [folder.descriptionPath, folder.scriptPath] + own {
      try FileSystem.remove(path)
    }
    let speakers = try speakers()
    let identity = try identity(speakers)
    var archive = try makeFrames(speakers: speakers, identity)
    var records = archive.records
    if needsSecondPass {
      let frames = try MatrixArchive(path: archive.partPath)
      archive = try transform(frames, of: records, speakers: speakers, identity)
      records = records.filter { $0.reason != nil } + archive.records
    }
    let ledger = try finish(archive, records)
    try FeatureArchive.discard(framesPath)
    return ledger
  }

  private var statisticsPaths: [FilePath] {
    [folder.path.appending("cmvn.ark"), folder.path.appending("cmvn.scp")]
  }

  /// The speaker of each utterance if features depend on it, through normalisation or perturbation;
  /// else empty.
  private func speakers() throws(FileFault) -> [String: String] {
    let isPerturbed = request.copy == nil ? false : try FileSystem.exists(data.speakersPath)
    return request.options.transform.normalization == .speaker || isPerturbed
      ? try data.speakers() : [:]
  }

  private var framesPath: FilePath { folder.path.pushing(FeatureFolder.framesName) }

  /// A digest of everything that determines the features.
  private func identity(_ speakers: [String: String]) throws(FileFault) -> Fingerprint {
    var inputs = try Inputs()
    inputs.add("version", limbeckVersion)
    inputs.add("options", request.options)
    inputs.add("request", ["\(request.channel ?? 0)", "\(request.form)"])
    if let table = request.statisticsTable { try inputs.add(table: table) }
    if let copy = request.copy { inputs.add("copy", copy) }
    if let given = request.given { try inputs.add(given) }
    for utterance in data.utterances {
      if request.given == nil { try inputs.add(utterance.recording) }
      inputs.add(
        utterance.id,
        [
          "\(utterance.seconds ?? 0...0)", "\(utterance.channel ?? 0)",
          speakers[utterance.id] ?? "",
        ])
    }
    return inputs.fingerprint
  }

  // MARK: - Frames

  private func makeFrames(
    speakers: [String: String], _ identity: Fingerprint
  ) throws -> FeatureArchive {
    let ids = data.utterances.map(\.id)
    let archive = try FeatureArchive(
      path: needsSecondPass ? framesPath : folder.archivePath, identity: identity, utterances: ids)
    if !archive.records.isEmpty {
      reporter.log.info("\(folder.path.text): resuming after \(archive.records.count) utterances")
    }
    let pass = FeaturePass(
      archive, utterances: ids, form: .binary,
      report: reporter.utterances("features", of: ids.count))
    switch request.options.frames {
    case .logMel(let options): return try makeFrames(pass, options, speakers: speakers)
    case .given(let frames): return try takeFrames(pass, frames)
    }
  }

  // MARK: - From frames to features

  /// Normalises and masks frames, appends deltas, and stores them in the requested form.
  private func transform(
    _ frames: MatrixArchive, of records: [FeatureArchive.Record], speakers: [String: String],
    _ identity: Fingerprint
  ) throws -> FeatureArchive {
    let statistics = try normalization(frames, speakers: speakers)
    let seconds = Dictionary(uniqueKeysWithValues: records.map { ($0.utterance, $0.seconds) })
    let ids = frames.entries.map(\.key)
    let archive = try FeatureArchive(
      path: folder.archivePath, identity: identity, utterances: ids)
    let pass = FeaturePass(
      archive, utterances: ids, form: request.form,
      report: reporter.utterances("normalization and deltas", of: ids.count))
    let options = request.options
    let deltas = Deltas(order: options.transform.deltas, window: options.transform.deltaWindow)
    return try pass.run(workers, own: { () }) { _, index, sink in
      let entry = frames.entries[index]
      var own: NormalizationStatistics?
      if let statistics {
        let group = options.transform.normalization.group(of: entry.key, speakers: speakers)
        guard let group, let found = statistics[group] else {
          throw LeftOut(reason: missingStatistics(of: group))
        }
        own = found
      }
      sink.frames = Matrix(rows: 0, columns: options.columns)
      let masks = request.copy.flatMap {
        $0.options.hasMasks ? $0.perturbation(of: entry.key, speakers: speakers) : nil
      }
      var means: [Float] = []
      if masks != nil { means = try sums(of: entry, in: frames).means }
      for start in stride(from: 0, to: entry.rows, by: framesAPiece) {
        let rows = start..<min(entry.rows, start + framesAPiece)
        let first = max(0, rows.lowerBound - deltas.reach)
        var piece = try frames.read(
          first..<min(entry.rows, rows.upperBound + deltas.reach), of: entry)
        masks?.mask(
          &piece, from: max(0, rows.lowerBound - deltas.reach), of: entry.rows, by: means)
        own?.normalize(&piece, variance: options.transform.normalizeVariance)
        sink.frames.append(
          deltas.appended(to: rows, of: piece, from: first, count: entry.rows))
        try sink.relieve()
      }
      return seconds[entry.key] ?? 0
    }
  }

  private func missingStatistics(of group: String?) -> String {
    guard let group else { return "\(data.speakersPath.text): expected its speaker, found none" }
    return "\(request.statisticsTable ?? ""): expected statistics of \(group), found none"
  }

  /// The statistics by utterance, by speaker, or for all; nil without normalisation.
  ///
  /// Statistics computed here are written to `cmvn.ark` and `cmvn.scp`.
  private func normalization(
    _ frames: MatrixArchive, speakers: [String: String]
  ) throws(FileFault) -> [String: NormalizationStatistics]? {
    let normalization = request.options.transform.normalization
    guard normalization != .none else { return nil }
    let columns = request.options.frameColumns
    if let table = request.statisticsTable {
      return try StatisticsFile.read(table, columns: columns)
    }
    var statistics: [String: NormalizationStatistics] = [:]
    for start in stride(from: 0, to: frames.entries.count, by: utterancesARound) {
      let round = frames.entries[start..<min(frames.entries.count, start + utterancesARound)]
      let gathered = workers.map(round.count) {
        index -> Result<NormalizationStatistics, FileFault> in
        Result { () throws(FileFault) in try sums(of: round[start + index], in: frames) }
      }
      for (entry, own) in zip(round, gathered) {
        guard let group = normalization.group(of: entry.key, speakers: speakers) else { continue }
        statistics[group, default: NormalizationStatistics(columns: columns)].add(try own.get())
      }
    }
    try StatisticsFile.write(
      statistics, archive: statisticsPaths[0], script: statisticsPaths[1])
    return statistics
  }

  /// The statistics of one utterance's frames.
  private func sums(
    of entry: MatrixArchive.Entry, in frames: MatrixArchive
  ) throws(FileFault) -> NormalizationStatistics {
    var own = NormalizationStatistics(columns: entry.columns)
    for first in stride(from: 0, to: entry.rows, by: framesAPiece) {
      own.add(try frames.read(first..<min(entry.rows, first + framesAPiece), of: entry))
    }
    return own
  }

  // MARK: - The folder

  /// Writes the files beside the archive, and renames the archive to its final name.
  private func finish(
    _ archive: consuming FeatureArchive, _ records: [FeatureArchive.Record]
  ) throws(FileFault) -> Ledger {
    var ledger = data.faults
    let script = archive.script
    var counts = ""
    var seconds = 0.0
    var error: Float?
    for record in records {
      if let reason = record.reason {
        ledger.leaveOut(record.utterance, .features, reason: reason)
        continue
      }
      var entry = Ledger.Entry(record.utterance, .features)
      (entry.seconds, entry.framesOut) = (record.seconds, record.frames)
      ledger.append(entry)
      counts += "\(record.utterance) \(record.frames)\n"
      seconds += record.seconds
      error = record.error.map { max($0, error ?? 0) }
    }
    // From here on, the folder always has a mark of the program.
    try ledger.write(to: folder.ledgerPath)
    try archive.commit()
    try AtomicFile.write(script, to: folder.scriptPath)
    try AtomicFile.write(counts, to: folder.frameCountPath)
    try writeSpeakers(of: records.filter { $0.reason == nil }.map(\.utterance))
    try folder.describe(request, error: error)
    if let error {
      reporter.log.info("\(folder.path.text): compressed, with an error of at most \(error)")
    }
    reporter.name(ledger.leftOut, in: folder.ledgerPath)
    let done = data.count - ledger.leftOutCount
    let rate = request.options.logMel.map { " at \($0.sampleRate) Hz" } ?? ""
    reporter.log.info(
      """
      \(folder.path.text): \(done) of \(data.count) utterances, \
      \(String(format: "%.1f", seconds / 60)) min of audio\(rate)
      """)
    return ledger
  }

  /// Writes `utt2spk`, by which scores are resampled, or removes an old one.
  private func writeSpeakers(of utterances: [String]) throws(FileFault) {
    guard try FileSystem.exists(data.speakersPath) else {
      return try FileSystem.remove(folder.speakersPath)
    }
    let speakers = try data.speakers()
    let unknown = utterances.filter { speakers[$0] == nil }
    if let first = unknown.first {
      reporter.log.warning(
        """
        \(data.speakersPath.text): expected the speaker of each utterance, found none for \(unknown.count) of \
        \(utterances.count), such as \(first); confidence intervals will resample utterances
        """)
    }
    let lines = utterances.compactMap { id in speakers[id].map { "\(id) \($0)\n" } }
    try AtomicFile.write(lines.joined(), to: folder.speakersPath)
  }
}

/// The number of frames read from an archive at a time.
private let framesAPiece = 1 << 16
/// The number of utterances whose statistics are in memory at a time.
private let utterancesARound = 4096

extension Normalization {
  /// The key of the statistics that normalise an utterance; nil for an unknown speaker.
  fileprivate func group(of utterance: String, speakers: [String: String]) -> String? {
    switch self {
    case .none, .utterance: utterance
    case .speaker: speakers[utterance]
    case .global: StatisticsFile.global
    }
  }
}
