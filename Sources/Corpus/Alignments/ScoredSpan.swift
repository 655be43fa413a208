import Foundation

/// A label with its times and the posterior that a classifier gives it.
package struct ScoredSpan: Sendable, Equatable {
  /// The start and the end in microseconds, from the beginning of the utterance.
  package let microseconds: Range<Int>
  /// The label: a symbol without white space.
  package let label: String
  /// The mean posterior of the label over its frames, in [0, 1].
  package let posterior: Double

  /// A span whose times, in seconds, are rounded to microseconds.
  package init(seconds: Range<Double>, label: String, posterior: Double) {
    func rounded(_ time: Double) -> Int { Int((1e6 * time).rounded()) }
    microseconds = rounded(seconds.lowerBound)..<rounded(seconds.upperBound)
    (self.label, self.posterior) = (label, posterior)
  }

  /// A time as text in seconds, exact, with at least two decimals.
  ///
  /// - Parameter microseconds: not negative.
  /// - Returns: such as `0.0175` or `1.30`.
  package static func text(ofMicroseconds microseconds: Int) -> String {
    var text = String(format: "%d.%06d", microseconds / 1_000_000, microseconds % 1_000_000)
    let end = text.utf8.count - 4
    while text.utf8.count > end, text.hasSuffix("0") { text.removeLast() }
    return text
  }
}

extension [ScoredSpan] {
  /// The lines of an utterance in NIST's CTM format, as `CTMReader` reads it.
  ///
  /// A line is `UTTERANCE 1 START DURATION LABEL POSTERIOR`, with times in seconds. An end, START
  /// plus DURATION, is exactly the next span's start if the spans touch.
  ///
  /// - Parameter utterance: the utterance id, without white space and not starting with `;;`, which
  ///   would be a comment.
  /// - Returns: a line for each span.
  package func ctm(of utterance: String) -> String {
    map { span in
      let start = ScoredSpan.text(ofMicroseconds: span.microseconds.lowerBound)
      let duration = ScoredSpan.text(ofMicroseconds: span.microseconds.count)
      let posterior = String(format: "%.4f", span.posterior)
      return "\(utterance) 1 \(start) \(duration) \(span.label) \(posterior)\n"
    }.joined()
  }

  /// A TextGrid with one interval tier, in Praat's long text form.
  ///
  /// - Parameter tier: the tier's name.
  /// - Returns: the text of the file.
  package func textGrid(tier: String) -> String {
    func quoted(_ text: String) -> String { "\"\(text.replacing("\"", with: "\"\""))\"" }
    let start = ScoredSpan.text(ofMicroseconds: first?.microseconds.lowerBound ?? 0)
    let end = ScoredSpan.text(ofMicroseconds: last?.microseconds.upperBound ?? 0)
    var text = """
      File type = "ooTextFile"
      Object class = "TextGrid"

      xmin = \(start)
      xmax = \(end)
      tiers? <exists>
      size = 1
      item []:
          item [1]:
              class = "IntervalTier"
              name = \(quoted(tier))
              xmin = \(start)
              xmax = \(end)
              intervals: size = \(count)

      """
    for (number, span) in enumerated() {
      text += """
                intervals [\(number + 1)]:
                    xmin = \(ScoredSpan.text(ofMicroseconds: span.microseconds.lowerBound))
                    xmax = \(ScoredSpan.text(ofMicroseconds: span.microseconds.upperBound))
                    text = \(quoted(span.label))

        """
    }
    return text
  }
}
