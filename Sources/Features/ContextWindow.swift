package import LinearAlgebra
import Storage

/// The neighbouring frames that a classifier sees beside the one it classifies.
///
/// At the edges of an utterance its first or last frame is repeated; no frame of another utterance
/// is ever seen.
package struct ContextWindow: Sendable, Equatable, Codable {
  /// Frames before the classified one.
  package var left = 20
  /// Frames after the classified one.
  package var right = 5

  package init() {}

  /// A window of `left + 1 + right` frames; neither number is negative.
  package init(left: Int, right: Int) {
    precondition(left >= 0 && right >= 0, "ContextWindow: \(left) left, \(right) right")
    (self.left, self.right) = (left, right)
  }

  package enum CodingKeys: String, CodingKey, CaseIterable { case left, right }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    left = try read(.left, default: left)
    right = try read(.right, default: right)
    try requireOption((0...1000).contains(left), "left", expected: "0 to 1000 frames", found: left)
    try requireOption(
      (0...1000).contains(right), "right", expected: "0 to 1000 frames", found: right)
  }

  /// The number of frames in the window.
  package var frames: Int { left + 1 + right }

  /// Writes a frame with its context, from the oldest frame to the newest.
  ///
  /// - Parameters:
  ///   - frame: the row of `features` to classify.
  ///   - utterance: the rows of the utterance that it belongs to.
  ///   - features: rows of frames.
  ///   - row: `frames · features.columns` values, overwritten.
  package func splice(
    _ frame: Int, of utterance: Range<Int>, in features: Matrix, into row: inout MutableSpan<Float>
  ) {
    precondition(
      utterance.contains(frame) && row.count == frames * features.columns,
      "splice: frame \(frame) of \(utterance) into \(row.count) values")
    let columns = features.columns
    for offset in 0..<frames {
      let neighbour = frame - left + offset
      let source = features.row(min(max(neighbour, utterance.lowerBound), utterance.upperBound - 1))
      for column in 0..<columns { row[offset * columns + column] = source[column] }
    }
  }
}
