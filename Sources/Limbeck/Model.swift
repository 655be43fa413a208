import Classes
import Features
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
    let deltas = Deltas(order: transform.deltas, window: transform.deltaWindow)
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

  private func posteriors(of frames: Matrix) throws(ModelError) -> Posteriors {
    guard frames.rows > 0 else { return Posteriors(classes: classes.count, values: []) }
    var logits = model.logits(of: frames)
    guard logits.isFinite else { throw .notFinite }
    logits.replaceRowsBySoftmax(temperature: 1)
    return Posteriors(classes: classes.count, values: logits.values)
  }
}

/// Why a model cannot be read or used.
public enum ModelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file is missing, unreadable or no model; in words.
  case unusable(String)
  /// Samples of another rate than the model's, in hertz.
  case sampleRate(expected: Int, found: Int)
  /// Values that are not frames of so many features.
  case columns(expected: Int, values: Int)
  /// Samples, features or logits that are not all finite.
  case notFinite
  /// The model was trained on features of another program, and takes features alone.
  case needsFeatures
  /// The model's features are normalised by speaker or corpus; normalise and pass the features.
  case needsStatistics

  /// What was expected and what was found.
  public var description: String {
    switch self {
    case .unusable(let words): words
    case .sampleRate(let expected, let found):
      "expected samples at \(expected) Hz, found \(found) Hz"
    case .columns(let expected, let values):
      "expected frames of \(expected) features, found \(values) values"
    case .notFinite: "expected finite numbers, found others"
    case .needsFeatures:
      "expected features, found samples: the model was trained on features of another program"
    case .needsStatistics:
      "expected features, found samples: the model's features are normalised by speaker"
    }
  }
}
