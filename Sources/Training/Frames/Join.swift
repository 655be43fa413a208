package import Classes
package import Corpus
import Features
import KaldiIO
package import Storage

/// Joins features with targets.
///
/// - Parameters:
///   - features: the features.
///   - targets: the targets.
///   - stage: the stage that the frames are for.
/// - Returns: the frames of the utterances with both, in the order of the features; the classes;
///   and a ledger of all utterances.
/// - Throws: `FileFault` when an archive or the classes cannot be read.
package func join(
  _ features: FeatureFolder, _ targets: TargetFolder, _ stage: Ledger.Stage
) throws(FileFault) -> (frames: ArchiveFrames, classes: ClassInventory, ledger: Ledger) {
  let matrices = try MatrixArchive(path: features.archivePath, otherForms: .held)
  let labels = try IntegerArchive(path: targets.archivePath)
  // Without any alignment there may be no classes either.
  let classes =
    try labels.entries.isEmpty
    ? ClassInventory(symbols: []) : ClassInventory(path: targets.classesPath)
  let frames = try ArchiveFrames(
    features: matrices, targets: labels, columns: try features.options().columns,
    classes: classes.count)
  let ledger = joined(
    Dictionary(uniqueKeysWithValues: matrices.entries.map { ($0.key, $0.rows) }),
    Dictionary(uniqueKeysWithValues: labels.entries.map { ($0.key, $0.count) }), stage)
  return (frames, classes, ledger)
}

/// The ledger of a join: utterances without features or targets, or with different numbers of them,
/// are skipped.
///
/// - Parameters:
///   - frameCounts: the number of feature frames of each utterance.
///   - labelCounts: the number of targets of each utterance.
///   - stage: the stage that the frames are for.
/// - Returns: an entry for each utterance, in the byte order of their ids.
package func joined(
  _ frameCounts: [String: Int], _ labelCounts: [String: Int], _ stage: Ledger.Stage
) -> Ledger {
  var ledger = Ledger()
  for id in Set(frameCounts.keys).union(labelCounts.keys).sorted(by: inByteOrder) {
    let frames = frameCounts[id] ?? 0
    switch (frameCounts[id], labelCounts[id]) {
    case (_, let labels?) where frames == labels:
      var entry = Ledger.Entry(id, stage)
      (entry.framesIn, entry.framesOut) = (frames, frames)
      ledger.append(entry)
    case (nil, _): ledger.leaveOut(id, stage, reason: "targets without features", framesIn: 0)
    case (_, nil): ledger.leaveOut(id, stage, reason: "features without targets", framesIn: frames)
    case (_, let labels?):
      ledger.leaveOut(
        id, stage, reason: "\(labels) targets for \(frames) frames", framesIn: frames)
    }
  }
  return ledger
}
