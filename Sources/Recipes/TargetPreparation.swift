package import Audio
package import Corpus
import Foundation
import KaldiIO
import Logging
package import Storage

/// Where frame targets come from.
package struct TargetOptions: Sendable, Equatable, Codable {
  /// A CTM of phones.
  package var ctm: String?
  /// A Kaldi archive of one integer a frame, text or binary.
  package var archive: String?
  /// What the source's symbols stand for, a line `FROM TO` each.
  ///
  /// A folding of phones, or the phone state of each tied state. Its right-hand side then gives the
  /// classes.
  package var map: String?
  /// A `classes.txt` whose ids the targets must have; absent to number the symbols in order.
  package var classes: String?
  /// States that each phone of a CTM is split into, in equal times.
  package var states = 3
  /// How many frames an alignment may be longer or shorter than the features.
  package var lengthTolerance = 3

  package init() {}

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case ctm, archive, map, classes, states, lengthTolerance
  }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    ctm = try read.optional(.ctm)
    archive = try read.optional(.archive)
    map = try read.optional(.map)
    classes = try read.optional(.classes)
    states = try read(.states, default: states)
    lengthTolerance = try read(.lengthTolerance, default: lengthTolerance)
    try validate()
  }

  /// - Throws: `OptionFault` unless there is one source and the numbers are in range.
  package func validate() throws(OptionFault) {
    try requireOption(
      (ctm == nil) != (archive == nil), "targets", expected: "one of ctm and archive",
      found: ctm == nil ? "none" : "both")
    try requireOption(states > 0, "states", expected: "above 0", found: states)
    try requireOption(
      lengthTolerance >= 0, "lengthTolerance", expected: "0 or more", found: lengthTolerance)
  }

  /// The files to read, with relative paths taken from `folder`.
  package func resolved(from folder: String) -> TargetOptions {
    var result = self
    result.ctm = ctm.map { resolve($0, from: folder) }
    result.archive = archive.map { resolve($0, from: folder) }
    result.map = map.map { resolve($0, from: folder) }
    result.classes = classes.map { resolve($0, from: folder) }
    return result
  }

  /// The files that targets depend on.
  var inputs: [String] { [ctm, archive, map, classes].compactMap { $0 } }
}

/// `path` as seen from `folder`, unless it starts at the root.
func resolve(_ path: String, from folder: String) -> String {
  path.hasPrefix("/") ? path : folder + "/" + path
}

/// The alignments of a whole corpus, ready to give the targets of each of its utterances.
package struct AlignmentSource: Sendable {
  private enum Alignments {
    case spans([String: [LabelSpan]])
    case symbols([String: [String]])
  }

  /// The classes: all that the source's symbols, folded by the map, can become.
  ///
  /// They depend on the files alone and not on the utterances asked for, so that training and test
  /// sets agree.
  package var inventory: ClassInventory { targets.inventory }

  private let alignments: Alignments
  private let targets: FrameTargets
  private let map: SymbolMap?

  /// Reads the files that `options` name.
  package init(_ options: TargetOptions) throws(FileFault) {
    map = try options.map.map { path throws(FileFault) in try SymbolMap(path: path) }
    let symbols: [String]
    if let ctm = options.ctm {
      let spans = try CTMReader.read(ctm)
      alignments = .spans(spans)
      let phones = map?.symbols ?? Set(spans.values.joined().map(\.label)).sorted()
      symbols = phones.flatMap { FrameTargets.stateSymbols(of: $0, states: options.states) }
    } else {
      let entries = try IntegerVectorArchive.read(options.archive ?? "")
      alignments = .symbols(
        Dictionary(entries.map { ($0.key, $0.values.map(String.init)) }) { first, _ in first })
      symbols = map?.symbols ?? Set(entries.map(\.values).joined()).sorted().map(String.init)
    }
    let given = try options.classes.map { path throws(FileFault) in
      try ClassInventory(path: path)
    }
    targets = FrameTargets(
      inventory: given ?? ClassInventory(symbols: symbols),
      states: options.ctm == nil ? 1 : options.states, lengthTolerance: options.lengthTolerance)
  }

  /// The targets of one utterance.
  ///
  /// - Parameters:
  ///   - utterance: its id.
  ///   - frames: the number of its feature frames.
  ///   - grid: where they lie.
  /// - Returns: a class id a frame, and by how many frames the alignment was longer.
  /// - Throws: `AlignmentFault` when it has no alignment or one that does not fit.
  package func targets(
    of utterance: String, frames: Int, grid: FrameGrid
  ) throws(AlignmentFault) -> (labels: [Int32], surplus: Int) {
    let labels: [Int32]
    switch alignments {
    case .spans(let all):
      guard let spans = all[utterance] else { throw .missing }
      let folded = try spans.map { span throws(AlignmentFault) in
        LabelSpan(start: span.start, end: span.end, label: try fold(span.label))
      }
      labels = try targets.labels(of: folded, grid: grid)
    case .symbols(let all):
      guard let symbols = all[utterance] else { throw .missing }
      labels = try targets.labels(
        of: symbols.map { symbol throws(AlignmentFault) in try fold(symbol) })
    }
    return (try targets.fit(labels, frames: frames), labels.count - frames)
  }

  private func fold(_ symbol: String) throws(AlignmentFault) -> String {
    guard let map else { return symbol }
    guard let folded = map[symbol] else { throw .unknownSymbol(symbol) }
    return folded
  }
}

