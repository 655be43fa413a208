import Features
package import LinearAlgebra
package import Networks

/// How a network sees the frames of a batch: runs of frames that follow each other, side by side.
package struct BatchLayout: Sendable, Equatable {
  /// The frames that the first layer sees, from its own.
  let offsets: [Int]
  /// The frames of the first layer's output that decide on a frame, from the frame.
  let above: ClosedRange<Int>
  /// The frames of a run that are classified; 1 for a network whose layers but the first see one frame.
  let chunk: Int

  /// - Parameters:
  ///   - network: what will see the batches.
  ///   - chunk: the frames of a run that share the work of a time-delay network's layers; a feed-forward
  ///     network has none to share, and its frames go alone.
  package init(of network: AcousticNetwork, chunk: Int) {
    offsets = network.layers[0].offsets
    above = network.contextAboveInput
    self.chunk = above == 0...0 ? 1 : chunk
  }

  /// The frames that are needed around a frame.
  var margin: ClosedRange<Int> {
    above.lowerBound + (offsets.first ?? 0)...above.upperBound + (offsets.last ?? 0)
  }

  /// The rows of input for each run.
  var inputTimes: Int { chunk + above.upperBound - above.lowerBound }
}

/// Some frames as a network takes them, with what is wanted of them.
///
/// Rows are ordered by time first; see `AffineLayer`. The last run of an utterance may reach beyond its end:
/// there the last frame is repeated in the input, and the rows are no frames.
// @unchecked: one thread assigns it; then threads fill runs that are disjoint; then it is read alone.
package final class Batch: @unchecked Sendable {
  /// A row for each frame of the first layer's output.
  package let input: SharedMatrix
  /// How many runs go side by side.
  package private(set) var chunks = 0
  /// The class of each row of logits; see `FrameClass`.
  package private(set) var labels: [Int32] = []
  /// A distribution over the classes for each row of logits; one empty row when there are none.
  package let softTargets: SharedMatrix
  /// How many rows are frames.
  package private(set) var frameCount = 0

  init(inputs: Int, softColumns: Int) {
    input = SharedMatrix(rows: 0, columns: inputs)
    softTargets = SharedMatrix(rows: softColumns > 0 ? 0 : 1, columns: softColumns)
  }

  private var items: [(segment: Int, frames: Range<Int>)] = []
  private var block: FrameBlock?
  private var layout: BatchLayout?

  /// Decides which frames it has; they are then joined with their contexts by `fill`.
  ///
  /// - Parameters:
  ///   - items: the segment of each run in the block, and its frames of the utterance.
  ///   - block: holds all frames that are needed.
  ///   - plan: how the network sees them, and what they are learnt as.
  func assign(
    _ items: [(segment: Int, frames: Range<Int>)], from block: FrameBlock, plan: EpochPlan
  ) {
    let layout = plan.layout
    (self.items, self.block, self.layout) = (items, block, layout)
    chunks = items.count
    input.setRowCount(layout.inputTimes * chunks)
    let rows = layout.chunk * chunks
    if softTargets.columns > 0 { softTargets.setRowCount(rows) }
    labels = Array(repeating: FrameClass.none, count: rows)
    for (run, item) in items.enumerated() {
      let segment = block.residents[item.segment].segment
      let all = block.labels(of: item.segment)
      let start = all.startIndex - segment.frames.lowerBound
      let draw = plan.draw(item.frames, of: segment.utterance)
      for (time, frame) in item.frames.enumerated() {
        labels[time * chunks + run] = plan.learnt(all[start + frame], draw)
      }
    }
    frameCount = labels.count { $0 != FrameClass.none }
  }

  /// Lets go of the frames that it was filled from.
  func release() { block = nil }

  /// Into how many tasks the filling is cut, which threads may share.
  package var fillTasks: Int { (items.count + runsATask - 1) / runsATask }

  /// Writes the input and the soft targets of some runs.
  package func fill(_ task: Int) {
    guard let block, let layout else { return }
    let (features, given) = (block.features, block.softTargets)
    for run in task * runsATask..<min(items.count, (task + 1) * runsATask) {
      let item = items[run]
      let segment = block.residents[item.segment]
      for time in 0..<layout.inputTimes {
        input.withRow(time * chunks + run) {
          features.splice(
            item.frames.lowerBound + layout.above.lowerBound + time, at: layout.offsets,
            firstRow: segment.featureRow, count: segment.utteranceFrames, into: &$0)
        }
      }
      guard softTargets.columns > 0 else { continue }
      for (time, frame) in item.frames.enumerated() {
        softTargets.withRow(time * chunks + run) {
          RowKernels.copy(given.row(segment.labelRow + frame), into: &$0)
        }
      }
    }
  }
}

/// Runs of frames that one task fills.
private let runsATask = 16
