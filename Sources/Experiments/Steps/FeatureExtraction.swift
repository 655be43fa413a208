import Audio
import Corpus
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Storage
import Logging
import Synchronization

/// Makes the features of a data directory: log-mel frames in one pass over the audio, or those that another program
/// made, and where they are normalised, have deltas, or are stored in another form, a second pass over the frames.
///
/// Each pass goes on where a run that was killed left it.
struct FeatureExtraction: Sendable {
  let folder: FeatureFolder
  let data: DataDirectory
  let request: FeatureRequest
  let workers: Workers
  let reporter: Reporter

  /// Whether frames are not stored as they are made.
  private var needsSecondPass: Bool {
    request.options.transform.changesFrames || request.form != .binary
      || request.copy?.options.hasMasks == true
  }

  /// Makes all files of the folder.
  func run() throws -> Ledger {
    let lock = try FolderLock(folder.path)
    if let remark = lock.remark { reporter.log.warning("\(remark)") }
    defer { withExtendedLifetime(lock) {} }
    try folder.requireOwn()
    // Without these the folder is unusable until all is there.
    let given = try request.statisticsPath.map { table throws(FileFault) in
      absolutePath(try StatisticsFile.path(of: table))
    }
    let own = statisticsPaths.contains { absolutePath($0) == given } ? [] : statisticsPaths
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
    try ResumableArchive.discard(framesPath)
    return ledger
  }

  private var statisticsPaths: [String] { [folder.path + "/cmvn.ark", folder.path + "/cmvn.scp"] }

  /// The speaker of each utterance, where features depend on it: as normalised, or as perturbed where it is known.
  private func speakers() throws(FileFault) -> [String: String] {
    let isPerturbed = request.copy == nil ? false : try FileSystem.exists(data.speakersPath)
    return request.options.transform.normalization == .speaker || isPerturbed
      ? try data.speakers() : [:]
  }

  private var framesPath: String { "\(folder.path)/\(FeatureFolder.framesName)" }

  /// The digest of all that decides on the features.
  private func identity(_ speakers: [String: String]) throws(FileFault) -> Fingerprint {
    var inputs = Inputs()
    inputs.add("version", limbeckVersion)
    inputs.add("options", request.options)
    inputs.add("request", ["\(request.channel ?? 0)", "\(request.form)"])
    if let table = request.statisticsPath { try inputs.add(table: table) }
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
  ) throws -> ResumableArchive {
    let ids = data.utterances.map(\.id)
    let archive = try ResumableArchive(
      path: needsSecondPass ? framesPath : folder.archivePath, identity: identity, utterances: ids)
    if !archive.records.isEmpty {
      reporter.log.info("\(folder.path): going on after \(archive.records.count) utterances")
    }
    let pass = FeaturePass(
      archive, utterances: ids, form: .binary, report: progress("features", of: ids.count))
    switch request.options.frames {
    case .logMel(let options): return try makeFrames(pass, options, speakers: speakers)
    case .given(let frames): return try takeFrames(pass, frames)
    }
  }

  /// Takes the frames that another program made, without its compression.
  private func takeFrames(_ pass: FeaturePass, _ frames: GivenFrames) throws -> ResumableArchive {
    guard let table = request.given else {
      preconditionFailure("FeatureExtraction: given frames without a table")
    }
    let ids = Set(data.ids)
    let strangers = table.keys.filter { !ids.contains($0) }
    if let first = strangers.first {
      reporter.log.warning(
        "\(table.path): not of an utterance of \(data.path): \(strangers.count) of \(table.keys.count), as \(first)"
      )
    }
    let seconds = frames.grid.grid.shiftInSeconds
    return try pass.run(workers, own: { () }) { _, index, sink in
      let id = data.utterances[index].id
      guard let own = try table.matrix(id) else {
        throw LeftOut(reason: "\(table.path): expected its frames, found none")
      }
      guard own.rows > 0, own.columns == frames.columns else {
        throw LeftOut(
          reason: """
            \(table.path): expected frames of \(frames.columns) values, found a matrix of \
            \(own.rows)×\(own.columns)
            """)
      }
      guard own.isFinite else {
        throw LeftOut(reason: "\(table.path): expected finite frames, found others")
      }
      sink.frames = own
      return Double(own.rows) * seconds
    }
  }

