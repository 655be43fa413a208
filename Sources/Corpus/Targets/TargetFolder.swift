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
  /// The contents of `targets.json`.
  package struct Description: Codable, Sendable {
    /// The options that the targets were made with, without folders.
    package let options: TargetOptions
    /// The number of states of equal duration into which each label was split.
    package let states: Int
    /// The version of limbeck that made the targets.
    package let version: String
  }

  /// The folder's path.
  package let path: FilePath

  /// The folder at a path; nothing is read yet.
  package init(path: FilePath) {
    self.path = path
  }

  /// The class ids of all utterances, an integer vector each.
  package var archivePath: FilePath { path.appending("targets.ark") }
  /// The classes, a line `SYMBOL ID` each.
  package var classesPath: FilePath { path.appending("classes.txt") }
  /// What became of each utterance, a `Ledger`.
  package var ledgerPath: FilePath { path.appending("ledger.jsonl") }
  /// The number of frames of each class, a vector as Kaldi's `analyze-counts` writes it.
  package var countsPath: FilePath { path.appending("class_counts") }
  /// The logarithm of each class's share of the frames, a vector; see `ClassCounts`.
  package var priorsPath: FilePath { path.appending("log_priors") }
  package var descriptionPath: FilePath { path.appending("targets.json") }

  /// All files of the folder.
  package var files: [FilePath] {
    [archivePath, classesPath, countsPath, priorsPath, descriptionPath, ledgerPath]
  }

  /// The options that the targets were made with, without folders.
  package func options() throws(FileFault) -> TargetOptions { try description().options }

  /// What `targets.json` says.
  package func description() throws(FileFault) -> Description {
    try JSONText.read(descriptionPath, expected: "target options and a version")
  }

  /// The number of targets of each utterance.
  package func labelCounts() throws(FileFault) -> [String: Int] {
    Dictionary(
      uniqueKeysWithValues: try IntegerArchive(path: archivePath).entries.map { ($0.key, $0.count) }
    )
  }

  /// The values of `log_priors`, one for each class.
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
  ///   - options: the options of `source`, for `targets.json`.
  ///   - utterances: the utterances in the byte order of their ids, each with its number of feature
  ///     frames.
  ///   - grid: the times of the frames.
  ///   - earlier: the ledger of earlier stages.
  ///   - reporter: receives the summary.
  /// - Returns: the ledger, also written to `ledger.jsonl`.
  /// - Throws: `FileFault` when the folder cannot be written.
  package func prepare(
    _ source: AlignmentSource, _ options: TargetOptions,
    utterances: [(utterance: Utterance, frames: Int)], grid: FrameGrid,
    earlier: Ledger = Ledger(), reporter: Reporter
  ) throws(FileFault) -> Ledger {
    var ledger = earlier
    var archive = try begin()
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
    let description = Description(
      options: options.withoutFolders, states: source.states, version: limbeckVersion)
    try finish(archive, description, counts, ledger, source.inventory)
    reporter.name(ledger.leftOut, in: ledgerPath)
    if separated > 0 {
      reporter.log.info(
        "\(path.text): labels that overlap by at most \(options.overlap) ms, divided in the middle: \(separated)"
      )
    }
    summarize(source, options, counts, differences, of: utterances.count, reporter)
    return ledger
  }

  /// Begins the archive; without its classes the folder cannot be used until all is there.
  ///
  /// - Throws: `FileFault` when the folder holds files of these names that the program did not make.
  func begin() throws(FileFault) -> ArchiveWriter {
    try OwnFiles.require(
      ["targets.ark", "classes.txt", "class_counts", "log_priors"], in: path,
      marks: ["targets.json", "ledger.jsonl"], remedy: "name another folder, or move it away")
    try FileSystem.remove(classesPath)
    return try ArchiveWriter(archivePath)
  }

  /// Writes all files of the folder, its classes last.
  func finish(
    _ archive: consuming ArchiveWriter, _ description: Description, _ counts: ClassCounts,
    _ ledger: Ledger, _ classes: ClassInventory
  ) throws(FileFault) {
    try AtomicFile.write(JSONText.document(description), to: descriptionPath)
    try archive.commit()
    try AtomicFile.write(counts.text, to: countsPath)
    try AtomicFile.write(counts.logPriorsText, to: priorsPath)
    try ledger.write(to: ledgerPath)
    try classes.write(to: classesPath)
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
    if !differences.areNone {
      reporter.log.info(
        """
        \(path.text): labels minus frames, with the number of utterances: \(differences); \
        differences up to \(options.lengthTolerance) are cut or repeated\
        \(options.gaps.map { ", times without a label are \($0)" } ?? "")
        """)
    }
    let absent = counts.absent.count
    if absent > 0 {
      reporter.log.info(
        "\(path.text): \(absent) of \(source.inventory.count) classes without a frame; see \(countsPath.text)"
      )
    }
  }
}

/// By how many labels alignments differ from their features, with the number of utterances for each
/// difference.
private struct LengthDifferences: CustomStringConvertible {
  private var counts: [Int: Int] = [:]

  /// Whether all alignments have as many labels as there are frames.
  var areNone: Bool { counts.keys.allSatisfy { $0 == 0 } }

  mutating func add(_ difference: Int) { counts[difference, default: 0] += 1 }

  /// `DIFFERENCE: UTTERANCES` in increasing order, with differences beyond ten frames combined.
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
