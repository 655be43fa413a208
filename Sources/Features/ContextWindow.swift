package import LinearAlgebra
import Storage

/// The neighbouring frames that a classifier sees in addition to the frame it classifies.
///
/// At the edges of an utterance its first or last frame is repeated; frames of other utterances are
/// never seen.
package struct ContextWindow: Sendable, Equatable, Codable {
  /// The number of frames before the classified one.
  package var left = 20
  /// The number of frames after the classified one.
  package var right = 5

  /// The default window, 20 frames before and 5 after.
  package init() {}

  /// A window of `left + 1 + right` frames; neither may be negative.
  package init(left: Int, right: Int) {
    precondition(left >= 0 && right >= 0, "ContextWindow: \(left) left, \(right) right")
    (self.left, self.right) = (left, right)
  }

  /// The keys of a recipe's `context` section.
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

  /// The frames of the window, as offsets from the classified one.
  package var offsets: ClosedRange<Int> { -left...right }
}

extension SharedMatrix {
  /// Concatenates frames around a frame of an utterance into one row.
  ///
  /// Beyond an edge of the utterance its first or last frame is repeated.
  ///
  /// - Parameters:
  ///   - frame: the frame's index in the utterance, possibly beyond an edge.
  ///   - offsets: the frames to take, relative to `frame`.
  ///   - firstRow: the row of the utterance's frame 0; negative when that row is no longer stored.
  ///   - count: the number of frames of the utterance.
  ///   - row: `offsets.count · columns` values, overwritten.
  package func splice(
    _ frame: Int, at offsets: [Int], firstRow: Int, count: Int, into row: inout MutableSpan<Float>
  ) {
    precondition(
      row.count == offsets.count * columns && count > 0,
      "splice: \(offsets.count) of \(count) frames into \(row.count) values")
    let (first, last) = (frame + (offsets.first ?? 0), frame + (offsets.last ?? 0))
    if last - first == offsets.count - 1, first >= 0, last < count {
      // Consecutive frames within the utterance are already contiguous.
      RowKernels.copy(values(ofRows: firstRow + first..<firstRow + last + 1), into: &row)
      return
    }
    for (place, offset) in offsets.enumerated() {
      let source = firstRow + min(max(frame + offset, 0), count - 1)
      RowKernels.copy(self.row(source), into: &row, at: place * columns)
    }
  }
}