  // MARK: - From audio to frames

  private func makeFrames(
    _ pass: FeaturePass, _ options: LogMelOptions, speakers: [String: String]
  ) throws -> ResumableArchive {
    let cut = Atomic(0)
    let remarks = Mutex<[(index: Int, text: String)]>([])
    let made = try pass.run(workers, own: { LogMelExtractor(options: options) }) {
      extractor, index, sink in
      let utterance = data.utterances[index]
      let perturbation = request.copy?.perturbation(of: utterance.id, speakers: speakers)
      let audio = try utterance.recording.withFile { path, name in
        try extract(utterance, perturbation, from: (path, name), with: &extractor, into: &sink)
      }
      if audio.isCut { cut.add(1, ordering: .relaxed) }
      if let remark = audio.remark { remarks.withLock { $0.append((index, remark)) } }
      return audio.seconds
    }
    name(remarks.withLock(\.self))
    let count = cut.load(ordering: .relaxed)
    if count > 0 {
      reporter.log.info(
        """
        \(folder.path): segments that end behind their recording, by at most \(AudioReader.mostOverrun) s, and are \
        cut there: \(count)
        """)
    }
    return made
  }

  /// Warns of recordings whose files are not what their headers say; names the first of them.
  private func name(_ remarks: [(index: Int, text: String)]) {
    let shown = 10
    for (index, text) in remarks.sorted(by: { $0.index < $1.index }).prefix(shown) {
      let utterance = data.utterances[index]
      reporter.log.warning("\(utterance.id), features: \(utterance.recording): \(text)")
    }
    if remarks.count > shown {
      reporter.log.warning(
        "and \(remarks.count - shown) more recordings with such remarks; limbeck validate names all"
      )
    }
  }

  /// Makes the frames of one utterance.
  ///
  /// - Returns: the seconds of its audio, whether a segment was cut at the end of its recording, and what is unusual
  ///   about the file of a whole recording.
  private func extract(
    _ utterance: Utterance, _ perturbation: Perturbation?, from file: (path: String, name: String),
    with extractor: inout LogMelExtractor, into sink: inout FeaturePass.Sink
  ) throws -> (seconds: Double, isCut: Bool, remark: String?) {
    let options = extractor.options
    var samples = 0
    var block: [Float] = []
    sink.frames = Matrix(rows: 0, columns: options.columns)
    let change = try perturbation.map { try waveformPerturbation($0, of: utterance, from: file) }
    var reader = try reader(of: utterance, from: file)
    extractor.begin(utterance: utterance.id)
    var isMore = true
    while isMore {
      isMore = try reader.next(&block)
      change?.apply(to: &block, isLast: !isMore)
      samples += block.count
      extractor.push(block.span, appendingTo: &sink.frames)
      try sink.relieve()
    }
    extractor.finish(appendingTo: &sink.frames)
    guard options.grid.frameCount(samples: samples) > 0 else {
      throw LeftOut(
        reason: "expected at least one frame of \(options.grid.window) samples, "
          + "found \(samples) samples")
    }
    // Times that were rounded up by half a frame shift are no matter.
    return (
      Double(samples) / Double(options.sampleRate), reader.overrun > 0.005,
      utterance.seconds == nil && perturbation == nil ? try reader.remark() : nil
    )
  }

  private func reader(
    of utterance: Utterance, from file: (path: String, name: String)
  ) throws -> AudioReader {
    try AudioReader(
      file.path, called: file.name, sampleRate: request.options.grid.sampleRate,
      channel: utterance.channel ?? request.channel, seconds: utterance.seconds)
  }

  /// How the samples of an utterance are changed.
  ///
  /// Noise is as loud as the whole utterance asks for, which is read once for that.
  private func waveformPerturbation(
    _ perturbation: Perturbation, of utterance: Utterance, from file: (path: String, name: String)
  ) throws -> WaveformPerturbation {
    var (power, samples) = (0.0, 0)
    if perturbation.signalToNoise != nil {
      var reader = try reader(of: utterance, from: file)
      var block: [Float] = []
      while try reader.next(&block) {
        power += block.reduce(0.0) { $0 + Double($1) * Double($1) }
        samples += block.count
      }
    }
    return WaveformPerturbation(perturbation, power: power / Double(max(1, samples)))
  }

