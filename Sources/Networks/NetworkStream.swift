package import LinearAlgebra

/// Computes the logits of consecutive frames whose input arrives in pieces.
///
/// Each layer keeps the rows that later outputs need. The pieces do not change a bit of the logits.
/// `sgemm` rounds a row by its position among the rows of a product, so products are made of whole
/// blocks of rows, counted from a layer's first row. A block that is not full when its first logits
/// are needed is computed again with the next rows, and its earlier rows get the same bits again.
package struct NetworkStream: ~Copyable {
  private let network: AcousticNetwork
  private let workers: Workers
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

    /// Drops the rows that no later output sees, down to the start of a block.
    mutating func drop() {
      let start = firstOfBlock(outputs)
      values.moveToFront(start - first..<end - first)
      first = start
    }
  }

  /// - Parameters:
  ///   - network: the network; its normalisation is folded into its weights.
  ///   - mostRows: the maximum number of rows of input per call of `push`, at least one.
  ///   - workers: the threads that share the columns of each layer.
  package init(_ network: AcousticNetwork, mostRows: Int, workers: Workers) {
    precondition(mostRows > 0, "NetworkStream: at most \(mostRows) rows at a time")
    self.network = network.folded
    (self.mostRows, self.workers) = (mostRows, workers)
    var written = 0
    for (index, layer) in self.network.layers.enumerated() {
      // A row of input already holds all frames that the first layer sees.
      let span = index == 0 ? 0 : layer.span
      let rows = blocks(atLeast: mostRows + rowsABlock - 1, of: layer)
      levels.append(
        Level(
          values: SharedMatrix(
            rows: max(written + blocks(holding: span), rows + span),
            columns: index == 0 ? network.inputs : layer.inputs),
          span: span))
      written = rows
    }
    levels.append(
      Level(values: SharedMatrix(rows: written, columns: network.classes), span: 0))
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
    levels[0].end += count
    let last = levels.count - 1
    let before = levels[last].end
    for index in network.layers.indices { compute(index) }
    let known = levels[last]
    logits.append(
      rows: known.values.values(ofRows: before - known.first..<known.end - known.first))
    levels[last].drop()
  }

  /// Computes the outputs of a layer that have become known.
  private mutating func compute(_ index: Int) {
    let (layer, below, above) = (network.layers[index], levels[index], levels[index + 1])
    guard below.outputs > above.end else { return }
    // Rows computed again get the same bits; rows after the last are ignored.
    let start = below.first
    let count = blocks(atLeast: below.outputs - start, of: layer)
    layer.compute(
      above.values.tile(rows: start - above.first..<start - above.first + count),
      of: below.values,
      rows: index == 0 ? [0..<count] : rowsSeen(at: layer.offsets, rows: count, chunks: 1),
      isLast: index == network.layers.count - 1, workers: workers)
    levels[index + 1].end = below.outputs
    levels[index].drop()
  }

  /// The number of values that the stream has memory for, however long the run is.
  package var storedValues: Int {
    levels.reduce(0) { $0 + $1.values.rows * $1.values.columns }
  }
}

/// The number of rows in a block.
///
/// It is a multiple of how many rows each of OpenBLAS's kernels takes at a time (0.3.21: 12 with
/// AVX2, 8 with SSE4.2, 4 or 2 with others), so a row's position in a kernel follows from its
/// position in its block.
private let rowsABlock = 24

/// The number of outputs of the smallest product.
///
/// For products of up to 1,200 outputs, OpenBLAS may use kernels that round differently
/// (`kernel/x86_64/sgemm_small_kernel_permit_skylakex.c`).
private let leastOutputs = 1201

/// The first row of the block that contains a row.
private func firstOfBlock(_ row: Int) -> Int { row / rowsABlock * rowsABlock }

/// The number of rows in as many blocks as hold `rows`.
private func blocks(holding rows: Int) -> Int { firstOfBlock(rows + rowsABlock - 1) }

/// The number of rows of a layer's outputs to compute when at least `rows` are needed.
private func blocks(atLeast rows: Int, of layer: AffineLayer) -> Int {
  let narrowest = columnTiles(layer.weights.rows).reduce(Int.max) { min($0, $1.count) }
  return blocks(holding: max(rows, (leastOutputs + narrowest - 1) / narrowest))
}
