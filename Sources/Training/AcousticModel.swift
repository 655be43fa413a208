package import Corpus
package import Features
package import LinearAlgebra
package import Networks

/// A frame classifier with all that it needs to be used: what its features are, how they are
/// normalised, what context it sees and what its classes are called.
package struct AcousticModel: Sendable, Equatable {
  /// Where a model comes from.
  package struct Provenance: Sendable, Equatable, Codable {
    /// What it is in its experiment, as in `member-00`.
    package let system: String
    package let seed: UInt64
    /// The epoch that was kept, from 1.
    package let epoch: Int
    /// The accuracy that made it the one.
    package let developmentAccuracy: Double
    package let limbeckVersion: String

    package init(
      system: String, seed: UInt64, epoch: Int, developmentAccuracy: Double, limbeckVersion: String
    ) {
      (self.system, self.seed, self.epoch) = (system, seed, epoch)
      (self.developmentAccuracy, self.limbeckVersion) = (developmentAccuracy, limbeckVersion)
    }
  }

  package let network: FeedForwardNetwork
  package let features: FeatureOptions
  package let normalizer: FeatureNormalizer
  package let context: ContextWindow
  package let classes: ClassInventory
  package let provenance: Provenance

  /// All parts fit each other: the network has `context.frames · features.columns` inputs and
  /// `classes.count` classes.
  package init(
    network: FeedForwardNetwork, features: FeatureOptions, normalizer: FeatureNormalizer,
    context: ContextWindow, classes: ClassInventory, provenance: Provenance
  ) {
    precondition(
      network.inputs == context.frames * features.columns && network.classes == classes.count
        && normalizer.mean.count == features.columns,
      "AcousticModel: \(network.inputs) inputs and \(network.classes) classes do not fit "
        + "\(context.frames) frames of \(features.columns) and \(classes.count) classes")
    self.network = network
    self.features = features
    self.normalizer = normalizer
    self.context = context
    self.classes = classes
    self.provenance = provenance
  }

  /// The logits of one utterance.
  ///
  /// - Parameters:
  ///   - logMel: frames × bands, made with the model's feature options, not normalised.
  ///   - workers: share the frames.
  /// - Returns: frames × classes.
  package func logits(of logMel: Matrix, workers: Workers = .one) -> Matrix {
    let features = normalizer.applied(to: logMel, workers: workers)
    var input = Matrix(rows: features.rows, columns: network.inputs)
    input.forEachRow(workers) { index, row in
      context.splice(index, of: 0..<features.rows, in: features, into: &row)
    }
    return network.logits(of: input, workers: workers)
  }
}
