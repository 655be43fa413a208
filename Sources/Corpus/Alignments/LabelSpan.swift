import Storage

/// A label with its start and end, in seconds.
package struct LabelSpan: Sendable, Equatable {
  /// The start, from the beginning of the utterance or recording.
  package let start: Double
  /// The end, not before the start; infinite for a label that lasts to the end of the audio.
  package let end: Double
  /// The label, without white space around it; empty where a file has a span without a label.
  package let label: String

  /// A span of the given times, in seconds.
  package init(start: Double, end: Double, label: String) {
    (self.start, self.end, self.label) = (start, end, label)
  }

  /// A span whose times are given as text.
  ///
  /// Nil when a time is not a number, is negative or is two days or more, or when the end is before
  /// the start.
  ///
  /// - Parameters:
  ///   - start: the start.
  ///   - end: the end.
  ///   - unit: the number of time units in a second.
  ///   - label: the label, without white space around it.
  init?(start: Substring, end: Substring, unitsPerSecond unit: Double, label: Substring) {
    guard let start = LabelSpan.seconds(start, unitsPerSecond: unit),
      let end = LabelSpan.seconds(end, unitsPerSecond: unit), start <= end
    else { return nil }
    self.init(start: start, end: end, label: String(label))
  }

  /// A time given as text, in seconds; nil when it is not a number, is negative or is two days or
  /// more.
  static func seconds(_ text: Substring, unitsPerSecond unit: Double = 1) -> Double? {
    text.decimal.flatMap { $0 >= 0 && $0 / unit < 172_800 ? $0 / unit : nil }
  }

  /// The part of the span within a range of seconds, relative to the start of the range; nil when
  /// they do not overlap.
  func cut(to seconds: ClosedRange<Double>) -> LabelSpan? {
    let (low, high) = (max(start, seconds.lowerBound), min(end, seconds.upperBound))
    guard low < high else { return nil }
    return LabelSpan(start: low - seconds.lowerBound, end: high - seconds.lowerBound, label: label)
  }
}

extension [LabelSpan] {
  /// Turns points in time into spans: each label lasts until the next point, the last one until
  /// `end`.
  ///
  /// - Parameters:
  ///   - points: in time order.
  ///   - end: in seconds, not before the last point; infinite for the end of the audio.
  init(points: [(time: Double, label: String)], end: Double) {
    self = points.indices.map { index in
      LabelSpan(
        start: points[index].time,
        end: index + 1 < points.count ? points[index + 1].time : end, label: points[index].label)
    }
  }

  /// Removes overlaps of at most `seconds` by moving the boundary to the middle of the overlap.
  ///
  /// - Returns: the spans, and the number of boundaries moved.
  package func separated(upTo seconds: Double) -> (spans: [LabelSpan], count: Int) {
    var (result, count) = (self, 0)
    for index in indices.dropFirst() {
      let (last, next) = (result[index - 1], result[index])
      let overlap = last.end - next.start
      guard overlap > LabelSpan.tolerance, overlap <= seconds + LabelSpan.tolerance,
        last.start < next.start, last.end < next.end
      else { continue }
      let middle = next.start + overlap / 2
      result[index - 1] = LabelSpan(start: last.start, end: middle, label: last.label)
      result[index] = LabelSpan(start: middle, end: next.end, label: next.label)
      count += 1
    }
    return (result, count)
  }

  /// Fills the stretches before, between and after the spans with spans of the given label.
  package func filled(with label: String) -> [LabelSpan] {
    var result: [LabelSpan] = []
    var end = 0.0
    for span in self {
      if span.start > end + LabelSpan.tolerance {
        result.append(LabelSpan(start: end, end: span.start, label: label))
      }
      result.append(span)
      end = Swift.max(end, span.end)
    }
    if end < .infinity { result.append(LabelSpan(start: end, end: .infinity, label: label)) }
    return result
  }
}

extension LabelSpan {
  /// The difference, in seconds, within which times count as equal, since files round them.
  static let tolerance = 1e-4
}
