package import Audio
package import Corpus
import Foundation
import KaldiIO
import Logging
package import Storage

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
    let entries = try Archive.readIntegers(archivePath)
    let classes = try ClassInventory(path: classesPath)
    for entry in entries {
      guard let bad = entry.values.first(where: { $0 < 0 || $0 >= classes.count }) else { continue }
      throw .malformed(
        path: archivePath, expected: "class ids below \(classes.count) for \(entry.key)",
        found: "\(bad)")
    }
    return (classes, Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.values) }))
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
    var archive = try ArchiveWriter(archivePath)
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
      try archive.write(id, .integers(labels))
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
