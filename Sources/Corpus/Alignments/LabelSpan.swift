import Storage

/// A label and the time it lasts, in seconds.
package struct LabelSpan: Sendable, Equatable {
  package let start: Double
  /// Not before the start; infinite for a label that lasts to the end of the audio.
  package let end: Double
  /// Without blanks at its ends; empty where a format has a span without a label.
  package let label: String

  package init(start: Double, end: Double, label: String) {
    (self.start, self.end, self.label) = (start, end, label)
  }

  /// A span whose times stand in a file as numbers of some unit; nil when they are none, or more than two
  /// days, which would be millions of frames.
  ///
  /// - Parameters:
  ///   - start: a number that is not negative.
  ///   - end: a number not below the start.
  ///   - unit: how many of the unit there are in a second.
  ///   - label: what is said.
  init?(start: Substring, end: Substring, unitsPerSecond unit: Double, label: Substring) {
    guard let start = LabelSpan.seconds(start, unitsPerSecond: unit),
      let end = LabelSpan.seconds(end, unitsPerSecond: unit), start <= end
    else { return nil }
    self.init(start: start, end: end, label: String(label))
  }

  /// A time that stands in a file, in seconds; nil when it is none, or more than two days.
  static func seconds(_ text: Substring, unitsPerSecond unit: Double = 1) -> Double? {
    text.decimal.flatMap { $0 >= 0 && $0 / unit < 172_800 ? $0 / unit : nil }
  }

  /// The part of it within a range of seconds, in time from the start of the range; nil when it has
  /// none.
  func cut(to seconds: ClosedRange<Double>) -> LabelSpan? {
    let (low, high) = (max(start, seconds.lowerBound), min(end, seconds.upperBound))
    guard low < high else { return nil }
    return LabelSpan(start: low - seconds.lowerBound, end: high - seconds.lowerBound, label: label)
  }
}

extension [LabelSpan] {
  /// Points in time as spans: a point's label lasts until the next point, the last one's until `end`.
  ///
  /// - Parameters:
  ///   - points: in the order of their times.
  ///   - end: in seconds, not before the last point; infinite for the end of the audio.
  init(points: [(time: Double, label: String)], end: Double) {
    self = points.indices.map { index in
      LabelSpan(
        start: points[index].time,
        end: index + 1 < points.count ? points[index + 1].time : end, label: points[index].label)
    }
  }

  /// The same with the boundary of spans that overlap by at most `seconds` put in the middle of that time.
  ///
  /// - Returns: the spans, and how many boundaries were put.
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

  /// The same with the times that no span covers, before, between and behind them, under a label.
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
  /// Times that differ by less count as the same, since files round them, in seconds.
  static let tolerance = 1e-4
}
