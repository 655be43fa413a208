import Models
package import Classes
import Corpus
package import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Networks
package import Storage
package import SystemPackage

/// A system with what is to be computed of each frame: the logarithms of its posteriors, or
/// log-likelihoods.
package struct FrameClassifier: Sendable {
  /// What is computed of each class.
  package enum Values: Sendable {
    /// ln p(class | frame).
    case logPosteriors
    /// ln p(class | frame) − ln p(class), which is ln p(frame | class) up to a constant.
    ///
    /// The priors are those of the system's first model, or of a file of class counts.
    case logLikelihoods(counts: FilePath?)
  }

  /// The model or models.
  package let system: FrameSystem
  /// T.
  package let temperature: Double
  /// The log priors that are subtracted; nil for posteriors.
  package let logPriors: [Float]?

  /// A system with the priors, if they are needed.
  ///
  /// - Parameters:
  ///   - system: the model or models.
  ///   - values: what is computed.
  ///   - temperature: T, positive.
  /// - Throws: `FileFault` when the system has no priors or the counts are not those of its
  ///   classes.
  package init(_ system: FrameSystem, values: Values, temperature: Double) throws(FileFault) {
    (self.system, self.temperature) = (system, temperature)
    switch values {
    case .logPosteriors: logPriors = nil
    case .logLikelihoods(let counts?):
      logPriors = try FrameClassifier.logPriors(counts, classes: system.first.classes.count)
    case .logLikelihoods(nil):
      guard let own = system.first.logPriors else {
        throw .malformed(
          path: system.path, expected: "a model with class priors (classes.logPriors), or --priors",
          found: "one without")
      }
      logPriors = own
    }
  }

  /// Reads the counts of the classes, a vector of Kaldi with or without a key.
  private static func logPriors(_ path: FilePath, classes: Int) throws(FileFault) -> [Float] {
    let entries = try ArchiveInput.archive(path).entries(
      as: .doubleVector, commands: .refused, withoutKey: "counts")
    guard entries.count == 1,
      case .doubleVector(let counts)? = entries[0].value.converted(to: .doubleVector)
    else {
      throw .malformed(
        path: path, expected: "one vector of class counts", found: "\(entries.count) other values")
    }
    guard counts.count == classes else {
      throw .malformed(
        path: path, expected: "the counts of \(classes) classes", found: "\(counts.count)")
    }
    guard counts.allSatisfy({ $0 >= 0 && $0.isFinite }), counts.contains(where: { $0 > 0 }) else {
      throw .malformed(
        path: path, expected: "counts of frames, none negative and not all zero", found: "others")
    }
    return ClassCounts.logPriors(of: counts)
  }

  /// The options of the features that the system expects.
  package var features: FeatureOptions { system.first.features }
  /// The classes, in the order of the columns.
  package var classes: ClassInventory { system.first.classes }

  /// A stream of logits for one thread.
  func stream() -> SystemStream { SystemStream(system, mostFrames: framesAPiece) }

  /// The values of some frames.
  ///
  /// - Parameter logits: those of each model, [frames × its classes].
  /// - Returns: [frames × classes].
  func values(of logits: [Matrix]) -> Matrix {
    var values = system.logDistributions(of: logits, temperature: temperature)
    guard let logPriors else { return values }
    values.withRows(0..<values.rows) { _, row in
      for place in row.indices { row[place] -= logPriors[place] }
    }
    return values
  }
}

/// The number of frames that are read and classified at a time.
let framesAPiece = 1008
