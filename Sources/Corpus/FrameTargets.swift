package import Audio
package import Storage

/// Why an utterance's alignment cannot become frame targets.
package enum AlignmentFault: Fault, Equatable {
  case missing
  case unknownSymbol(String)
  /// Spans overlap or go backwards; times in seconds.
  case disorder(at: Double, after: Double)
  /// No span covers the time in seconds.
  case gap(at: Double)
  case length(labels: Int, frames: Int, tolerance: Int)

  package var exitStatus: ExitStatus { .data }

  package var description: String {
    switch self {
    case .missing: "no alignment"
    case .unknownSymbol(let symbol): "expected a symbol of the class inventory, found \(symbol)"
    case .disorder(let at, let after):
      "a label starts at \(at) s, before the last one ends, \(after) s"
    case .gap(let at): "no label at \(at) s"
    case .length(let labels, let frames, let tolerance):
      "\(labels) labels for \(frames) frames, a difference of more than \(tolerance)"
    }
  }
}

/// The step from an alignment to one class id a frame.
package struct FrameTargets: Sendable {
  /// The classes.
  package let inventory: ClassInventory
  /// The states that a phone of a source with phones alone is split into, in equal times.
  package let states: Int
  /// How many frames an alignment may be longer or shorter than the features: the last label is then
  /// cut or repeated.
  package let lengthTolerance: Int

  /// - Parameters:
  ///   - inventory: the classes that targets are ids of.
  ///   - states: 1 leaves phones whole; for more, the inventory has `PHONE_1`, `PHONE_2` ….
  ///   - lengthTolerance: in frames, not negative.
  package init(inventory: ClassInventory, states: Int, lengthTolerance: Int) {
    precondition(states > 0 && lengthTolerance >= 0, "FrameTargets: \(states), \(lengthTolerance)")
    (self.inventory, self.states, self.lengthTolerance) = (inventory, states, lengthTolerance)
  }

  /// The labels of the frames that spans cover: a frame takes the label at its centre.
  ///
  /// Times that differ by under 0.1 ms count as the same, since files round them.
  package func labels(of spans: [LabelSpan], grid: FrameGrid) throws(AlignmentFault) -> [Int32] {
    var labels: [Int32] = []
    var end = 0.0
    for span in spans {
      guard span.start >= end - timeTolerance else {
        throw .disorder(at: span.start, after: end)
      }
      let phone = try ids(of: span.label)
      guard span.end > span.start else { continue }
      while case let centre = grid.centre(ofFrame: labels.count), centre < span.end {
        guard centre >= span.start - timeTolerance else { throw .gap(at: centre) }
        let share = max(0, centre - span.start) / (span.end - span.start)
        labels.append(phone[min(states - 1, Int(share * Double(states)))])
      }
      end = span.end
    }
    return labels
  }

  /// The ids of labels that already stand one a frame.
  package func labels(of symbols: [String]) throws(AlignmentFault) -> [Int32] {
    try symbols.map { symbol throws(AlignmentFault) in
      guard let id = inventory.id(of: symbol) else { throw .unknownSymbol(symbol) }
      return id
    }
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

  /// The symbols of a phone's states; the phone itself when there is one state.
  package static func stateSymbols(of phone: String, states: Int) -> [String] {
    states == 1 ? [phone] : (1...states).map { "\(phone)_\($0)" }
  }

  private func ids(of phone: String) throws(AlignmentFault) -> [Int32] {
    try labels(of: FrameTargets.stateSymbols(of: phone, states: states))
  }
}

private let timeTolerance = 1e-4
