package import LinearAlgebra

/// Features with their deltas, of utterances whose frames come in pieces; the result does not depend on the pieces.
package struct DeltaStream: Sendable {
  private let deltas: Deltas
  /// Frames that deltas to come need.
  private var frames: Matrix
  /// The frame that is the first of `frames`.
  private var firstFrame = 0
  /// The frame whose deltas come next.
  private var next = 0

  /// - Parameters:
  ///   - deltas: what is appended.
  ///   - columns: the values of a frame.
  package init(_ deltas: Deltas, columns: Int) {
    self.deltas = deltas
    frames = Matrix(rows: 0, columns: columns)
  }

  /// Takes the next frames and appends the features that are known with them: those of all but the last
  /// `deltas.reach` frames.
  ///
  /// - Parameters:
  ///   - new: frames, as they are without deltas.
  ///   - features: a matrix of (1 + order) times as many columns.
  package mutating func push(_ new: Matrix, appendingTo features: inout Matrix) {
    frames.append(new)
    append(to: firstFrame + frames.rows - deltas.reach, appendingTo: &features)
  }

  /// Appends the features of the last frames; the next frames are those of another utterance.
  ///
  /// - Parameter features: the matrix that `push` appended to.
  package mutating func finish(appendingTo features: inout Matrix) {
    append(to: firstFrame + frames.rows, appendingTo: &features)
    begin()
  }

  /// Forgets the utterance: the next frames are those of another.
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

  /// How many times deltas are taken.
  package var order: Int { deltas.order }

  /// The values that it keeps, of at most twice `deltas.reach` frames between two calls.
  package var storedValues: Int { frames.values.count }
}
