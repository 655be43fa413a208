import Features
package import LinearAlgebra
package import Networks

/// How the frames of a batch are laid out for a network: as parallel runs of consecutive frames.
package struct BatchLayout: Sendable, Equatable {
  /// The input frames of the first layer, relative to its output frame.
  let offsets: [Int]
  /// The output frames of the first layer that a frame's logits depend on, relative to that frame.
  let above: ClosedRange<Int>
  /// The number of frames in a run that are classified; 1 for a network in which only the first
  /// layer has context.
  let chunk: Int

  /// - Parameters:
  ///   - network: the network that will process the batches.
  ///   - chunk: the number of frames in a run, which share the work of a time-delay network's
  ///     layers. A feed-forward network has no work to share, so its runs have one frame.
  package init(of network: AcousticNetwork, chunk: Int) {
    offsets = network.layers[0].offsets
    above = network.contextAboveInput
    self.chunk = above == 0...0 ? 1 : chunk
  }

  /// The feature frames that a frame's logits depend on, relative to that frame.
  var margin: ClosedRange<Int> {
    above.lowerBound + (offsets.first ?? 0)...above.upperBound + (offsets.last ?? 0)
  }

  /// The number of input rows for each run.
  var inputTimes: Int { chunk + above.upperBound - above.lowerBound }
}

/// The input of a network for some frames, with their targets.
///
/// Rows are ordered by time first; see `AffineLayer`. The last run of an utterance may extend
/// beyond its end. There the last frame is repeated in the input, and the rows count as no frames.
// @unchecked: one thread assigns it, then threads fill disjoint runs, then it is only read.
package final class Batch: @unchecked Sendable {
  /// The spliced features, one row for each output frame of the first layer.
  package let input: SharedMatrix
  /// The number of parallel runs.
  package private(set) var chunks = 0
  /// The class id of each row of logits, or a value of `FrameClass`.
  package private(set) var labels: [Int32] = []
  /// The soft target of each row of logits; one empty row when there are none.
  package let softTargets: SharedMatrix
  /// The number of rows of logits that are frames to learn from or to score.
  package private(set) var frameCount = 0

  init(inputs: Int, softColumns: Int) {
    input = SharedMatrix(rows: 0, columns: inputs)
    softTargets = SharedMatrix(rows: softColumns > 0 ? 0 : 1, columns: softColumns)
  }

  private var items: [(segment: Int, frames: Range<Int>)] = []
  private var block: FrameBlock?
  private var layout: BatchLayout?

  /// Assigns frames to the batch; `fill` then splices them with their contexts.
  ///
  /// - Parameters:
  ///   - items: for each run, the index of its segment in the block, and its frames within the
  ///     utterance.
  ///   - block: contains all frames needed.
  ///   - plan: decides on the layout, and on the class that each frame is learnt as.
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

  /// Releases the block that the batch was filled from.
  func release() { block = nil }

  /// The number of tasks that filling is divided into; threads may run them in parallel.
  package var fillTasks: Int { (items.count + runsATask - 1) / runsATask }

  /// Writes the input and the soft targets of the runs of one task, an index below `fillTasks`.
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

/// The number of runs that one task fills.
private let runsATask = 16
