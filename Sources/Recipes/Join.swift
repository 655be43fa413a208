import Corpus
import LinearAlgebra
import Storage
import Training

/// Joins features with targets.
///
/// - Returns: the utterances that have both, in the order of the features, and a ledger of the others.
func join(
  _ features: FeatureFolder, _ targets: TargetFolder
) throws(FileFault) -> (utterances: [FrameSet.Utterance], classes: ClassInventory, ledger: Ledger) {
  let (classes, labels) = try targets.read()
  let entries = try features.read()
  let frameCounts = Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.matrix.rows) })
  let utterances = entries.compactMap { id, matrix -> FrameSet.Utterance? in
    guard let own = labels[id], own.count == matrix.rows else { return nil }
    return FrameSet.Utterance(id: id, features: matrix, labels: own)
  }
  return (utterances, classes, unjoined(frameCounts, labels.mapValues(\.count)))
}

/// The utterances that have features or targets but not both, or not as many of each.
///
/// - Parameters:
///   - frameCounts: the number of feature frames of each utterance.
///   - labelCounts: the number of targets of each utterance.
/// - Returns: an entry for each, in the order of their ids.
func unjoined(_ frameCounts: [String: Int], _ labelCounts: [String: Int]) -> Ledger {
  var ledger = Ledger()
  for id in Set(frameCounts.keys).union(labelCounts.keys).sorted() {
    switch (frameCounts[id], labelCounts[id]) {
    case (let frames?, let labels?) where frames != labels:
      ledger.leaveOut(id, stage: "join", reason: "\(labels) targets for \(frames) frames")
    case (_?, nil): ledger.leaveOut(id, stage: "join", reason: "features without targets")
    case (nil, _?): ledger.leaveOut(id, stage: "join", reason: "targets without features")
    default: break
    }
  }
  return ledger
}
