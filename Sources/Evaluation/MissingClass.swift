package import LinearAlgebra

/// How well a student classifies a label that its training frames omitted (Hinton, Vinyals and Dean
/// 2015, §3).
package struct MissingClassScore: Sendable, Equatable, Codable {
  /// The accuracies of one system on the test set.
  package struct System: Sendable, Equatable, Codable {
    /// The system's name.
    package let system: String
    /// The accuracy on the label's frames.
    package let ofLabel: AccuracyScore
    /// The accuracy on all frames.
    package let ofAll: AccuracyScore

    /// Computes the accuracies of a system; nil when the label has no frames.
    ///
    /// - Parameters:
    ///   - system: the system's name.
    ///   - choices: the system's choices on each utterance.
    ///   - offset: the value added to the logits of the label's classes.
    ///   - bootstrap: a bootstrap for those utterances.
    package init?(
      _ system: String, _ choices: [LabelChoices], offset: Double, _ bootstrap: Bootstrap
    ) {
      let tallies = choices.map { $0.tallies(offset: Float(offset)) }
      guard let own = AccuracyScore([tallies.map(\.ofLabel)], .all, bootstrap: bootstrap),
        let all = AccuracyScore([tallies.map(\.ofAll)], .all, bootstrap: bootstrap)
      else { return nil }
      (self.system, ofLabel, ofAll) = (system, own, all)
    }
  }

  /// The label that was omitted from training.
  package let label: String
  /// The value added to the logits of the label's classes, chosen by accuracy on all development
  /// frames.
  package let offset: Double
  /// The systems compared, in the order in which they were given.
  package let systems: [System]

  /// A score of the given parts.
  package init(label: String, offset: Double, systems: [System]) {
    (self.label, self.offset, self.systems) = (label, offset, systems)
  }
}

/// A system's choices on the frames of one utterance, as a function of an offset to one label's
/// logits.
package struct LabelChoices: Sendable {
  /// One frame.
  private struct Frame {
    /// The offset above which the best of the label's classes is chosen, and below which the best
    /// of the other classes.
    let threshold: Float
    let isRightAbove: Bool
    let isRightBelow: Bool
    let isOfLabel: Bool
  }

  private let frames: [Frame]

  /// - Parameters:
  ///   - logits: [frames × classes].
  ///   - labels: the true class id of each frame.
  ///   - own: the ids of the label's classes; at least one, and not all.
  ///   - rules: the rules of scoring.
  package init(_ logits: Matrix, labels: [Int32], own: Set<Int32>, by rules: ScoringRules) {
    frames = labels.enumerated().map { row, truth in
      let values = logits.row(row)
      var (inside, outside) = (-1, -1)
      for index in values.indices {
        if own.contains(Int32(index)) {
          if inside < 0 || values[index] > values[inside] { inside = index }
        } else if outside < 0 || values[index] > values[outside] {
          outside = index
        }
      }
      return Frame(
        threshold: values[outside] - values[inside], isRightAbove: rules.isRight(inside, truth),
        isRightBelow: rules.isRight(outside, truth), isOfLabel: own.contains(truth))
    }
  }

  /// Counts the correct frames at an offset, among the label's frames and among all frames.
  func tallies(offset: Float) -> (ofLabel: FrameTally, ofAll: FrameTally) {
    var (own, all) = (FrameTally(), FrameTally())
    for frame in frames {
      let right = (offset > frame.threshold ? frame.isRightAbove : frame.isRightBelow) ? 1 : 0
      all.frames += 1
      all.correct += right
      guard frame.isOfLabel else { continue }
      own.frames += 1
      own.correct += right
    }
    return (own, all)
  }

  /// The offset with the most correct frames; the one nearest to 0 in case of ties.
  ///
  /// Nothing changes between two adjacent thresholds, so only one offset is tried in each gap.
  ///
  /// - Parameter utterances: the choices on all utterances that count.
  /// - Returns: 0, the midpoint between two adjacent thresholds, or a value 1 beyond all
  ///   thresholds.
  package static func bestOffset(_ utterances: [LabelChoices]) -> Double {
    let frames = utterances.flatMap(\.frames).sorted { $0.threshold < $1.threshold }
    func rise(_ frame: Frame) -> Int { (frame.isRightAbove ? 1 : 0) - (frame.isRightBelow ? 1 : 0) }
    // The number of correct frames relative to an offset below all thresholds: at 0, below all, in
    // each gap.
    var (best, most) = (0.0, frames.reduce(0) { $0 + ($1.threshold < 0 ? rise($1) : 0) })
    if let first = frames.first, most < 0 { (best, most) = (Double(first.threshold) - 1, 0) }
    var right = 0
    for (index, frame) in frames.enumerated() {
      right += rise(frame)
      let next = index + 1 < frames.count ? frames[index + 1].threshold : frame.threshold + 2
      let offset = Double(frame.threshold + next) / 2
      guard next > frame.threshold, right >= most else { continue }
      if right > most || abs(offset) < abs(best) { (best, most) = (offset, right) }
    }
    return best
  }
}
