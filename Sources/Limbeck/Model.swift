import Classes
import Features
import Foundation
import LinearAlgebra
import Models
import Networks
import Storage
import SystemPackage

/// A trained acoustic model that turns an utterance into class probabilities for each frame.
///
/// The input is either samples or features. The output has one distribution over the classes per
/// frame.
///
/// ```swift
/// let model = try Model(path: "exp/models/student.safetensors")
/// let posteriors = try model.posteriors(ofSamples: samples, sampleRate: 16000)
/// let best = (0..<posteriors.frames).map { model.classes[posteriors.mostProbable(at: $0)] }
/// ```
public struct Model: Sendable {
  private let model: AcousticModel

  /// Reads a model file.
  ///
  /// - Parameter path: a safetensors file written by `limbeck train` or `limbeck distill`.
  /// - Throws: `ModelError.unusable` when the file is missing, unreadable or not a model.
  public init(path: String) throws(ModelError) {
    do {
      model = try AcousticModel(path: try FilePath(text: path))
    } catch {
      throw .unusable("\(error)")
    }
  }

  /// The class names, in the order of the probabilities.
  public var classes: [String] { model.classes.symbols }

  /// The sample rate that the model expects, in hertz; nil when the model accepts only features.
  ///
  /// A model accepts only features when it was trained on features that another program computed.
  public var sampleRate: Int? { model.features.logMel?.sampleRate }

  /// The number of features per frame, deltas included.
  public var features: Int { model.features.columns }

  /// The time from the start of one frame to the start of the next, in seconds.
  public var frameShift: Double { model.features.grid.shiftInSeconds }

  /// The time of the centre of a frame, in seconds from the first sample.
  ///
  /// - Parameter index: the frame's index, counted from 0.
  /// - Returns: the time; a frame's label holds for half a `frameShift` on each side of it.
  public func centre(ofFrame index: Int) -> Double { model.features.grid.centre(ofFrame: index) }

  /// The offsets of the frames that a frame's probabilities depend on, such as -20...5.
  ///
  /// Beyond the edges of an utterance its first or last frame is repeated.
  public var context: ClosedRange<Int> { model.network.context }

  /// How many later frames must be available before a frame's probabilities are known.
  ///
  /// This is the upper bound of `context`. It is negative when the context ends before the frame.
  public var latency: Int { context.upperBound }

  /// How many samples must have arrived before a frame's probabilities are known.
  ///
  /// The count starts at the frame's window: the window itself, plus one frame shift for each later
  /// frame that the context and the deltas need. Nil for a model that accepts only features.
  public var latencyInSamples: Int? {
    model.features.logMel == nil ? nil : model.latencyInSamples
  }

  /// `latencyInSamples` in seconds; nil for a model that accepts only features.
  public var latencyInSeconds: Double? {
    guard let latencyInSamples, let sampleRate else { return nil }
    return Double(latencyInSamples) / Double(sampleRate)
  }

  /// Each class's share of the training frames, in the order of `classes`.
  ///
  /// A class without training frames has 0. The value is nil when the model file has no priors, as
  /// for a specialist or a model written before limbeck 0.7.
  public var priors: [Float]? { model.logPriors?.map { $0 > 0 ? 0 : exp($0) } }

  /// The number of weights and biases.
  public var parameters: Int { model.network.parameterCount }

