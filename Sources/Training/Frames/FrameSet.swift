package import Features
import Foundation
import LinearAlgebra
import Networks
package import Storage

/// Frames to train on or to score, which come in batches: shuffled for training, or in their order.
///
/// What fits in the pool is read once. Of a larger set, half a pool is in use while the other half is being
/// read, so that memory does not grow with the set: a frame takes four bytes for each feature, for its class,
/// and for each class of soft targets.
package struct FrameSet: Sendable {
  let source: any FrameSource
  package let normalizer: FeatureNormalizer
  /// The frames that are in memory at a time.
  package let pool: Int
  /// All frames, when they fit in the pool.
  private let resident: FrameBlock?
  private let segments: [Segment]
  /// Nil when all frames are learnt from.
  private var sampling: ClassSampling?
  /// The number of frames in the set.
  private let frameCount: Int
  /// The number of frames in a pass; of a sampled set as many as are expected.
  package var count: Int { sampling?.frames ?? frameCount }

  /// The longest run of frames that is read at a time; a multiple of every length of runs of a batch.
  private static let longestSegment = 2048

  /// - Parameters:
  ///   - source: at least one utterance.
  ///   - normalizer: applied to every frame.
  ///   - pool: how many frames may be in memory, at least 4,096.
  /// - Throws: `FileFault` when they fit in the pool and cannot be read.
  package init(
    _ source: any FrameSource, normalizer: FeatureNormalizer, pool: Int = .max
  ) throws(FileFault) {
    precondition(source.count > 0 && pool >= 4096, "FrameSet: \(source.count), \(pool)")
    (self.source, self.normalizer, self.pool) = (source, normalizer, pool)
    frameCount = source.frameCount
    let isResident = frameCount <= pool
    let longest = isResident ? Int.max : FrameSet.longestSegment
    segments = (0..<source.count).flatMap { utterance in
      let frames = source.frameCount(of: utterance)
      return stride(from: 0, to: frames, by: min(longest, frames)).map {
        Segment(utterance: utterance, frames: $0..<min(frames, $0 + min(longest, frames)))
      }
    }
    guard isResident else {
      resident = nil
      return
    }
    // Whole utterances need no frames around them.
    let block = FrameBlock(for: segments, of: source, normalizer: normalizer, margin: 0...0)
    for segment in segments { try block.append(segment) }
    resident = block
  }

  /// Frames that are in memory already.
  package init(_ source: FramesInMemory, normalizer: FeatureNormalizer) {
    do {
      try self.init(source, normalizer: normalizer, pool: .max)
    } catch {
      preconditionFailure("FrameSet: frames in memory cannot be read: \(error)")
    }
  }

  /// Whether all frames are in memory, once for all that train on them.
  var isResident: Bool { resident != nil }

  /// The same frames, in the same memory, of which each pass has a sample.
  ///
  /// - Parameter sampling: of classes that all frames of the set have.
  /// - Returns: a set whose passes have as many frames as `count` in the mean.
  package func sampled(by sampling: ClassSampling) -> FrameSet {
    var result = self
    result.sampling = sampling
    return result
  }

  /// How much memory the frames take, in words.
  package var memory: String {
    let bytes = Double(min(frameCount, pool) * 4 * (source.columns + 1 + source.softColumns)) / 1e9
    return isResident
      ? "\(frameCount) frames in memory, \(String(format: "%.2f GB", bytes))"
      : "\(frameCount) frames, \(pool) of them in memory at a time for each network in training, "
        + String(format: "%.2f GB", bytes)
  }

  /// In which order frames come.
  package enum Order: Sendable {
    /// As they stand in the set.
    case given
    /// At random, by (seed, epoch); frames of half a pool are mixed.
    case shuffled(seed: UInt64, epoch: Int)
  }

  /// A frame's place in an epoch: the block, and the batch within it.
  package struct Position: Sendable, Equatable, Codable {
    package var block = 0
    package var batch = 0

    package init() {}
  }

  /// The batches of one pass over the set.
  ///
  /// - Parameters:
  ///   - order: of the frames.
  ///   - layout: how the network sees them.
  ///   - batchSize: frames in a batch; the last one of a block may have fewer.
  /// - Returns: the plan; nothing is read yet.
  package func plan(_ order: Order, layout: BatchLayout, batchSize: Int) -> EpochPlan {
    var ordered = segments
    if case .shuffled(let seed, let epoch) = order, resident == nil {
      var generator = SeededGenerator(seed, RandomStream.order.rawValue, UInt64(epoch))
      ordered = generator.permutation(of: segments.count).map { segments[Int($0)] }
    }
    var blocks: [Range<Int>] = []
    var (start, frames) = (0, 0)
    for (index, segment) in ordered.enumerated() {
      if resident == nil, frames > 0, frames + segment.frames.count > pool / 2 {
        blocks.append(start..<index)
        (start, frames) = (index, 0)
      }
      frames += segment.frames.count
    }
    blocks.append(start..<ordered.count)
    return EpochPlan(
      set: self, resident: resident, order: order, sampling: sampling, segments: ordered,
      blocks: blocks, layout: layout, batchSize: batchSize)
  }
}
