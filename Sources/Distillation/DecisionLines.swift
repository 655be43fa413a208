import Classes
import Corpus
import Features
import Storage

/// Decisions as lines of JSON, such as
/// `{"frame":12,"start":0.1275,"end":0.1375,"label":"AH_2","posterior":0.8312}`.
///
/// Times are in seconds, as `FrameGrid.seconds(ofFrames:)` says.
package struct DecisionLines: Sendable {
  private let grid: FrameGrid
  /// The label of each class, in quotes.
  private let labels: [String]
  /// The number of frames so far.
  private var frame = 0

  /// Lines of decisions on a recording, from its first frame.
  package init(_ classifier: FrameClassifier) {
    grid = classifier.features.grid
    labels = classifier.classes.symbols.map { JSONText.line($0) }
  }

  /// The lines of the next frames; empty without frames.
  package mutating func text(of decisions: FrameDecisions) -> String {
    var text = ""
    for (id, posterior) in zip(decisions.ids, decisions.posteriors) {
      let time = ScoredSpan(
        seconds: grid.seconds(ofFrames: frame..<frame + 1), label: "", posterior: 0
      ).microseconds
      text += """
        {"frame":\(frame),"start":\(ScoredSpan.text(ofMicroseconds: time.lowerBound)),\
        "end":\(ScoredSpan.text(ofMicroseconds: time.upperBound)),"label":\(labels[Int(id)]),\
        "posterior":\(posterior)}\n
        """
      frame += 1
    }
    return text
  }
}
