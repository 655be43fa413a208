package import Features
package import Classes
import Audio

/// The step from an alignment to one class id a frame: the only place that does this arithmetic.
package struct FrameTargets: Sendable {
  /// The classes.
  package let inventory: ClassInventory
  /// The states that each label is split into, in equal times.
  package let states: Int
  /// How many frames an alignment may be longer or shorter than the features: the last label is then
  /// cut or repeated.
  package let lengthTolerance: Int
  /// How long a label may last that is not silence, in seconds; nil for any time.
  package let longestPhone: Double?

  /// - Parameters:
  ///   - inventory: the classes that targets are ids of.
  ///   - states: 1 leaves labels whole; for more, the inventory has `LABEL_1`, `LABEL_2` ….
  ///   - lengthTolerance: in frames, not negative.
  ///   - longestPhone: in seconds, positive.
  package init(
    inventory: ClassInventory, states: Int, lengthTolerance: Int, longestPhone: Double? = nil
  ) {
    precondition(
      states > 0 && lengthTolerance >= 0 && longestPhone ?? 1 > 0,
      "FrameTargets: \(states), \(lengthTolerance), \(longestPhone ?? 0)")
    (self.inventory, self.states, self.lengthTolerance) = (inventory, states, lengthTolerance)
    self.longestPhone = longestPhone
  }

  /// The class ids of the frames that spans cover: a frame takes the label at its centre.
  ///
  /// Times that differ by under 0.1 ms count as the same, since files round them; a centre on the border of
  /// two spans or states, to a millionth of a second, is in the later one, whatever unit a file counts in. A
  /// span that ends at infinity ends with the last frame.
  ///
  /// - Parameters:
  ///   - spans: their labels folded as the inventory has them.
  ///   - grid: where the frames lie.
  ///   - frames: how many there are.
  /// - Returns: an id for each frame whose centre lies before the end of the last span; so it may be more
  ///   or fewer than `frames`.
  /// - Throws: `AlignmentFault` for spans that go back, overlap, leave a frame's centre uncovered or last
  ///   too long, and for unknown labels.
  package func labels(
    of spans: [LabelSpan], grid: FrameGrid, frames: Int
  ) throws(AlignmentFault) -> [Int32] {
    for (span, next) in zip(spans, spans.dropFirst()) where next.start < span.start {
      throw .disorder(at: next.start, after: span.start)
    }
    var labels: [Int32] = []
    var last = LabelSpan(start: 0, end: 0, label: "")
    for var span in spans {
      guard span.start >= last.end - LabelSpan.tolerance else {
        throw .overlap(at: span.start, until: last.end)
      }
      if span.end == .infinity {
        let end = grid.centre(ofFrame: max(frames, labels.count))
        span = LabelSpan(start: span.start, end: max(span.start, end), label: span.label)
      }
      let ids = try ids(of: span)
      last = span
      guard span.end > span.start else { continue }
      while case let centre = grid.centre(ofFrame: labels.count), centre < span.end - onBorder {
        guard centre >= span.start - LabelSpan.tolerance else { throw .gap(at: centre) }
        let share = max(0, centre - span.start + onBorder) / (span.end - span.start)
        labels.append(ids[min(states - 1, Int(share * Double(states)))])
      }
    }
    return labels
  }

  /// How many of the first `frames` have their centre in a span.
  package func covered(by spans: [LabelSpan], grid: FrameGrid, frames: Int) -> Int {
    var (frame, count) = (0, 0)
    for span in spans {
      while frame < frames, case let centre = grid.centre(ofFrame: frame),
        centre < span.end - onBorder
      {
        if centre >= span.start - LabelSpan.tolerance { count += 1 }
        frame += 1
      }
    }
    return count
  }

  /// Cuts labels at the end, or repeats the last one, to have one a frame.
  ///
  /// - Returns: `frames` labels.
  package func fit(_ labels: [Int32], frames: Int) throws(AlignmentFault) -> [Int32] {
    guard abs(labels.count - frames) <= lengthTolerance, let last = labels.last else {
      throw .length(labels: labels.count, frames: frames, tolerance: lengthTolerance)
    }
    if labels.count >= frames { return Array(labels.prefix(frames)) }
    return labels + repeatElement(last, count: frames - labels.count)
  }
  /// The ids of a label's states.
  private func ids(of span: LabelSpan) throws(AlignmentFault) -> [Int32] {
    let ids = try ClassInventory.stateSymbols(of: span.label, states: states)
      .map { symbol throws(AlignmentFault) in
        guard let id = inventory.id(of: symbol) else { throw AlignmentFault.unknownSymbol(symbol) }
        return id
      }
    if let longestPhone, span.end - span.start > longestPhone + LabelSpan.tolerance,
      !Silence.contains(span.label)
    {
      throw .tooLong(
        label: span.label, at: span.start, seconds: span.end - span.start, limit: longestPhone)
    }
    return ids
  }
}

/// How near a border, in seconds, a centre is on it: far more than the rounding of sums of binary fractions,
/// far less than a sample.
private let onBorder = 1e-6
