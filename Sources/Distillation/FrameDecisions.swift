package import Classes
package import Corpus
package import Features
package import LinearAlgebra

/// The most probable class of each frame of an utterance.
package struct FrameDecisions: Sendable, Equatable {
  /// The class ids; the lowest in case of ties, as in scores.
  package private(set) var ids: [Int32] = []
  /// The posteriors of these classes.
  package private(set) var posteriors: [Float] = []

  /// No frames.
  package init() {}

  /// Adds frames.
  ///
  /// - Parameter distributions: [frames × classes].
  package mutating func append(_ distributions: Matrix) {
    let best = distributions.largestColumns()
    for (frame, id) in best.enumerated() { posteriors.append(distributions[frame, Int(id)]) }
    ids += best
  }

  /// Runs of the same class, as spans that touch.
  ///
  /// A frame stands for the time that `FrameGrid.seconds(ofFrames:)` says, so that frame targets
  /// made from the spans are the same classes again. The first span starts at 0.
  ///
  /// - Parameters:
  ///   - classes: the names of the classes.
  ///   - grid: the times of the frames.
  /// - Returns: the spans in order of time, with the mean of their frames' posteriors.
  package func spans(_ classes: ClassInventory, _ grid: FrameGrid) -> [ScoredSpan] {
    var spans: [ScoredSpan] = []
    var first = 0
    for end in ids.indices.map({ $0 + 1 }) where end == ids.count || ids[end] != ids[first] {
      let time = grid.seconds(ofFrames: first..<end)
      let sum = posteriors[first..<end].reduce(0) { $0 + Double($1) }
      spans.append(
        ScoredSpan(
          seconds: (first == 0 ? 0 : time.lowerBound)..<time.upperBound,
          label: classes.symbols[Int(ids[first])], posterior: sum / Double(end - first)))
      first = end
    }
    return spans
  }
}