  // MARK: - From frames to features

  /// Normalises frames, appends deltas, and stores them in the form that was asked for.
  private func transform(
    _ frames: MatrixArchive, of records: [ResumableArchive.Record], speakers: [String: String],
    _ identity: Fingerprint
  ) throws -> ResumableArchive {
    let statistics = try normalization(frames, speakers: speakers)
    let seconds = Dictionary(uniqueKeysWithValues: records.map { ($0.utterance, $0.seconds) })
    let ids = frames.entries.map(\.key)
    let archive = try ResumableArchive(
      path: folder.archivePath, identity: identity, utterances: ids)
    let pass = FeaturePass(
      archive, utterances: ids, form: request.form,
      report: progress("normalization and deltas", of: ids.count))
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
    guard let group else { return "\(data.path)/utt2spk: expected its speaker, found none" }
    return "\(request.statisticsPath ?? ""): expected statistics of \(group), found none"
  }

  /// The statistics by utterance, speaker, or for all; nil when nothing is normalised.
  ///
  /// What is gathered here is written to `cmvn.ark` and `cmvn.scp`.
  private func normalization(
    _ frames: MatrixArchive, speakers: [String: String]
  ) throws(FileFault) -> [String: NormalizationStatistics]? {
    let normalization = request.options.transform.normalization
    guard normalization != .none else { return nil }
    let columns = request.options.frameColumns
    if let path = request.statisticsPath {
      return try StatisticsFile.read(path, columns: columns)
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

  /// The sums over the frames of one utterance.
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

  /// Writes the files that stand beside the archive, and gives all their names.
  private func finish(
    _ archive: consuming ResumableArchive, _ records: [ResumableArchive.Record]
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
    // A mark of the program in the folder at each instant from here on.
    try ledger.write(to: folder.ledgerPath)
    try archive.commit()
    try AtomicFile.write(script, to: folder.scriptPath)
    try AtomicFile.write(counts, to: folder.frameCountPath)
    try writeSpeakers(of: records.filter { $0.reason == nil }.map(\.utterance))
    try folder.describe(request, error: error)
    if let error {
      reporter.log.info("\(folder.path): compressed, with an error of at most \(error)")
    }
    reporter.name(ledger.leftOut, in: folder.ledgerPath)
    let done = data.count - ledger.leftOutCount
    reporter.log.info(
      """
      \(folder.path): \(done) of \(data.count) utterances, \
      \(String(format: "%.1f", seconds / 60)) min of audio
      """)
    return ledger
  }

  /// Writes `utt2spk`, which scores are told apart by, or removes an old one.
  private func writeSpeakers(of utterances: [String]) throws(FileFault) {
    guard try FileSystem.exists(data.speakersPath) else {
      return try FileSystem.remove(folder.speakersPath)
    }
    let speakers = try data.speakers()
    let unknown = utterances.filter { speakers[$0] == nil }
    if let first = unknown.first {
      reporter.log.warning(
        """
        \(data.speakersPath): expected the speaker of each utterance, found none for \(unknown.count) of \
        \(utterances.count), as \(first); intervals will be over utterances
        """)
    }
    let lines = utterances.compactMap { id in speakers[id].map { "\(id) \($0)\n" } }
    try AtomicFile.write(lines.joined(), to: folder.speakersPath)
  }

  private func progress(
    _ work: String, of total: Int
  ) -> @Sendable (_ done: Int, _ seconds: Double) -> Void {
    let seconds = Mutex(0.0)
    return { done, own in
      let all = seconds.withLock { sum in
        sum += own
        return sum
      }
      reporter.progress(
        WorkProgress(
          work: work, done: Double(done), total: Double(total), unit: "utterances",
          audioSeconds: all))
    }
  }
}

/// Frames that are read from an archive at a time.
private let framesAPiece = 1 << 16
/// Utterances whose statistics are in memory at a time.
private let utterancesARound = 4096

extension Normalization {
  /// The key of the statistics that an utterance is normalised by; nil for a speaker that is unknown.
  fileprivate func group(of utterance: String, speakers: [String: String]) -> String? {
    switch self {
    case .none, .utterance: utterance
    case .speaker: speakers[utterance]
    case .global: StatisticsFile.global
    }
  }
}
