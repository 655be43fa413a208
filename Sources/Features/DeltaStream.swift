package import LinearAlgebra

/// Appends deltas to the frames of utterances that arrive in pieces.
///
/// The result does not depend on the pieces.
package struct DeltaStream: Sendable {
  private let deltas: Deltas
  /// Frames that later deltas need.
  private var frames: Matrix
  /// The index in the utterance of the first row of `frames`.
  private var firstFrame = 0
  /// The index of the frame whose deltas are computed next.
  private var next = 0

  /// - Parameters:
  ///   - deltas: the deltas to append.
  ///   - columns: the number of values in a frame without deltas.
  package init(_ deltas: Deltas, columns: Int) {
    self.deltas = deltas
    frames = Matrix(rows: 0, columns: columns)
  }

  /// Takes the next frames and appends the features that have become known.
  ///
  /// These are the features of all frames but the last `deltas.reach`.
  ///
  /// - Parameters:
  ///   - new: frames without deltas, [frames × columns].
  ///   - features: a matrix with (1 + order) times as many columns.
  package mutating func push(_ new: Matrix, appendingTo features: inout Matrix) {
    frames.append(new)
    append(to: firstFrame + frames.rows - deltas.reach, appendingTo: &features)
  }

  /// Appends the features of the last frames; the next frames start another utterance.
  ///
  /// - Parameter features: the matrix that `push` appended to.
  package mutating func finish(appendingTo features: inout Matrix) {
    append(to: firstFrame + frames.rows, appendingTo: &features)
    begin()
  }

  /// Abandons the utterance; the next frames start another one.
  package mutating func begin() {
    frames.setRowCount(0)
    (firstFrame, next) = (0, 0)
  }

  private mutating func append(to end: Int, appendingTo features: inout Matrix) {
    guard end > next else { return }
    features.append(
      deltas.appended(
        to: next..<end, of: frames, from: firstFrame, count: firstFrame + frames.rows))
    next = end
    let needed = max(firstFrame, next - deltas.reach)
    frames.removeFirstRows(needed - firstFrame)
    firstFrame = needed
  }

  /// The highest order of the deltas: 0 for none, 1 for deltas, 2 for delta-deltas.
  package var order: Int { deltas.order }

  /// The number of values stored between two calls, at most 2 · `deltas.reach` frames.
  package var storedValues: Int { frames.values.count }
}
