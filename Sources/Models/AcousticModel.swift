package import Classes
package import Features
package import LinearAlgebra
package import Networks

/// A frame classifier with everything needed to use it: its feature options, normaliser and class
/// names.
package struct AcousticModel: Sendable, Equatable {
  /// How a model was trained.
  package struct Provenance: Sendable, Equatable, Codable {
    /// The model's name within its experiment, such as `member-00`.
    package let system: String
    /// The seed of its weights, batches and dropout.
    package let seed: UInt64
    /// The epoch whose network was kept, counted from 1.
    package let epoch: Int
    /// The development accuracy of that epoch, by which it was selected.
    package let developmentAccuracy: Double
    /// The version of limbeck that trained the model.
    package let limbeckVersion: String

    /// The provenance that the file's metadata records.
    package init(
      system: String, seed: UInt64, epoch: Int, developmentAccuracy: Double, limbeckVersion: String
    ) {
      (self.system, self.seed, self.epoch) = (system, seed, epoch)
      (self.developmentAccuracy, self.limbeckVersion) = (developmentAccuracy, limbeckVersion)
    }
  }

  /// The network in its precision, ready to classify.
  package let inference: InferenceNetwork
  /// The features on which the steps of an int8 model were chosen; nil for other models.
  package let calibration: Calibration.Record?
  /// The options of the features it was trained on.
  package let features: FeatureOptions
  /// The mean and deviation of the features over the training set.
  package let normalizer: FeatureNormalizer
  /// The names of the classes, in the order of the logits.
  package let classes: ClassInventory
  /// ln(frames of the class / all frames) of each class in the training set.
  ///
  /// A class without training frames has a large positive number instead. Nil when the priors are
  /// unknown, as for a specialist or a model written by limbeck 0.6.
  package let logPriors: [Float]?
  /// How the model was trained.
  package let provenance: Provenance

  /// Combines parts that must fit each other, folds the network's batch normalisation and rounds its
  /// weights.
  ///
  /// The network takes `features.columns` values per frame and has `classes.count` classes. An int8
  /// model has a step for each output of each layer, and its network `fitsBytes`.
  package init(
    network: AcousticNetwork, features: FeatureOptions, normalizer: FeatureNormalizer,
    classes: ClassInventory, logPriors: [Float]? = nil, provenance: Provenance,
    precision: NetworkPrecision = .float32, calibration: Calibration.Record? = nil
  ) {
    precondition(
      network.features == features.columns && network.classes == classes.count
        && normalizer.mean.count == features.columns
        && logPriors?.count ?? classes.count == classes.count,
      "AcousticModel: \(network.features) features and \(network.classes) classes do not fit "
        + "\(features.columns) and \(classes.count)")
    inference = InferenceNetwork(network, precision: precision)
    self.calibration = calibration
    self.features = features
    self.normalizer = normalizer
    self.classes = classes
    self.logPriors = logPriors
    self.provenance = provenance
  }

  /// The network, with batch normalisation folded into its weights and biases.
  ///
  /// Its weights are in float32. Those of a reduced precision are rounded, so `network` alone is not
  /// the model: its inputs are rounded too.
  package var network: AcousticNetwork { inference.network }

  /// The numbers that the network multiplies.
  package var precision: NetworkPrecision { inference.precision }

  /// The same model in another precision.
  ///
  /// - Parameters:
  ///   - precision: the precision, as for `init`.
  ///   - calibration: what the steps of int8 were chosen on.
  /// - Returns: the model, with rounded weights.
  package func with(
    _ precision: NetworkPrecision, calibration: Calibration.Record? = nil
  ) -> AcousticModel {
    AcousticModel(
      network: network, features: features, normalizer: normalizer, classes: classes,
      logPriors: logPriors, provenance: provenance, precision: precision, calibration: calibration)
  }

  /// The logits of one utterance.
  ///
  /// Beyond its edges the first or last frame is repeated. Frames are computed a thousand at a
  /// time, so scratch memory does not grow with the utterance. Except within the context of an
  /// edge, the length of the utterance does not change a bit of a frame's logits.
  ///
  /// - Parameters:
  ///   - features: [frames × `features.columns`], computed with the model's feature options before
  ///     `normalizer` is applied.
  ///   - workers: the threads that share the columns of each layer.
  /// - Returns: [frames × classes].
  package func logits(of features: Matrix, workers: Workers = .one) -> Matrix {
    // A shorter utterance needs only its frames and those that upper layers see beyond its edges.
    let (above, frames) = (network.contextAboveInput, max(1, features.rows))
    var stream = LogitStream(
      self, mostFrames: min(framesAPart, frames + above.upperBound - above.lowerBound),
      workers: workers)
    var logits = Matrix(rows: 0, columns: classes.count)
    stream.push(features, isLast: true, appendingTo: &logits)
    return logits
  }
}

/// The number of frames whose logits are computed at a time.
private let framesAPart = 1008
