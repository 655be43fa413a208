import Corpus
import LinearAlgebra
import Storage
import Training

/// Joins features with targets.
///
/// - Returns: the utterances that have both, in the order of the features, and a ledger of those
///   that have one of them or differ in their numbers of frames.
func join(
  _ features: FeatureFolder, _ targets: TargetFolder
) throws(FileFault) -> (utterances: [FrameSet.Utterance], classes: ClassInventory, ledger: Ledger) {
  var (classes, labels) = try targets.read()
  var ledger = Ledger()
  var utterances: [FrameSet.Utterance] = []
  for (id, matrix) in try features.read() {
    guard let own = labels.removeValue(forKey: id) else {
      ledger.leaveOut(id, stage: "join", reason: "features without targets")
      continue
    }
    guard own.count == matrix.rows else {
      ledger.leaveOut(
        id, stage: "join", reason: "\(own.count) targets for \(matrix.rows) frames")
      continue
    }
    utterances.append(FrameSet.Utterance(id: id, features: matrix, labels: own))
  }
  for id in labels.keys.sorted() {
    ledger.leaveOut(id, stage: "join", reason: "targets without features")
  }
  return (utterances, classes, ledger)
}
