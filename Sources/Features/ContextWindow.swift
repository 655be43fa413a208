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

  /// The frames of the window, from the classified one.
  package var offsets: ClosedRange<Int> { -left...right }
}

extension SharedMatrix {
  /// Writes some frames around a frame of an utterance side by side; beyond an edge of the utterance its first
  /// or last frame is repeated.
  ///
  /// - Parameters:
  ///   - frame: of the utterance; it may lie beyond an edge.
  ///   - offsets: which frames, from it.
  ///   - firstRow: the row where the utterance's frame 0 is, or would be.
  ///   - count: the utterance's frames.
  ///   - row: `offsets.count · columns` values, overwritten.
  package func splice(
    _ frame: Int, at offsets: [Int], firstRow: Int, count: Int, into row: inout MutableSpan<Float>
  ) {
    precondition(
      row.count == offsets.count * columns && count > 0,
      "splice: \(offsets.count) of \(count) frames into \(row.count) values")
    let (first, last) = (frame + (offsets.first ?? 0), frame + (offsets.last ?? 0))
    if last - first == offsets.count - 1, first >= 0, last < count {
      // A run of frames within the utterance stands there as it is asked for.
      RowKernels.copy(values(ofRows: firstRow + first..<firstRow + last + 1), into: &row)
      return
    }
    for (place, offset) in offsets.enumerated() {
      let source = firstRow + min(max(frame + offset, 0), count - 1)
      RowKernels.copy(self.row(source), into: &row, at: place * columns)
    }
  }
}
