import Foundation
import LinearAlgebra
import Networks

/// Samples the frames that a specialist learns from: half of its own classes, half of all others
/// (Hinton, Vinyals and Dean 2015, §5.3).
///
/// Every frame of the smaller half is used. The other half is sampled again for each pass, in whole
/// runs as in `BatchLayout`; a run of a feed-forward network is one frame.
package struct ClassSampling: Sendable {
  /// The class id that the frames of each class are learnt as.
  private let learnt: [Int32]
  private let isOwn: [Bool]
  private let seed: UInt64
  /// π, the share of the specialist's own classes among all frames.
  package let prior: Double
  /// The expected number of frames in a pass.
  let frames: Int

  /// - Parameters:
  ///   - own: the ids of the specialist's own classes.
  ///   - learnt: for each class, the class id that its frames are learnt as.
  ///   - counts: the number of frames in each class; both its own classes and the others must have
  ///     frames.
  ///   - seed: the seed of the draws.
  package init(own: [Int32], learnt: [Int32], counts: [Int], seed: UInt64) {
    precondition(
      learnt.count == counts.count, "ClassSampling: \(learnt.count) and \(counts.count) classes")
    (self.learnt, self.seed) = (learnt, seed)
    var isOwn = [Bool](repeating: false, count: counts.count)
    for id in own { isOwn[Int(id)] = true }
    self.isOwn = isOwn
    let ownFrames = own.reduce(0) { $0 + counts[Int($1)] }
    let all = counts.reduce(0, +)
    precondition(
      ownFrames > 0 && ownFrames < all, "ClassSampling: \(ownFrames) of \(all) frames are its own")
    prior = Double(ownFrames) / Double(all)
    frames = 2 * min(ownFrames, all - ownFrames)
  }

  /// The correction for sampling: `log((1 − π) / π)`, to be added after training to the logits of
  /// all classes that are not the specialist's own.
  package var correction: Double { log((1 - prior) / prior) }

  /// Which frames of a run are learnt from in one pass: those of its own classes, the others, or
  /// both.
  struct Draw {
    fileprivate let own: Bool
    fileprivate let others: Bool
  }

  /// The seed of all draws of a pass.
  func key(ofEpoch epoch: Int) -> UInt64 {
    var generator = SeededGenerator(seed, RandomStream.sampling.rawValue, UInt64(epoch))
    return generator.next()
  }

  /// Draws which frames of a run are learnt from in a pass.
  ///
  /// - Parameters:
  ///   - key: the pass's key.
  ///   - utterance: the index of the utterance in the set.
  ///   - run: the first frame of the run.
  /// - Returns: always the same draw for the same arguments.
  func draw(_ key: UInt64, utterance: Int, run: Int) -> Draw {
    var generator = SeededGenerator(state: key ^ (UInt64(utterance) << 32 | UInt64(run)))
    let value = generator.uniform()
    return Draw(own: value < (1 - prior) / prior, others: value < prior / (1 - prior))
  }

  /// The class id that a frame is learnt as; `FrameClass.none` when it is not learnt from.
  func learnt(_ label: Int32, _ draw: Draw) -> Int32 {
    guard label >= 0, isOwn[Int(label)] ? draw.own : draw.others else { return FrameClass.none }
    return learnt[Int(label)]
  }
}
