package import LinearAlgebra

/// The logits of a run of frames whose input comes in pieces.
///
/// Each layer keeps the rows that outputs to come need. How the input is cut does not change a bit of the logits:
/// `sgemm` rounds a row by its place among the rows of a product, so products have whole blocks of rows, counted
/// from a layer's first row on. A block that is not full when its first logits are asked for is computed again with
/// the next rows, which gives those of before the same bits.
package struct NetworkStream: ~Copyable {
  private let network: AcousticNetwork
  private let workers: Workers
  /// What each layer sees, from the first up, and the logits.
  private var levels: [Level] = []

  /// The most rows of input that are taken at a time.
  package let mostRows: Int

  /// Rows of a layer's outputs that are still needed.
  private struct Level {
    let values: SharedMatrix
    /// The rows that an output sees beside the first of them.
    let span: Int
    /// The row, counted from the layer's first, that is the first of `values`.
    var first = 0
    /// The rows that are known, counted from the layer's first.
    var end = 0

    /// How many outputs of the layer above can be computed.
    var outputs: Int { max(0, end - span) }

    /// Forgets the rows that no output to come sees, up to the border of a block.
    mutating func drop() {
      let start = firstOfBlock(outputs)
      values.moveToFront(start - first..<end - first)
      first = start
    }
  }

  /// - Parameters:
  ///   - network: its normalisations are folded into its weights.
  ///   - mostRows: the most rows of input at a time; at least one.
  ///   - workers: share the columns of each layer.
  package init(_ network: AcousticNetwork, mostRows: Int, workers: Workers) {
    precondition(mostRows > 0, "NetworkStream: at most \(mostRows) rows at a time")
    self.network = network.folded
    (self.mostRows, self.workers) = (mostRows, workers)
    var written = 0
    for (index, layer) in self.network.layers.enumerated() {
      // The rows of input already have all frames that the first layer sees.
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

  /// Forgets all input: what comes next is that of another run of frames.
  package mutating func begin() {
    for index in levels.indices { (levels[index].first, levels[index].end) = (0, 0) }
  }

  /// Takes the next rows of input and appends the logits that are known with them.
  ///
  /// - Parameters:
  ///   - count: how many rows, at most `mostRows`.
  ///   - logits: a matrix of `classes` columns.
  ///   - fill: writes the row of an index below `count`.
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

  /// Computes what a layer can give now.
  private mutating func compute(_ index: Int) {
    let (layer, below, above) = (network.layers[index], levels[index], levels[index + 1])
    guard below.outputs > above.end else { return }
    // What is computed again has the same bits, and rows behind the last are no matter.
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

  /// The values that it has memory for; it takes no more, however long the run is.
  package var storedValues: Int {
    levels.reduce(0) { $0 + $1.values.rows * $1.values.columns }
  }
}

/// The rows of a block: a multiple of how many rows each of OpenBLAS's kernels takes at a time (0.3.21: 12 with AVX2,
/// 8 with SSE4.2, 4 or 2 with others), so that a row's place in a kernel is that in its block.
private let rowsABlock = 24

/// The outputs of the smallest product: up to 1,200, OpenBLAS computes some with kernels that round otherwise
/// (`kernel/x86_64/sgemm_small_kernel_permit_skylakex.c`).
private let leastOutputs = 1201

/// The first row of the block that has a row.
private func firstOfBlock(_ row: Int) -> Int { row / rowsABlock * rowsABlock }

/// The rows of the blocks that hold so many.
private func blocks(holding rows: Int) -> Int { firstOfBlock(rows + rowsABlock - 1) }

/// The rows of a layer's outputs that are computed where so many are asked for.
private func blocks(atLeast rows: Int, of layer: AffineLayer) -> Int {
  let narrowest = columnTiles(layer.weights.rows).reduce(Int.max) { min($0, $1.count) }
  return blocks(holding: max(rows, (leastOutputs + narrowest - 1) / narrowest))
}
