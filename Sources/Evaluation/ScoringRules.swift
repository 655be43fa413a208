package import Classes
import Corpus
package import LinearAlgebra
package import Storage
package import SystemPackage

/// The rules of scoring: which classes are distinguished, and which are silence.
package struct ScoringRules: Sendable {
  /// The classes that are distinguished, after folding.
  package let classes: ClassInventory

  private let modelClasses: Int
  private let foldName: String?
  /// The scored class of each of the model's classes.
  let ids: [Int32]
  private let isSilence: [Bool]

  /// - Parameters:
  ///   - classes: the model's classes.
  ///   - path: a map with `FROM TO` lines that folds classes before they are compared; nil for
  ///     none. FROM is a class, or a label, whose states keep their numbers.
  /// - Throws: `FileFault` when the map cannot be read or lacks a class.
  package init(_ classes: ClassInventory, fold path: FilePath?) throws(FileFault) {
    modelClasses = classes.count
    foldName = path?.lastComponent?.string
    if let path {
      (self.classes, ids) = try classes.folded(by: try SymbolMap(path: path), path: path)
    } else {
      self.classes = classes
      ids = (0..<Int32(classes.count)).map { $0 }
    }
    isSilence = self.classes.isSilence
  }

  /// Counts the frames of one utterance.
  ///
  /// Likelihood and calibration are computed for the model's classes, without folding.
  ///
  /// - Parameters:
  ///   - posteriors: distributions over the model's classes, [frames × classes].
  ///   - labels: the true class id of each frame, among the model's classes.
  /// - Returns: the counts after folding.
  package func tally(_ posteriors: Matrix, labels: [Int32]) -> FrameTally {
    var tally = tally(predicted: posteriors.largestColumns(), labels: labels)
    tally.addConfidence(of: posteriors, labels: labels)
    return tally
  }

  /// Counts the frames of one utterance, without likelihood and calibration.
  ///
  /// - Parameters:
  ///   - predicted: the chosen class id of each frame, among the model's classes.
  ///   - labels: the true class id of each frame, among the model's classes.
  /// - Returns: the counts after folding.
  package func tally(predicted: [Int32], labels: [Int32]) -> FrameTally {
    FrameTally(
      predicted: predicted.map { ids[Int($0)] }, labels: labels.map { ids[Int($0)] },
      isSilence: isSilence)
  }

  /// Whether two of the model's classes count as the same.
  func isRight(_ chosen: Int, _ truth: Int32) -> Bool { ids[chosen] == ids[Int(truth)] }

  /// The rules as text for people.
  package var text: String {
    let folding =
      foldName.map { "the model's \(modelClasses) folded by \($0) before they are compared" }
      ?? "not folded"
    let silence = zip(classes.symbols, isSilence).filter(\.1).map(\.0)
    let shown = silence.prefix(6).joined(separator: " ") + (silence.count > 6 ? " …" : "")
    return """
      Frame accuracy: the class with the largest posterior against the alignment's. Classes: \
      \(classes.count), \(folding). \
      \(silence.isEmpty
        ? "None of them is silence."
        : "Silence (\(silence.count): \(shown)) counts, unless it says without.")
      """
  }
}

extension SetScore {
  /// The numbers of frames, utterances and speakers scored, as text.
  package var extent: String {
    let people = speakers.map { " by \($0) speaker\($0 == 1 ? "" : "s")" } ?? ", speakers unknown"
    return "\(frames) frames of \(utterances) utterances\(people)"
  }
}
