import LinearAlgebra

/// The loss of each row of a batch, and whether the true class has the largest logit.
struct RowTally: Sendable {
  /// For each row: the loss, 1 if it is correct, and 1 if its class is known.
  private let rows = SharedMatrix(rows: 0, columns: 3)

  mutating func setRowCount(_ count: Int) { rows.setRowCount(count) }

  /// Records a row, and replaces its logits with the gradient of its loss times `scale`.
  ///
  /// The gradient is zero for a row that is not a frame.
  func count(
    _ row: Int, _ logits: inout MutableSpan<Float>, of batch: Batch,
    _ objective: some TrainingObjective, scale: Float
  ) {
    let label = batch.labels[row]
    var (loss, correct): (Float, Float) = (0, 0)
    if label == FrameClass.none {
      RowKernels.scale(&logits, by: 0)
    } else {
      if label >= 0 {
        // Among equal logits the first wins; a logit that is not a number counts as wrong.
        let own = logits[Int(label)]
        if own == RowKernels.maximum(logits) {
          correct = (0..<Int(label)).contains { logits[$0] == own } ? 0 : 1
        }
      }
      let targets = batch.softTargets
      loss = objective.replaceByGradient(
        &logits, label: label, softTarget: targets.row(targets.columns > 0 ? row : 0), scale: scale)
    }
    rows.withRow(row) { values in
      values[0] = loss
      values[1] = correct
      values[2] = label >= 0 ? 1 : 0
    }
  }

  /// Adds the rows to the sums, in order.
  ///
  /// - Returns: the sum of the losses.
  @discardableResult
  func add(to sums: inout TrainingProgress.Sums, frames: Int) -> Double {
    var loss = 0.0
    let values = rows.values
    for row in 0..<rows.rows {
      loss += Double(values[3 * row])
      sums.correct += Int(values[3 * row + 1])
      sums.labelled += Int(values[3 * row + 2])
    }
    sums.loss += loss
    sums.frames += frames
    return loss
  }
}
