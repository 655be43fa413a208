import Classes
import Corpus
package import Features
import Foundation
import KaldiIO
import LinearAlgebra
package import Models
import Networks
import Storage
package import SystemPackage

/// A model with what is to be computed of each frame: the logarithms of its posteriors, or
/// log-likelihoods.
package struct FrameClassifier: Sendable {
  /// What is computed of each class.
  package enum Values: Sendable {
    /// ln p(class | frame).
    case logPosteriors
    /// ln p(class | frame) − ln p(class), which is ln p(frame | class) up to a constant.
    ///
    /// The priors are those of the model, or of a file of class counts.
    case logLikelihoods(counts: FilePath?)
  }

  /// The model.
  package let model: AcousticModel
  /// Its path.
  package let path: FilePath
  /// T.
  package let temperature: Double
  /// The log priors that are subtracted; nil for posteriors.
  package let logPriors: [Float]?

  /// Reads a model, and the priors if they are needed.
  ///
  /// - Parameters:
  ///   - path: the model's path.
  ///   - values: what is computed.
  ///   - temperature: T, positive.
  /// - Throws: `ModelFault` when the model cannot be read, `FileFault` when it has no priors or the
  ///   counts are not those of its classes.
  package init(path: FilePath, values: Values, temperature: Double) throws {
    let model = try AcousticModel(path: path)
    (self.model, self.path, self.temperature) = (model, path, temperature)
    switch values {
    case .logPosteriors: logPriors = nil
    case .logLikelihoods(let counts?):
      logPriors = try FrameClassifier.logPriors(counts, classes: model.classes.count)
    case .logLikelihoods(nil):
      guard let own = model.logPriors else {
        throw FileFault.malformed(
          path: path, expected: "a model with class priors (classes.logPriors), or --priors",
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

  /// The options of the features that the model expects.
  package var features: FeatureOptions { model.features }

  /// A stream of logits for one thread.
  func stream() -> LogitStream { LogitStream(model, mostFrames: framesAPiece) }

  /// Replaces logits, [frames × classes], by what is computed of them.
  func replace(_ values: inout Matrix) {
    values.replaceRowsByLogSoftmax(temperature: Float(temperature))
    guard let logPriors else { return }
    values.withRows(0..<values.rows) { _, row in
      for place in row.indices { row[place] -= logPriors[place] }
    }
  }
}

/// The number of frames that are read and classified at a time.
let framesAPiece = 1008
