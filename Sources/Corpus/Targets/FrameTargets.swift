package import Features
package import Classes
import Audio

/// Turns an alignment into one class id per frame; no other code does this arithmetic.
package struct FrameTargets: Sendable {
  /// The classes.
  package let inventory: ClassInventory
  /// The number of states of equal duration that each label is split into.
  package let states: Int
  /// By how many frames an alignment may be longer or shorter than the features.
  ///
  /// Within the tolerance, labels are cut at the end or the last one is repeated.
  package let lengthTolerance: Int
  /// The longest duration, in seconds, of a label other than silence; nil for no limit.
  package let longestPhone: Double?

  /// - Parameters:
  ///   - inventory: the classes whose ids are the targets.
  ///   - states: 1 leaves labels whole; for more, the inventory must have `LABEL_1`, `LABEL_2`, ….
  ///   - lengthTolerance: in frames, not negative.
  ///   - longestPhone: in seconds, positive; nil for no limit.
  package init(
    inventory: ClassInventory, states: Int, lengthTolerance: Int, longestPhone: Double? = nil
  ) {
    precondition(
      states > 0 && lengthTolerance >= 0 && longestPhone ?? 1 > 0,
      "FrameTargets: \(states), \(lengthTolerance), \(longestPhone ?? 0)")
    (self.inventory, self.states, self.lengthTolerance) = (inventory, states, lengthTolerance)
    self.longestPhone = longestPhone
  }

  /// The class ids of the frames that spans cover: each frame takes the label at its centre.
  ///
  /// Times that differ by less than 0.1 ms count as equal, since files round them. A centre within
  /// a microsecond of the boundary between two spans or states belongs to the later one, whatever
  /// the file's unit of time. A span that ends at infinity ends with the last frame.
  ///
  /// - Parameters:
  ///   - spans: the labels, already folded to those of the inventory.
  ///   - grid: the times of the frames.
  ///   - frames: the number of feature frames.
  /// - Returns: one id for each frame whose centre is before the end of the last span, which may be
  ///   more or fewer than `frames`.
  /// - Throws: `AlignmentFault` when spans are out of order, overlap, leave a frame's centre
  ///   uncovered or last too long, or when a label is unknown.
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

  /// The number of frames, among the first `frames`, whose centre a span covers.
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

  /// Cuts labels at the end, or repeats the last one, so that each frame has one.
  ///
  /// - Returns: `frames` labels.
  /// - Throws: `AlignmentFault.length` when that would exceed the tolerance, or there are no
  ///   labels.
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

/// The distance in seconds within which a centre counts as on a boundary: far more than the
/// rounding error of sums of binary fractions, far less than a sample.
private let onBorder = 1e-6
