import Features
package import LinearAlgebra
import Networks

/// Computes the logits of utterances whose frames arrive in pieces.
///
/// The pieces do not change a bit of the result; `AcousticModel.logits` is this with one piece.
/// Beyond the edges of an utterance its first or last frame is repeated.
package struct LogitStream: ~Copyable {
  private let normalizer: FeatureNormalizer
  private let scale: [Float]
  /// The time offsets of the first layer.
  private let offsets: [Int]
  /// The outputs of the first layer that a frame's logits need, relative to the frame.
  private let above: ClosedRange<Int>
  /// How many frames after a time are needed before the first layer's output of that time is
  /// computed.
  private let lookahead: Int

  private var network: NetworkStream
  /// Frames that later outputs still need, normalised.
  private let frames: SharedMatrix
  /// The index in the utterance of the first row of `frames`.
  private var firstFrame = 0
  /// The number of frames of the utterance so far.
  private var frameCount = 0
  /// The time of the first layer's next output.
  ///
  /// It starts below 0 when logits need outputs from before the utterance.
  private var nextTime: Int

  /// A stream at the start of an utterance.
  ///
  /// - Parameters:
  ///   - model: the model to apply.
  ///   - mostFrames: how many frames are computed at a time: more are faster, fewer need less
  ///     memory.
  ///   - workers: the threads that share the columns of each layer.
  package init(_ model: AcousticModel, mostFrames: Int, workers: Workers = .one) {
    normalizer = model.normalizer
    scale = normalizer.deviation.map { 1 / $0 }
    offsets = model.network.layers[0].offsets
    above = model.network.contextAboveInput
    // A frame's logits wait for the frame itself, even if they depend only on earlier frames.
    lookahead = max(offsets.last ?? 0, -above.upperBound)
    nextTime = above.lowerBound
    network = NetworkStream(model.inference, mostRows: mostFrames, workers: workers)
    let kept = max(1, lookahead - min(0, offsets.first ?? 0))
    frames = SharedMatrix(rows: kept + mostFrames, columns: model.features.columns)
  }

  /// Takes the next frames and appends the logits that have become known.
  ///
  /// - Parameters:
  ///   - features: [frames × `features.columns`], computed with the model's feature options before
  ///     `normalizer` is applied.
  ///   - isLast: whether they end the utterance. All its logits are then appended, and the next
  ///     frames start another utterance.
  ///   - logits: a matrix with one column per class.
  package mutating func push(
    _ features: Matrix, isLast: Bool = false, appendingTo logits: inout Matrix
  ) {
    var row = 0
    repeat {
      let end = min(features.rows, row + network.mostRows)
      for index in row..<end { keep(features.row(index)) }
      row = end
      let isAll = isLast && row == features.rows
      compute(to: frameCount + (isAll ? above.upperBound : -lookahead), appendingTo: &logits)
    } while row < features.rows
    if isLast { begin() }
  }

  /// Abandons the utterance; the next frames start another one.
  package mutating func begin() {
    network.begin()
    (firstFrame, frameCount, nextTime) = (0, 0, above.lowerBound)
  }

  private mutating func keep(_ frame: Span<Float>) {
    frames.withRow(frameCount - firstFrame) { row in
      RowKernels.copy(frame, into: &row)
      normalizer.apply(to: &row, scale: scale)
    }
    frameCount += 1
  }

  /// Computes the first layer's outputs up to, not including, `end`, and all layers above.
  private mutating func compute(to end: Int, appendingTo logits: inout Matrix) {
    guard frameCount > 0 else { return }
    while nextTime < end {
      let count = min(end - nextTime, network.mostRows)
      let (time, firstRow, frameCount) = (nextTime, -firstFrame, frameCount)
      network.push(count, appendingTo: &logits) { [frames, offsets] index, row in
        frames.splice(time + index, at: offsets, firstRow: firstRow, count: frameCount, into: &row)
      }
      nextTime += count
    }
    let needed = max(firstFrame, min(nextTime + (offsets.first ?? 0), frameCount - 1))
    frames.moveToFront(needed - firstFrame..<frameCount - firstFrame)
    firstFrame = needed
  }

  /// The number of values that the stream has memory for, however long an utterance is.
  package var storedValues: Int { network.storedValues + frames.rows * frames.columns }
}
