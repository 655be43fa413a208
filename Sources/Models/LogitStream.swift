import Features
package import LinearAlgebra
import Networks

/// The logits of utterances whose frames come in pieces.
///
/// They do not depend on the pieces, to the bit: `AcousticModel.logits` is this with one piece. Beyond the edges of an
/// utterance its first or last frame is repeated.
package struct LogitStream: ~Copyable {
  private let normalizer: FeatureNormalizer
  private let scale: [Float]
  /// The frames that the first layer sees, and those of its outputs that a frame's logits need.
  private let offsets: [Int]
  private let above: ClosedRange<Int>
  /// How many frames behind one must be there before the first layer's output of its time is computed.
  private let lookahead: Int

  private var network: NetworkStream
  /// Frames that outputs to come see, normalised.
  private let frames: SharedMatrix
  /// The frame that is the first of `frames`.
  private var firstFrame = 0
  /// The frames of the utterance so far.
  private var frameCount = 0
  /// The time of the first layer's next output; below 0 where logits need what it would be before the utterance.
  private var nextTime: Int

  /// - Parameters:
  ///   - model: whose logits they are.
  ///   - mostFrames: how many are taken at a time: more for speed, fewer for less memory.
  ///   - workers: share the columns of each layer.
  package init(_ model: AcousticModel, mostFrames: Int, workers: Workers = .one) {
    normalizer = model.normalizer
    scale = normalizer.deviation.map { 1 / $0 }
    offsets = model.network.layers[0].offsets
    above = model.network.contextAboveInput
    // No frame has its logits before it is there, even where only earlier ones decide on them.
    lookahead = max(offsets.last ?? 0, -above.upperBound)
    nextTime = above.lowerBound
    network = NetworkStream(model.network, mostRows: mostFrames, workers: workers)
    let kept = max(1, lookahead - min(0, offsets.first ?? 0))
    frames = SharedMatrix(rows: kept + mostFrames, columns: model.features.columns)
  }

  /// Takes the next frames and appends the logits that are known with them.
  ///
  /// - Parameters:
  ///   - features: frames × `features.columns`, made with the model's feature options, not normalised.
  ///   - isLast: whether the utterance ends with them; all its logits are then known, and the next frames are those of
  ///     another.
  ///   - logits: a matrix with a column for each class.
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

  /// Forgets the utterance: the next frames are those of another.
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

  /// Computes the first layer's outputs before a time, and all that follows of them.
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

  /// The values that it has memory for; it takes no more, however long an utterance is.
  package var storedValues: Int { network.storedValues + frames.rows * frames.columns }
}
