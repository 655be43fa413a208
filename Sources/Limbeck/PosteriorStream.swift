import Classes
import Features
import LinearAlgebra
import Models

/// Samples of an utterance in, piece by piece, and the probabilities of the classes out, for each frame as soon as it is
/// known.
///
/// ```swift
/// var stream = try model.stream(sampleRate: 16000)
/// while let piece = nextPiece() { use(try stream.push(piece.span)) }
/// use(try stream.finish())
/// ```
///
/// The probabilities are those that `Model.posteriors(ofSamples:sampleRate:utterance:)` computes for the whole utterance,
/// to the bit, however it is cut. A stream keeps no more than the samples and frames around the next frame, and belongs to
/// one thread at a time.
public struct PosteriorStream: ~Copyable {
  private let utterance: String
  private let classes: Int
  private var extractor: LogMelExtractor
  private var deltas: DeltaStream
  private var logits: LogitStream

  init(_ model: AcousticModel, _ options: LogMelOptions, _ deltas: Deltas, utterance: String) {
    self.utterance = utterance
    classes = model.classes.count
    extractor = LogMelExtractor(options: options)
    extractor.begin(utterance: utterance)
    self.deltas = DeltaStream(deltas, columns: options.columns)
    logits = LogitStream(model, mostFrames: framesAPart)
  }

  /// Takes the next samples.
  ///
  /// - Parameter samples: any number of them, one channel at the model's rate; full scale is [-1, 1).
  /// - Returns: the frames that are known with them and were not before, perhaps none.
  /// - Throws: `ModelError.notFinite` for samples or logits that are not. The utterance is then given up, and the next
  ///   samples are those of another.
  public mutating func push(_ samples: Span<Float>) throws(ModelError) -> Posteriors {
    var isFinite = true
    for index in samples.indices { isFinite = isFinite && samples[index].isFinite }
    guard isFinite else {
      begin()
      throw .notFinite
    }
    var frames = Matrix(rows: 0, columns: extractor.options.columns)
    extractor.push(samples, appendingTo: &frames)
    var known = Matrix(rows: 0, columns: classes)
    append(frames, isLast: false, to: &known)
    return try posteriors(known)
  }

  /// Ends the utterance; the next samples are those of another with the same id.
  ///
  /// - Returns: its last frames; none for an utterance shorter than a frame.
  /// - Throws: `ModelError.notFinite` for logits that are not.
  public mutating func finish() throws(ModelError) -> Posteriors {
    var frames = Matrix(rows: 0, columns: extractor.options.columns)
    extractor.finish(appendingTo: &frames)
    var known = Matrix(rows: 0, columns: classes)
    append(frames, isLast: true, to: &known)
    begin()
    return try posteriors(known)
  }

  private mutating func append(_ frames: Matrix, isLast: Bool, to known: inout Matrix) {
    var features = Matrix(rows: 0, columns: frames.columns * (1 + deltas.order))
    deltas.push(frames, appendingTo: &features)
    if isLast { deltas.finish(appendingTo: &features) }
    logits.push(features, isLast: isLast, appendingTo: &known)
  }

  private mutating func posteriors(_ logits: Matrix) throws(ModelError) -> Posteriors {
    do throws(ModelError) { return try Posteriors(logits: logits) } catch {
      begin()
      throw error
    }
  }

  private mutating func begin() {
    extractor.begin(utterance: utterance)
    deltas.begin()
    logits.begin()
  }

  /// The samples and other numbers that it has memory for between two calls.
  package var storedValues: Int {
    extractor.storedValues + deltas.storedValues + logits.storedValues
  }
}

/// Frames that are computed at a time, where a piece of samples has more.
private let framesAPart = 240
