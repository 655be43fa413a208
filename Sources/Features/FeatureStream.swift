package import LinearAlgebra

/// Computes the features of an utterance, deltas included, while its samples arrive.
///
/// The features do not depend on how the samples are cut into pieces. They are not normalised:
/// that needs more than the samples around a frame.
package struct FeatureStream: ~Copyable {
  private let utterance: String
  private var extractor: LogMelExtractor
  private var deltas: DeltaStream

  /// A stream at the start of an utterance.
  ///
  /// - Parameters:
  ///   - options: valid options of the frames.
  ///   - deltas: the deltas to append.
  ///   - utterance: the utterance id, which seeds the dither.
  package init(_ options: LogMelOptions, _ deltas: Deltas, utterance: String) {
    self.utterance = utterance
    extractor = LogMelExtractor(options: options)
    self.deltas = DeltaStream(deltas, columns: options.columns)
    extractor.begin(utterance: utterance)
  }

  /// Takes the next samples.
  ///
  /// - Parameter samples: any number of samples; full scale is [-1, 1).
  /// - Returns: the features that have become known, [frames × columns].
  package mutating func push(_ samples: Span<Float>) -> Matrix {
    var frames = Matrix(rows: 0, columns: extractor.options.columns)
    extractor.push(samples, appendingTo: &frames)
    return features(of: frames)
  }

  /// Ends the utterance; the next samples start another one with the same id.
  ///
  /// - Returns: the last features, [frames × columns].
  package mutating func finish() -> Matrix {
    var frames = Matrix(rows: 0, columns: extractor.options.columns)
    extractor.finish(appendingTo: &frames)
    var features = features(of: frames)
    deltas.finish(appendingTo: &features)
    begin()
    return features
  }

  /// Abandons the utterance; the next samples start another one with the same id.
  package mutating func begin() {
    extractor.begin(utterance: utterance)
    deltas.begin()
  }

  private mutating func features(of frames: Matrix) -> Matrix {
    var features = Matrix(rows: 0, columns: frames.columns * (1 + deltas.order))
    deltas.push(frames, appendingTo: &features)
    return features
  }

  /// The number of values stored between two calls.
  package var storedValues: Int { extractor.storedValues + deltas.storedValues }
}
