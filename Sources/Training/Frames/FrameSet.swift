package import Features
import Foundation
import LinearAlgebra
import Networks
package import Storage

/// A set of frames to train on or to score, in batches that are shuffled or in the given order.
///
/// A set that fits in the pool is read once. For a larger set, one half of the pool is in use while
/// the other half is read, so memory does not grow with the set. A frame takes four bytes for each
/// feature, for its class, and for each value of its soft target.
package struct FrameSet: Sendable {
  let source: any FrameSource
  /// The normaliser applied to every frame.
  package let normalizer: FeatureNormalizer
  /// The largest number of frames in memory at a time.
  package let pool: Int
  /// All frames, when they fit in the pool.
  private let resident: FrameBlock?
  private let segments: [Segment]
  /// Decides which frames each pass learns from; nil for all of them.
  private var sampling: ClassSampling?
  /// The number of frames in the set.
  private let frameCount: Int
  /// The number of frames in a pass; for a sampled set, the expected number.
  package var count: Int { sampling?.frames ?? frameCount }

  /// The largest number of frames in a segment; every valid `chunk` divides it.
  private static let longestSegment = 2048

  /// - Parameters:
  ///   - source: the frames, of at least one utterance.
  ///   - normalizer: applied to every frame.
  ///   - pool: the number of frames that may be in memory, at least 4,096.
  /// - Throws: `FileFault` when the frames fit in the pool but cannot be read.
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
    // Whole utterances have no frames around them.
    let block = FrameBlock(for: segments, of: source, normalizer: normalizer, margin: 0...0)
    for segment in segments { try block.append(segment) }
    resident = block
  }

  /// A set of frames that are already in memory.
  package init(_ source: FramesInMemory, normalizer: FeatureNormalizer) {
    do {
      try self.init(source, normalizer: normalizer, pool: .max)
    } catch {
      preconditionFailure("FrameSet: frames in memory cannot be read: \(error)")
    }
  }

  /// Whether all frames are in memory, where all trainings on the set share them.
  var isResident: Bool { resident != nil }

  /// The same frames in the same memory; each pass uses a sample of them.
  ///
  /// - Parameter sampling: made for the classes and the counts of this set.
  /// - Returns: a set whose passes have `count` frames on average.
  package func sampled(by sampling: ClassSampling) -> FrameSet {
    var result = self
    result.sampling = sampling
    return result
  }

  /// A line about the memory that the frames take, in units of 10⁹ bytes.
  package var memory: String {
    let bytes = Double(min(frameCount, pool) * 4 * (source.columns + 1 + source.softColumns)) / 1e9
    return isResident
      ? "\(frameCount) frames in memory, \(String(format: "%.2f GB", bytes))"
      : "\(frameCount) frames, \(pool) of them in memory at a time for each network in training, "
        + String(format: "%.2f GB", bytes)
  }

  /// The order of the frames in a pass.
  package enum Order: Sendable {
    /// The order of the source.
    case given
    /// A random order that (seed, epoch) determines.
    ///
    /// If the set does not fit in the pool, segments are shuffled first, and then the frames within
    /// each half pool.
    case shuffled(seed: UInt64, epoch: Int)
  }

  /// The place of a batch in a pass.
  package struct Position: Sendable, Equatable, Codable {
    /// The index of the block.
    package var block = 0
    /// The index of the batch within the block.
    package var batch = 0

    /// The start of a pass.
    package init() {}
  }

  /// Plans one pass over the set; nothing is read yet.
  ///
  /// - Parameters:
  ///   - order: the order of the frames.
  ///   - layout: the layout that the network needs.
  ///   - batchSize: the number of frames in a batch; the last batch of a block may have fewer.
  /// - Returns: the plan.
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
