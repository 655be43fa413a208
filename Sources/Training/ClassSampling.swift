import Foundation
import LinearAlgebra
import Networks

/// Which frames a network of some classes learns from, and as what: half of them of its own classes, half of all
/// others, drawn anew for each pass (Hinton, Vinyals and Dean 2015, §5.3).
///
/// Of whichever half there are fewer, all are taken. The others are drawn by runs of frames, those that a network
/// sees side by side; a run of a feed-forward network is one frame.
package struct ClassSampling: Sendable {
  /// What a frame of each class is learnt as.
  private let learnt: [Int32]
  private let isOwn: [Bool]
  private let seed: UInt64
  /// The share of its own classes among all frames, π.
  package let prior: Double
  /// How many frames a pass is expected to have.
  let frames: Int

  /// - Parameters:
  ///   - own: the ids of its own classes, not all of those that there are frames of.
  ///   - learnt: for each class, what its frames are learnt as.
  ///   - counts: the frames of each class; some are its own and some are not.
  ///   - seed: decides on the draws.
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

  /// What stands between a network's logits of its own classes and of all others after training, as seen from the
  /// frames as they are: `log((1 − π) / π)`, to be added to those of all others.
  package var correction: Double { log((1 - prior) / prior) }

  /// Which halves of a run are learnt from in one pass.
  struct Draw {
    fileprivate let own: Bool
    fileprivate let others: Bool
  }

  /// What a pass draws by.
  func key(ofEpoch epoch: Int) -> UInt64 {
    var generator = SeededGenerator(seed, RandomStream.sampling.rawValue, UInt64(epoch))
    return generator.next()
  }

  /// What a pass takes of a run of frames.
  ///
  /// - Parameters:
  ///   - key: of the pass.
  ///   - utterance: its index in the set.
  ///   - run: the frame where the run starts.
  /// - Returns: the same for the same arguments.
  func draw(_ key: UInt64, utterance: Int, run: Int) -> Draw {
    var generator = SeededGenerator(state: key ^ (UInt64(utterance) << 32 | UInt64(run)))
    let value = generator.uniform()
    return Draw(own: value < (1 - prior) / prior, others: value < prior / (1 - prior))
  }

  /// What a frame of a run is learnt as; `FrameClass.none` for not at all.
  func learnt(_ label: Int32, _ draw: Draw) -> Int32 {
    guard label >= 0, isOwn[Int(label)] ? draw.own : draw.others else { return FrameClass.none }
    return learnt[Int(label)]
  }
}
