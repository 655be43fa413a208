import Features
import LinearAlgebra
import Storage

/// Consecutive frames of one utterance that are read together.
struct Segment: Sendable {
  let utterance: Int
  let frames: Range<Int>
}

/// Frames in memory: the normalised features of some segments with their context, their class ids
/// and their soft targets.
///
/// One owner fills it segment by segment; once it is full, many may read it.
// @unchecked: one thread appends segments; batches that read it receive it through a lock later.
final class FrameBlock: @unchecked Sendable {
  /// A segment and its rows in the block.
  struct Resident {
    let segment: Segment
    /// The number of frames in the utterance.
    let utteranceFrames: Int
    /// The row of `features` where the utterance's frame 0 is, or would be.
    let featureRow: Int
    /// The row of the labels and of `softTargets` where frame 0 is, or would be.
    let labelRow: Int
  }

  private let source: any FrameSource
  private let normalizer: FeatureNormalizer
  /// The frames to keep before and after each segment, as far as the utterance has them.
  private let margin: ClosedRange<Int>
  private let scale: [Float]

  private(set) var residents: [Resident] = []
  let features: SharedMatrix
  let softTargets: SharedMatrix
  private var labels: [Int32] = []
  private var rowsInUse = 0
  private var labelsInUse = 0

  /// - Parameters:
  ///   - segments: the segments that will be read, which determine the block's size.
  ///   - source: the source of the frames.
  ///   - normalizer: applied to every frame.
  ///   - margin: the context that each frame needs, as offsets.
  init(
    for segments: some Collection<Segment>, of source: any FrameSource,
    normalizer: FeatureNormalizer,
    margin: ClosedRange<Int>
  ) {
    (self.source, self.normalizer, self.margin) = (source, normalizer, margin)
    scale = normalizer.deviation.map { 1 / $0 }
    let frames = segments.reduce(0) { $0 + $1.frames.count }
    let rows = segments.reduce(0) { sum, segment in
      sum + FrameBlock.kept(segment, margin, of: source.frameCount(of: segment.utterance)).count
    }
    // Pages are used only as they are filled, so a block read ahead is no larger than what was
    // read.
    features = SharedMatrix(rows: rows, columns: source.columns)
    softTargets = SharedMatrix(
      rows: source.softColumns > 0 ? frames : 0, columns: source.softColumns)
    labels.reserveCapacity(frames)
    residents.reserveCapacity(segments.count)
  }

  /// The frames of a segment with its margin, within an utterance of `count` frames.
  private static func kept(
    _ segment: Segment, _ margin: ClosedRange<Int>, of count: Int
  ) -> Range<Int> {
    max(
      0, segment.frames.lowerBound + min(0, margin.lowerBound))..<min(
        count, segment.frames.upperBound + max(0, margin.upperBound))
  }

  /// The class ids of the frames of a segment, given its index in the block.
  func labels(of resident: Int) -> ArraySlice<Int32> {
    let own = residents[resident]
    let frames = own.segment.frames
    return labels[own.labelRow + frames.lowerBound..<own.labelRow + frames.upperBound]
  }

  /// Reads the next segment.
  func append(_ segment: Segment) throws(FileFault) {
    let count = source.frameCount(of: segment.utterance)
    let kept = FrameBlock.kept(segment, margin, of: count)
    let rows = rowsInUse..<rowsInUse + kept.count
    let tile = features.tile(rows: rows)
    try source.readFeatures(kept, of: segment.utterance, into: tile)
    for row in 0..<tile.rows {
      tile.withRow(row) { normalizer.apply(to: &$0, scale: scale) }
    }
    let own = try source.labels(segment.frames, of: segment.utterance)
    if softTargets.columns > 0 {
      try source.readSoftTargets(
        segment.frames, of: segment.utterance,
        into: softTargets.tile(rows: labelsInUse..<labelsInUse + own.count))
    }
    labels += own
    residents.append(
      Resident(
        segment: segment, utteranceFrames: count,
        featureRow: rows.lowerBound - kept.lowerBound,
        labelRow: labelsInUse - segment.frames.lowerBound))
    rowsInUse = rows.upperBound
    labelsInUse += own.count
  }
}
