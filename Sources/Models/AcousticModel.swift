package import Classes
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

  /// Without normalisations, which are folded into its weights.
  package let network: AcousticNetwork
  package let features: FeatureOptions
  package let normalizer: FeatureNormalizer
  package let classes: ClassInventory
  /// ln(frames of the class / all frames) of each class in what it was trained on.
  ///
  /// A large positive number stands for a class without a frame. Nil where they are not known, as of a specialist or a
  /// model of version 0.6.
  package let logPriors: [Float]?
  package let provenance: Provenance

  /// All parts fit each other: the network takes `features.columns` values a frame and has `classes.count`
  /// classes.
  package init(
    network: AcousticNetwork, features: FeatureOptions, normalizer: FeatureNormalizer,
    classes: ClassInventory, logPriors: [Float]? = nil, provenance: Provenance
  ) {
    precondition(
      network.features == features.columns && network.classes == classes.count
        && normalizer.mean.count == features.columns
        && logPriors?.count ?? classes.count == classes.count,
      "AcousticModel: \(network.features) features and \(network.classes) classes do not fit "
        + "\(features.columns) and \(classes.count)")
    self.network = network.folded
    self.features = features
    self.normalizer = normalizer
    self.classes = classes
    self.logPriors = logPriors
    self.provenance = provenance
  }

  /// The logits of one utterance.
  ///
  /// Beyond its edges the first or last frame is repeated. Frames are computed a thousand at a time, so that
  /// scratch does not grow with the utterance. How many there are does not change a frame's logits by a bit, but for those
  /// that see the edge.
  ///
  /// - Parameters:
  ///   - features: frames × `features.columns`, made with the model's feature options, not normalised.
  ///   - workers: share the columns of each layer.
  /// - Returns: frames × classes.
  package func logits(of features: Matrix, workers: Workers = .one) -> Matrix {
    // As many as a shorter utterance has with those that layers above the first see beyond its edges.
    let (above, frames) = (network.contextAboveInput, max(1, features.rows))
    var stream = LogitStream(
      self, mostFrames: min(framesAPart, frames + above.upperBound - above.lowerBound),
      workers: workers)
    var logits = Matrix(rows: 0, columns: classes.count)
    stream.push(features, isLast: true, appendingTo: &logits)
    return logits
  }
}

/// Frames whose logits are computed at a time.
private let framesAPart = 1008
