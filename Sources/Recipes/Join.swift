import Corpus
import LinearAlgebra
import Storage
import Training

/// Joins features with targets.
///
/// - Returns: the utterances that have both, in the order of the features, and a ledger of all.
func join(
  _ features: FeatureFolder, _ targets: TargetFolder, _ stage: Ledger.Stage
) throws(FileFault) -> (utterances: [FrameSet.Utterance], classes: ClassInventory, ledger: Ledger) {
  let (classes, labels) = try targets.read()
  let entries = try features.read()
  let frameCounts = Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.matrix.rows) })
  let utterances = entries.compactMap { id, matrix -> FrameSet.Utterance? in
    guard let own = labels[id], own.count == matrix.rows else { return nil }
    return FrameSet.Utterance(id: id, features: matrix, labels: own)
  }
  return (utterances, classes, joined(frameCounts, labels.mapValues(\.count), stage))
}

/// What becomes of utterances when features meet targets: those that have features or targets but not
/// both, or not as many of each, are left out.
///
/// - Parameters:
///   - frameCounts: the number of feature frames of each utterance.
///   - labelCounts: the number of targets of each utterance.
///   - stage: what they are joined for.
/// - Returns: an entry for each, in the order of their ids.
func joined(
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
