package import LinearAlgebra

/// Computes the logits of consecutive frames whose input arrives in pieces.
///
/// Each layer keeps the rows that later outputs need. The pieces do not change a bit of the logits.
/// A row may be rounded by its position among the rows of a product, so products are made of whole
/// blocks of rows, counted from a layer's first row. A block that is not full when its first logits
/// are needed is computed again with the next rows, and its earlier rows get the same bits again.
package struct NetworkStream: ~Copyable {
  private let network: InferenceNetwork
  private let workers: Workers
  /// The number of rows in a block.
  private let rowsABlock: Int
  /// The memory of each thread for products in a reduced precision.
  private let scratch: [ReducedRows]
  /// The input of each layer, from the first up, then the logits.
  private var levels: [Level] = []

  /// The maximum number of rows of input per call of `push`.
  package let mostRows: Int

  /// The rows of a layer's input that are still needed.
  private struct Level {
    let values: SharedMatrix
    /// The number of further rows that an output sees after its first.
    let span: Int
    /// The index of the first row of `values`, counted from the start of the run.
    var first = 0
    /// The number of rows known so far, counted from the start of the run.
    var end = 0

    /// The number of outputs of the layer that can be computed.
    var outputs: Int { max(0, end - span) }

    /// Drops the rows that no later output sees, down to the start of a block of `rowsABlock`.
    mutating func drop(_ rowsABlock: Int) {
      let start = outputs / rowsABlock * rowsABlock
      values.moveToFront(start - first..<end - first)
      first = start
    }
  }

  /// - Parameters:
  ///   - network: the network.
  ///   - mostRows: the maximum number of rows of input per call of `push`, at least one.
  ///   - workers: the threads that share the work of each layer.
  package init(_ network: InferenceNetwork, mostRows: Int, workers: Workers) {
    precondition(mostRows > 0, "NetworkStream: at most \(mostRows) rows at a time")
    (self.network, self.mostRows, self.workers) = (network, mostRows, workers)
    rowsABlock = network.rowsABlock
    scratch = network.scratch(for: workers)
    var written = 0
    for (index, layer) in network.layers.enumerated() {
      // A row of input already holds all frames that the first layer sees.
      let span = index == 0 ? 0 : layer.affine.span
      let rows = blocks(holding: max(mostRows + rowsABlock - 1, layer.leastRows))
      levels.append(
        Level(
          values: SharedMatrix(
            rows: max(written + blocks(holding: span), rows + span),
            columns: index == 0 ? network.network.inputs : layer.affine.inputs),
          span: span))
      written = rows
    }
    levels.append(
      Level(values: SharedMatrix(rows: written, columns: network.network.classes), span: 0))
  }

  /// A stream in float32; the network's normalisation is folded into its weights.
  package init(_ network: AcousticNetwork, mostRows: Int, workers: Workers) {
    self.init(InferenceNetwork(network), mostRows: mostRows, workers: workers)
  }

  /// The number of rows in as many blocks as hold `rows`.
  private func blocks(holding rows: Int) -> Int {
    (rows + rowsABlock - 1) / rowsABlock * rowsABlock
  }

  /// Forgets all input; the next input starts another run of frames.
  package mutating func begin() {
    for index in levels.indices { (levels[index].first, levels[index].end) = (0, 0) }
  }

  /// Takes the next rows of input and appends the logits that have become known.
  ///
  /// - Parameters:
  ///   - count: the number of rows, at most `mostRows`.
  ///   - logits: a matrix of `classes` columns.
  ///   - fill: writes the row with an index in 0..<`count`.
  package mutating func push(
    _ count: Int, appendingTo logits: inout Matrix,
    fill: (_ index: Int, _ row: inout MutableSpan<Float>) -> Void
  ) {
    precondition(
      count >= 0 && count <= mostRows, "push: \(count) rows, expected at most \(mostRows)")
    let start = levels[0].end - levels[0].first
    for index in 0..<count { levels[0].values.withRow(start + index) { fill(index, &$0) } }
    if network.precision == .bfloat16 {
      levels[0].values.tile(rows: start..<start + count).roundToBFloat16()
    }
    levels[0].end += count
    let last = levels.count - 1
    let before = levels[last].end
    for index in network.layers.indices { compute(index) }
    let known = levels[last]
    logits.append(
      rows: known.values.values(ofRows: before - known.first..<known.end - known.first))
    levels[last].drop(rowsABlock)
  }

  /// Computes the outputs of a layer that have become known.
  private mutating func compute(_ index: Int) {
    let (layer, below, above) = (network.layers[index], levels[index], levels[index + 1])
    guard below.outputs > above.end else { return }
    // Rows computed again get the same bits; rows after the last are ignored.
    let start = below.first
    let count = blocks(holding: max(below.outputs - start, layer.leastRows))
    layer.compute(
      above.values.tile(rows: start - above.first..<start - above.first + count),
      of: below.values,
      rows: index == 0 ? [0..<count] : rowsSeen(at: layer.affine.offsets, rows: count, chunks: 1),
      workers: workers, scratch: scratch)
    levels[index + 1].end = below.outputs
    levels[index].drop(rowsABlock)
  }

  /// The number of values that the stream has memory for, however long the run is; four bytes of a
  /// reduced precision count as one value.
  package var storedValues: Int {
    levels.reduce(0) { $0 + $1.values.rows * $1.values.columns }
      + scratch.reduce(0) { $0 + $1.byteCount / 4 }
  }
}
