import Classes
package import Features
import Audio
import Foundation
import KaldiIO
package import Storage
package import SystemPackage

/// A folder of frame targets: `targets.ark`, `classes.txt`, `class_counts`, `log_priors`,
/// `targets.json` and `ledger.jsonl`.
package struct TargetFolder: Sendable {
  /// What `targets.json` holds.
  package struct Description: Codable, Sendable {
    package let options: TargetOptions
    /// Into how many states of equal time each label of the source was split.
    package let states: Int
    package let version: String
  }

  package let path: FilePath

  package init(path: FilePath) {
    self.path = path
  }

  package var archivePath: FilePath { path.appending("targets.ark") }
  package var classesPath: FilePath { path.appending("classes.txt") }
  package var ledgerPath: FilePath { path.appending("ledger.jsonl") }
  /// The frames of each class, a vector as Kaldi's `analyze-counts` writes it.
  package var countsPath: FilePath { path.appending("class_counts") }
  /// The logarithm of each class's share of the frames, a vector; see `ClassCounts`.
  package var priorsPath: FilePath { path.appending("log_priors") }
  package var descriptionPath: FilePath { path.appending("targets.json") }

  /// All files of the folder.
  package var files: [FilePath] {
    [archivePath, classesPath, countsPath, priorsPath, descriptionPath, ledgerPath]
  }

  /// The options that the targets were made with, but for the folders of files.
  package func options() throws(FileFault) -> TargetOptions {
    let data = try TextFile.bytes(of: descriptionPath)
    do {
      return try JSONDecoder().decode(Description.self, from: data).options
    } catch {
      throw .malformed(
        path: descriptionPath, expected: "target options and a version", found: "\(error)")
    }
  }

  /// The number of targets of each utterance.
  package func labelCounts() throws(FileFault) -> [String: Int] {
    Dictionary(
      uniqueKeysWithValues: try IntegerArchive(path: archivePath).entries.map { ($0.key, $0.count) }
    )
  }

  /// What `log_priors` has, one value for each of so many classes.
  package func logPriors(classes: Int) throws(FileFault) -> [Float] {
    let fields = try TextFile.lines(of: priorsPath).flatMap(\.text.fields)
    let values = fields.dropFirst().dropLast().compactMap { Float($0) }
    guard fields.first == "[", fields.last == "]", values.count == fields.count - 2,
      values.count == classes
    else {
      throw .malformed(
        path: priorsPath, expected: "\(classes) numbers in brackets",
        found: "\(fields.count) words, \(values.count) of them numbers")
    }
    return values
  }

  /// Makes the targets of some utterances.
  ///
  /// - Parameters:
  ///   - source: the alignments.
  ///   - options: what `source` was made from, for `targets.json`.
  ///   - utterances: in the order of their ids' bytes, each with the number of its feature frames.
  ///   - grid: where the frames lie.
  ///   - earlier: what became of utterances before.
  ///   - reporter: where the summary goes.
  /// - Returns: the ledger, also written to `ledger.jsonl`.
  /// - Throws: `FileFault` when the folder cannot be written.
  package func prepare(
    _ source: AlignmentSource, _ options: TargetOptions,
    utterances: [(utterance: Utterance, frames: Int)], grid: FrameGrid,
    earlier: Ledger = Ledger(), reporter: Reporter
  ) throws(FileFault) -> Ledger {
    var ledger = earlier
    try OwnFiles.require(
      ["targets.ark", "classes.txt", "class_counts", "log_priors"], in: path,
      marks: ["targets.json", "ledger.jsonl"], remedy: "name another folder, or move it away")
    // Without its classes the folder is unusable until all is there.
    try FileSystem.remove(classesPath)
    var archive = try ArchiveWriter(archivePath)
    var counts = ClassCounts(classes: source.inventory.count)
    var differences = LengthDifferences()
    let conflicts = source.conflicts(among: utterances.map(\.utterance))
    for fault in conflicts.stray { reporter.log.warning("\(fault)") }
    for remark in source.remarks { reporter.log.info("\(remark)") }
    var separated = 0
    for (utterance, frames) in utterances {
      try Interruption.check()
      let targets: (labels: [Int32], found: Int, separated: Int)
      do throws(AlignmentFault) {
        if let conflict = conflicts.shared[utterance.id] { throw conflict }
        targets = try source.targets(of: utterance, frames: frames, grid: grid)
      } catch {
        if case .length(let labels, _, _) = error { differences.add(labels - frames) }
        ledger.leaveOut(utterance.id, .targets, reason: error.description, framesIn: frames)
        continue
      }
      var entry = Ledger.Entry(utterance.id, .targets)
      (entry.framesIn, entry.framesOut, entry.labels) = (frames, frames, targets.found)
      ledger.append(entry)
      separated += targets.separated
      differences.add(targets.found - frames)
      counts.add(targets.labels)
      try archive.write(utterance.id, .integers(targets.labels))
    }
    try describe(source, options)
    try archive.commit()
    try AtomicFile.write(counts.text, to: countsPath)
    try AtomicFile.write(counts.logPriorsText, to: priorsPath)
    try ledger.write(to: ledgerPath)
    try source.inventory.write(to: classesPath)
    reporter.name(ledger.leftOut, in: ledgerPath)
    if separated > 0 {
      reporter.log.info(
        "\(path.text): labels that overlap by at most \(options.overlap) ms, parted in the middle: \(separated)"
      )
    }
    summarize(source, options, counts, differences, of: utterances.count, reporter)
    return ledger
  }

  /// Writes `targets.json`.
  private func describe(_ source: AlignmentSource, _ options: TargetOptions) throws(FileFault) {
    let description = Description(
      options: options.withoutFolders, states: source.states, version: limbeckVersion)
    try AtomicFile.write(JSONText.document(description), to: descriptionPath)
  }

  private func summarize(
    _ source: AlignmentSource, _ options: TargetOptions, _ counts: ClassCounts,
    _ differences: LengthDifferences, of utterances: Int, _ reporter: Reporter
  ) {
    let split =
      source.states == 1 ? "" : ", \(source.states) states of equal time for each label"
    reporter.log.info(
      """
      \(path.text): \(counts.utterances) of \(utterances) utterances, \(counts.frames) frames, \
      \(source.inventory.count) classes\(split)
      """)
    if !differences.isEmpty {
      reporter.log.info(
        """
        \(path.text): labels more than frames, and in how many utterances: \(differences); \
        up to \(options.lengthTolerance) are cut or repeated\
        \(options.gaps.map { ", times without a label are \($0)" } ?? "")
        """)
    }
    let absent = counts.absent.map { source.inventory.symbols[$0] }
    if !absent.isEmpty {
      let shown = absent.prefix(20).joined(separator: " ") + (absent.count > 20 ? " …" : "")
      reporter.log.info(
        "\(path.text): \(absent.count) of \(source.inventory.count) classes in no frame: \(shown)")
    }
  }
}

/// By how many labels alignments differ from their features, in how many utterances.
private struct LengthDifferences: CustomStringConvertible {
  private var counts: [Int: Int] = [:]

  var isEmpty: Bool { counts.isEmpty }

  mutating func add(_ difference: Int) { counts[difference, default: 0] += 1 }

  /// `DIFFERENCE: UTTERANCES` from the smallest difference on; those beyond ten frames together.
  var description: String {
    var bins: [Int: Int] = [:]
    for (difference, count) in counts { bins[min(11, max(-11, difference)), default: 0] += count }
    return bins.sorted { $0.key < $1.key }.map { difference, count in
      let name =
        switch difference {
        case 11: "more than +10"
        case -11: "less than -10"
        default: "\(difference > 0 ? "+" : "")\(difference)"
        }
      return "\(name): \(count)"
    }.joined(separator: ", ")
  }
}