/// A folder of frame targets: `targets.ark`, `classes.txt` and `ledger.jsonl`.
package struct TargetFolder: Sendable {
  package let path: String

  package init(path: String) {
    self.path = path
  }

  var archivePath: String { path + "/targets.ark" }
  package var classesPath: String { path + "/classes.txt" }
  package var ledgerPath: String { path + "/ledger.jsonl" }

  /// The classes and the targets by utterance.
  package func read() throws(FileFault) -> (
    classes: ClassInventory, labels: [String: [Int32]]
  ) {
    let entries = try IntegerVectorArchive.read(archivePath)
    let classes = try ClassInventory(path: classesPath)
    for entry in entries {
      guard let bad = entry.values.first(where: { $0 < 0 || $0 >= classes.count }) else { continue }
      throw .malformed(
        path: archivePath, expected: "class ids below \(classes.count) for \(entry.key)",
        found: "\(bad)")
    }
    return (classes, Dictionary(entries.map { ($0.key, $0.values) }) { first, _ in first })
  }

  /// Makes the targets of some utterances.
  ///
  /// - Parameters:
  ///   - source: the alignments.
  ///   - frameCounts: the number of feature frames of each utterance.
  ///   - grid: where the frames lie.
  ///   - earlier: utterances that were left out before.
  ///   - reporter: where the summary goes.
  /// - Returns: the ledger of utterances without targets, also written to `ledger.jsonl`.
  /// - Throws: `FileFault` when the folder cannot be written.
  package func prepare(
    _ source: AlignmentSource, frameCounts: [String: Int], grid: FrameGrid,
    earlier: Ledger = Ledger(), reporter: Reporter
  ) throws(FileFault) -> Ledger {
    var ledger = earlier
    // Without its classes the folder is unusable until all is there.
    try? FileManager.default.removeItem(atPath: classesPath)
    var archive = try IntegerVectorArchive.Writer(path: archivePath)
    var differences: [Int: Int] = [:]
    let ids = frameCounts.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for id in ids {
      let labels: [Int32]
      do throws(AlignmentFault) {
        let found = try source.targets(of: id, frames: frameCounts[id] ?? 0, grid: grid)
        differences[found.surplus, default: 0] += 1
        labels = found.labels
      } catch {
        ledger.leaveOut(id, stage: "targets", reason: error.description)
        continue
      }
      try archive.write(id, labels)
    }
    try archive.commit()
    try source.inventory.write(to: classesPath)
    try ledger.write(to: ledgerPath)
    let histogram = differences.sorted { $0.key < $1.key }
      .map { "\($0.key > 0 ? "+" : "")\($0.key): \($0.value)" }.joined(separator: ", ")
    reporter.log.info(
      """
      \(path): \(differences.values.reduce(0, +)) of \(ids.count) utterances, \
      \(source.inventory.count) classes; labels more than frames: \(histogram)
      """)
    return ledger
  }
}
