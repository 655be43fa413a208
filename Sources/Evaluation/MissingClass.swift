package import LinearAlgebra

/// How well a student knows a label whose frames it has not learnt from (Hinton, Vinyals and Dean 2015, §3).
package struct MissingClassScore: Sendable, Equatable, Codable {
  /// The accuracies of one system on the test set.
  package struct System: Sendable, Equatable, Codable {
    package let system: String
    /// Of the label's frames.
    package let ofLabel: AccuracyScore
    /// Of all frames.
    package let ofAll: AccuracyScore

    /// The accuracies of a system; nil when the label has no frame.
    ///
    /// - Parameters:
    ///   - system: its name.
    ///   - choices: the system's on each utterance.
    ///   - offset: added to the logits of the label's classes.
    ///   - bootstrap: made for as many utterances.
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

  package let label: String
  /// What is added to the logits of the label's classes, chosen by the accuracy of all development frames.
  package let offset: Double
  package let systems: [System]

  package init(label: String, offset: Double, systems: [System]) {
    (self.label, self.offset, self.systems) = (label, offset, systems)
  }
}

/// What a system chooses on the frames of one utterance as the logits of one label's classes are raised.
package struct LabelChoices: Sendable {
  /// One frame.
  private struct Frame {
    /// The offset above which the best of the label's classes is chosen, and below which the best of the
    /// others.
    let threshold: Float
    let isRightAbove: Bool
    let isRightBelow: Bool
    let isOfLabel: Bool
  }

  private let frames: [Frame]

  /// - Parameters:
  ///   - logits: frames × the model's classes.
  ///   - labels: the true ids, one a frame.
  ///   - own: the label's classes, neither none nor all.
  ///   - rules: what counts as right.
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

  /// The label's frames and all frames that are right with an offset.
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

  /// The offset with the most right frames, the one nearest to 0 of equals.
  ///
  /// - Parameter utterances: all that count.
  /// - Returns: 0, or the middle between two frames' thresholds, since nothing changes from one to the next, or
  ///   one beyond them all.
  package static func bestOffset(_ utterances: [LabelChoices]) -> Double {
    let frames = utterances.flatMap(\.frames).sorted { $0.threshold < $1.threshold }
    func rise(_ frame: Frame) -> Int { (frame.isRightAbove ? 1 : 0) - (frame.isRightBelow ? 1 : 0) }
    // How many more frames are right than below all thresholds: of no offset, below all, and in each gap.
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
