import Classes
import Features
import LinearAlgebra
import Models

/// Classifies the frames of an utterance while its samples arrive.
///
/// ```swift
/// var stream = try model.stream(sampleRate: 16000)
/// while let piece = nextPiece() { use(try stream.push(piece.span)) }
/// use(try stream.finish())
/// ```
///
/// However the samples are cut into pieces, the result is bit-identical to
/// `Model.posteriors(ofSamples:sampleRate:utterance:)` for the whole utterance. A stream keeps only
/// the samples and frames around the next frame. It must not be used by two threads at once.
public struct PosteriorStream: ~Copyable {
  private let classes: Int
  private var features: FeatureStream
  private var logits: LogitStream

  init(_ model: AcousticModel, _ options: LogMelOptions, _ deltas: Deltas, utterance: String) {
    classes = model.classes.count
    features = FeatureStream(options, deltas, utterance: utterance)
    logits = LogitStream(model, mostFrames: framesAPart)
  }

  /// Takes the next samples and returns the frames that have become known.
  ///
  /// - Parameter samples: any number of samples, one channel at the model's rate; full scale is
  ///   [-1, 1).
  /// - Returns: the frames that were not known before, possibly none.
  /// - Throws: `ModelError.notFinite` when a sample or logit is not finite. The stream then
  ///   abandons the utterance, and the next samples start another.
  public mutating func push(_ samples: Span<Float>) throws(ModelError) -> Posteriors {
    var isFinite = true
    for index in samples.indices { isFinite = isFinite && samples[index].isFinite }
    guard isFinite else {
      begin()
      throw .notFinite
    }
    var known = Matrix(rows: 0, columns: classes)
    logits.push(features.push(samples), appendingTo: &known)
    return try posteriors(known)
  }

  /// Ends the utterance; the next samples start another one with the same id.
  ///
  /// - Returns: the last frames; none for an utterance too short for a frame.
  /// - Throws: `ModelError.notFinite` when a logit is not finite.
  public mutating func finish() throws(ModelError) -> Posteriors {
    var known = Matrix(rows: 0, columns: classes)
    logits.push(features.finish(), isLast: true, appendingTo: &known)
    return try posteriors(known)
  }

  private mutating func posteriors(_ logits: Matrix) throws(ModelError) -> Posteriors {
    do throws(ModelError) { return try Posteriors(logits: logits) } catch {
      begin()
      throw error
    }
  }

  private mutating func begin() {
    features.begin()
    logits.begin()
  }

  /// The number of samples and other values that the stream stores between two calls.
  package var storedValues: Int { features.storedValues + logits.storedValues }
}

/// How many frames are computed at a time when a piece of samples has more.
private let framesAPart = 240
