package import Classes
import Corpus
package import LinearAlgebra
package import Storage
package import SystemPackage

/// What counts as right: which classes are told apart, and which are silence.
package struct ScoringRules: Sendable {
  /// The classes that are told apart.
  package let classes: ClassInventory

  private let modelClasses: Int
  private let foldName: String?
  /// The class that each of the model's classes counts as.
  private let ids: [Int32]
  private let isSilence: [Bool]

  /// - Parameters:
  ///   - classes: the model's.
  ///   - path: a map, a line `FROM TO` each, that folds classes before they are compared; FROM is a
  ///     class, or the label that its states are of, which keep their numbers. Nil folds nothing.
  /// - Throws: `FileFault` for a map that cannot be read or lacks a class.
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
  /// Likelihood and calibration are of the model's classes, which are not folded.
  ///
  /// - Parameters:
  ///   - posteriors: frames × the model's classes, each row a distribution.
  ///   - labels: the true ids among the model's classes, one a frame.
  /// - Returns: the counts after folding.
  package func tally(_ posteriors: Matrix, labels: [Int32]) -> FrameTally {
    var tally = tally(predicted: posteriors.largestColumns(), labels: labels)
    tally.addConfidence(of: posteriors, labels: labels)
    return tally
  }

  /// Counts the frames of one utterance, without how sure the choice was.
  ///
  /// - Parameters:
  ///   - predicted: an id among the model's classes a frame.
  ///   - labels: the true ids, as many.
  /// - Returns: the counts after folding.
  package func tally(predicted: [Int32], labels: [Int32]) -> FrameTally {
    FrameTally(
      predicted: predicted.map { ids[Int($0)] }, labels: labels.map { ids[Int($0)] },
      isSilence: isSilence)
  }

  /// Whether a class among the model's counts as another.
  func isRight(_ chosen: Int, _ truth: Int32) -> Bool { ids[chosen] == ids[Int(truth)] }

  /// The rules in words.
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
  /// What the score is of, in words.
  package var extent: String {
    let people = speakers.map { " by \($0) speaker\($0 == 1 ? "" : "s")" } ?? ", speakers unknown"
    return "\(frames) frames of \(utterances) utterances\(people)"
  }
}