  /// Computes the class probabilities of each frame of an utterance from its samples.
  ///
  /// The result is bit-identical to what `limbeck score` computes for the utterance.
  ///
  /// - Parameters:
  ///   - samples: one channel of the whole utterance; full scale is [-1, 1).
  ///   - rate: the sample rate in hertz; must equal `sampleRate`.
  ///   - utterance: the utterance id, which seeds the dither; without dither it has no effect.
  /// - Returns: [frames × classes]; no frames when the utterance is too short for one.
  /// - Throws: `ModelError` when the sample rate differs from the model's, when a sample or logit
  ///   is not finite, when the model accepts only features, or when its features are normalised by
  ///   speaker or over a corpus.
  public func posteriors(
    ofSamples samples: [Float], sampleRate rate: Int, utterance: String = ""
  ) throws(ModelError) -> Posteriors {
    guard let options = model.features.logMel else { throw .needsFeatures }
    guard rate == options.sampleRate else {
      throw .sampleRate(expected: options.sampleRate, found: rate)
    }
    guard samples.allSatisfy(\.isFinite) else { throw .notFinite }
    var extractor = LogMelExtractor(options: options)
    var frames = extractor.logMel(of: samples, utterance: utterance)
    let transform = model.features.transform
    switch transform.normalization {
    case .none: break
    case .utterance:
      guard frames.rows > 0 else { break }
      var sums = NormalizationStatistics(columns: frames.columns)
      sums.add(frames)
      sums.normalize(&frames, variance: transform.normalizeVariance)
    case .speaker, .global: throw .needsStatistics
    }
    return try posteriors(
      of: deltas.appended(to: 0..<frames.rows, of: frames, from: 0, count: frames.rows))
  }

  /// Computes the class probabilities of each frame from its features.
  ///
  /// - Parameter values: [frames × `features`], row by row, computed with the model's feature
  ///   options. The model then applies the mean and variance of its training set itself.
  /// - Returns: [frames × classes].
  /// - Throws: `ModelError` when the values do not make whole frames, or a value or logit is not
  ///   finite.
  public func posteriors(ofFeatures values: [Float]) throws(ModelError) -> Posteriors {
    guard values.count % features == 0 else {
      throw .columns(expected: features, values: values.count)
    }
    guard values.allSatisfy(\.isFinite) else { throw .notFinite }
    return try posteriors(
      of: Matrix(rows: values.count / features, columns: features, values: values))
  }

  /// The scaled log-likelihoods that a decoder expects: ln(posterior / prior) of each frame and
  /// class.
  ///
  /// - Parameter posteriors: computed by this model. Posteriors below 1e-20 count as 1e-20, as in
  ///   Kaldi (`nnet2/decodable-am-nnet.h`).
  /// - Returns: [frames × classes], row by row; about -1e19 for a class without training frames.
  /// - Throws: `ModelError.needsPriors` when `priors` is nil.
  public func logLikelihoods(of posteriors: Posteriors) throws(ModelError) -> [Float] {
    guard let logPriors = model.logPriors else { throw .needsPriors }
    precondition(
      posteriors.classes == logPriors.count,
      "logLikelihoods: posteriors of \(posteriors.classes) classes, not \(logPriors.count)")
    return posteriors.values.enumerated().map { place, value in
      log(max(value, leastPosterior)) - logPriors[place % logPriors.count]
    }
  }

  /// Starts a stream that classifies samples while they arrive.
  ///
  /// - Parameters:
  ///   - rate: the sample rate in hertz; must equal `sampleRate`.
  ///   - utterance: the utterance id, which seeds the dither; without dither it has no effect.
  /// - Returns: a stream at the start of an utterance.
  /// - Throws: `ModelError` when the sample rate differs from the model's, when the model accepts
  ///   only features, or when its features are normalised, which needs more than the samples around
  ///   a frame.
  public func stream(
    sampleRate rate: Int, utterance: String = ""
  ) throws(ModelError) -> PosteriorStream {
    guard let options = model.features.logMel else { throw .needsFeatures }
    guard rate == options.sampleRate else {
      throw .sampleRate(expected: options.sampleRate, found: rate)
    }
    switch model.features.transform.normalization {
    case .none: break
    case .utterance: throw .needsUtterance
    case .speaker, .global: throw .needsStatistics
    }
    return PosteriorStream(model, options, deltas, utterance: utterance)
  }

  private var deltas: Deltas {
    Deltas(order: model.features.transform.deltas, window: model.features.transform.deltaWindow)
  }

  private func posteriors(of frames: Matrix) throws(ModelError) -> Posteriors {
    try Posteriors(logits: model.logits(of: frames))
  }
}

/// The floor of posteriors before their logarithm is taken.
private let leastPosterior: Float = 1e-20
