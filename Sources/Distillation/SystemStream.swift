import Classes
import LinearAlgebra
import Models

/// The logits of all models of a system, for utterances whose frames arrive in pieces.
///
/// The pieces do not change a bit of the logits. A stream belongs to one thread.
struct SystemStream: ~Copyable {
  private let models: [ModelStream]

  /// A stream at the start of an utterance.
  ///
  /// - Parameters:
  ///   - system: the models to apply.
  ///   - mostFrames: how many frames are computed at a time, by all models together.
  init(_ system: FrameSystem, mostFrames: Int) {
    let own = max(1, mostFrames / system.models.count)
    models = system.models.map { ModelStream($0, mostFrames: own) }
  }

  /// Takes the next frames.
  ///
  /// - Parameters:
  ///   - features: [frames × columns], not yet normalised by the models' normalisers.
  ///   - isLast: whether they end the utterance; the next frames then start another.
  /// - Returns: for each model, the logits of the frames that have become known to all models,
  ///   [frames × its classes].
  mutating func push(_ features: Matrix, isLast: Bool = false) -> [Matrix] {
    for model in models { model.push(features, isLast: isLast) }
    // Models whose context ends later know fewer frames.
    let count = models.reduce(Int.max) { min($0, $1.known.rows) }
    return models.map { $0.take(count) }
  }

  /// Abandons the utterance; the next frames start another one.
  mutating func begin() { for model in models { model.begin() } }

  /// The number of values that the streams have memory for, however long an utterance is.
  var storedValues: Int {
    models.reduce(0) { $0 + $1.stream.storedValues + $1.known.values.count }
  }
}

/// The stream of one model, and the logits that wait for those of other models.
private final class ModelStream {
  private(set) var stream: LogitStream
  private(set) var known: Matrix

  init(_ model: AcousticModel, mostFrames: Int) {
    stream = LogitStream(model, mostFrames: mostFrames)
    known = Matrix(rows: 0, columns: model.classes.count)
  }

  func push(_ features: Matrix, isLast: Bool) {
    stream.push(features, isLast: isLast, appendingTo: &known)
  }

  /// Removes and returns the first rows.
  func take(_ count: Int) -> Matrix {
    if count == known.rows {
      defer { known.setRowCount(0) }
      return known
    }
    let first = known.rows(Array(0..<count))
    known.removeFirstRows(count)
    return first
  }

  func begin() {
    stream.begin()
    known.setRowCount(0)
  }
}
