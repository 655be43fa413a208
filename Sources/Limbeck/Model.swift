import Classes
import Features
import Foundation
import LinearAlgebra
import Models
import Networks
import Storage
import SystemPackage

/// An acoustic model of limbeck: samples or features of an utterance in, a distribution over classes for each frame
/// out.
///
/// ```swift
/// let model = try Model(path: "exp/models/student.safetensors")
/// let posteriors = try model.posteriors(ofSamples: samples, sampleRate: 16000)
/// let best = (0..<posteriors.frames).map { model.classes[posteriors.mostProbable(at: $0)] }
/// ```
public struct Model: Sendable {
  private let model: AcousticModel

  /// Reads a model.
  ///
  /// - Parameter path: a safetensors file, as `limbeck train` and `limbeck distill` write it.
  /// - Throws: `ModelError.unusable` for a file that is missing, unreadable or no model.
  public init(path: String) throws(ModelError) {
    do {
      model = try AcousticModel(path: try FilePath(text: path))
    } catch {
      throw .unusable("\(error)")
    }
  }

  /// The names of the classes, in the order of the probabilities.
  public var classes: [String] { model.classes.symbols }

  /// The rate of the samples that the model expects, in hertz; nil of a model that was trained on features of another
  /// program, which takes features alone.
  public var sampleRate: Int? { model.features.logMel?.sampleRate }

  /// The number of features of a frame, before the model's own normalisation.
  public var features: Int { model.features.columns }

  /// The distance between the starts of neighbouring frames, in seconds.
  public var frameShift: Double { model.features.grid.shiftInSeconds }

  /// The frames that the model sees around each frame, as in -20...5.
  public var context: ClosedRange<Int> { model.network.context }

  /// How many frames behind a frame must be there before its probabilities are known.
  public var latency: Int { context.upperBound }

  /// How many samples must be there, from the first of a frame's window on, before its probabilities are known.
  ///
  /// The window, and the shifts of the frames that `latency` and deltas ask for; nil of a model that takes features
  /// alone.
  public var latencyInSamples: Int? {
    guard let grid = model.features.logMel?.grid else { return nil }
    return grid.window + (max(0, latency) + deltas.reach) * grid.shift
  }

  /// The same in seconds.
  public var latencyInSeconds: Double? {
    guard let latencyInSamples, let sampleRate else { return nil }
    return Double(latencyInSamples) / Double(sampleRate)
  }

  /// Each class's share of the frames that the model was trained on.
  ///
  /// 0 for a class without a frame. Nil of a model that does not say: of limbeck before version 0.7, or a specialist.
  public var priors: [Float]? { model.logPriors?.map { $0 > 0 ? 0 : exp($0) } }

  /// The number of weights and biases.
  public var parameters: Int { model.network.parameterCount }

  /// The probabilities of the classes for each frame of an utterance.
  ///
  /// They are those that `limbeck score` computes for the utterance, to the bit.
  ///
  /// - Parameters:
  ///   - samples: one channel of the whole utterance; full scale is [-1, 1).
  ///   - rate: of the samples, in hertz; must be `sampleRate`.
  ///   - utterance: its id, by which dither is drawn for a model whose features have it.
  /// - Returns: frames × classes; no frame for samples that are shorter than one.
  /// - Throws: `ModelError` for another sample rate, for samples that are not finite, or when the model's features
  ///   depend on more than the utterance.
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

  /// The probabilities of the classes for each frame of features.
  ///
  /// - Parameter values: frames × `features`, row by row, made with the model's feature options and not normalised by
  ///   the model's own statistics.
  /// - Returns: frames × classes.
  /// - Throws: `ModelError` for values that are not whole frames, or not finite.
  public func posteriors(ofFeatures values: [Float]) throws(ModelError) -> Posteriors {
    guard values.count % features == 0 else {
      throw .columns(expected: features, values: values.count)
    }
    guard values.allSatisfy(\.isFinite) else { throw .notFinite }
    return try posteriors(
      of: Matrix(rows: values.count / features, columns: features, values: values))
  }

  /// What a decoder adds up in place of the likelihoods of a frame: ln(posterior / prior) for each class.
  ///
  /// - Parameter posteriors: of this model. One below 1e-20 counts as that, as in Kaldi
  ///   (`nnet2/decodable-am-nnet.h`).
  /// - Returns: frames × classes, row by row; some -1e19 for a class without a frame in training.
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

  /// A stream of samples, whose frames get their probabilities as soon as they can be known.
  ///
  /// - Parameters:
  ///   - rate: of the samples, in hertz; must be `sampleRate`.
  ///   - utterance: its id, by which dither is drawn for a model whose features have it.
  /// - Returns: a stream at the start of an utterance.
  /// - Throws: `ModelError` for another sample rate, or when the model's features depend on more than the samples
  ///   around a frame.
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

/// The least posterior whose logarithm is taken.
private let leastPosterior: Float = 1e-20
