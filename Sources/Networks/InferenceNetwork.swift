package import LinearAlgebra

/// A network that is ready to classify frames: its normalisation is folded, and its weights are
/// rounded to a precision and packed for the kernels that multiply them.
///
/// It is never changed, so any number of threads and streams share it.
package struct InferenceNetwork: Sendable, Equatable {
  /// The network, whose weights the precision represents exactly.
  package let network: AcousticNetwork
  /// The numbers that it multiplies.
  package let precision: NetworkPrecision
  let layers: [InferenceLayer]

  /// - Parameters:
  ///   - network: the network; its weights are rounded if necessary.
  ///   - precision: the numbers that it multiplies; for int8 the network `fitsBytes`.
  ///   - kernels: what computes the products of a reduced precision; nil for what suits the processor.
  package init(
    _ network: AcousticNetwork, precision: NetworkPrecision = .float32,
    kernels: ProductKernels? = nil
  ) {
    let network = network.folded.rounded(to: precision)
    self.network = network
    self.precision = precision
    let last = network.layers.count - 1
    let products: [InferenceLayer.Products]
    switch precision {
    case .float32: products = network.layers.map { _ in .float32 }
    case .bfloat16:
      let packed =
        kernels ?? .forBFloat16 == .oneDNN ? network.layers.map { BFloat16Weights($0.weights) } : []
      // All layers or none: the rows of a block are the same for all.
      products =
        packed.isEmpty || packed.contains { $0 == nil }
        ? network.layers.map { _ in .roundedFloat32 }
        : packed.compactMap(\.self).map { .bfloat16($0) }
    case .int8(let steps):
      products = zip(network.layers, steps).enumerated().map { index, layer in
        .bytes(
          ByteProducts(
            layer.0, layer.1, isSigned: index == 0, kernels: kernels ?? .forBytes))
      }
    }
    layers = zip(network.layers, products).enumerated().map { index, layer in
      InferenceLayer(affine: layer.0, isLast: index == last, products: layer.1)
    }
  }

  package static func == (a: InferenceNetwork, b: InferenceNetwork) -> Bool {
    a.precision == b.precision && a.network == b.network
  }

  /// The name of the kernel that computes the widest layer's products.
  package var kernel: String {
    let widest = layers.max { $0.affine.weights.values.count < $1.affine.weights.values.count }
    return switch widest?.products {
    case .bytes(let products): products.weights.kernel
    case .bfloat16(let weights): weights.kernel
    default: "OpenBLAS \(BLASKernels.inUse)"
    }
  }

  /// The number of rows in a block: products are made of whole blocks, counted from a layer's first
  /// row, so that a row's position in a product follows from its position among all rows.
  var rowsABlock: Int {
    switch layers[0].products {
    case .float32, .roundedFloat32: sgemmRowsABlock
    case .bfloat16: BFloat16Weights.rowsAPart
    case .bytes: ByteWeights.rowMultiple
    }
  }

  /// Scratch memory for the threads of a stream; none if the precision needs none.
  func scratch(for workers: Workers) -> [ReducedRows] {
    let sizes = layers.compactMap(\.scratch)
    guard !sizes.isEmpty else { return [] }
    return (0..<workers.count).map { _ in
      ReducedRows(
        inputBytes: sizes.reduce(0) { max($0, $1.inputBytes) },
        sums: sizes.reduce(0) { max($0, $1.sums) })
    }
  }
}

/// The products of a layer in 8 bits, and what makes its outputs of them.
struct ByteProducts: Sendable {
  let weights: ByteWeights
  /// The number of steps that make one.
  let inverse: Float
  /// The byte of an input of zero.
  let zero: Int32
  let outputs: ReducedRows.Dequantization

  /// - Parameters:
  ///   - layer: a layer whose weights are whole numbers of steps.
  ///   - steps: the value of each step.
  ///   - isSigned: whether the input may be negative.
  ///   - kernels: what computes the products.
  init(_ layer: AffineLayer, _ steps: ByteSteps, isSigned: Bool, kernels: ProductKernels) {
    let (rows, columns) = (layer.weights.rows, layer.weights.columns)
    let bytes = layer.bytes(steps)
    weights = ByteWeights(bytes, outputs: rows, inputs: columns, kernels: kernels)
    inverse = 1 / steps.input
    zero = isSigned ? 128 : 0
    var zeroSums = Array(repeating: Int32(0), count: rows)
    for row in 0..<rows {
      let sum = bytes[row * columns..<(row + 1) * columns].reduce(0) { $0 + Int($1) }
      zeroSums[row] = Int32(sum) * zero
    }
    outputs = ReducedRows.Dequantization(
      zeroSums: zeroSums, scale: steps.weights.map { $0 * steps.input }, bias: layer.bias)
  }
}

/// A layer that is ready to compute outputs.
struct InferenceLayer: Sendable {
  let affine: AffineLayer
  let isLast: Bool
  let products: Products

  /// How the products are computed.
  enum Products: Sendable {
    case float32
    /// With `sgemm`; weights and inputs are bfloat16 numbers in 32 bits.
    case roundedFloat32
    case bfloat16(BFloat16Weights)
    case bytes(ByteProducts)
  }

  /// The smallest number of rows to compute at once.
  var leastRows: Int {
    switch products {
    case .float32, .roundedFloat32: affine.leastRowsOfSgemm
    case .bfloat16, .bytes: 1
    }
  }

  /// The size of the input and the number of sums of a part of the rows; nil if there are no parts.
  var scratch: (inputBytes: Int, sums: Int)? {
    let weights = affine.weights
    return switch products {
    case .float32, .roundedFloat32: nil
    case .bfloat16:
      (2 * BFloat16Weights.rowsAPart * weights.columns, BFloat16Weights.rowsAPart * weights.rows)
    case .bytes:
      (ByteWeights.rowsAPart * weights.columns, ByteWeights.rowsAPart * weights.rows)
    }
  }

  /// Computes whole blocks of outputs.
  ///
  /// - Parameters:
  ///   - outputs: [rows × outputs], overwritten.
  ///   - below: the outputs of the layer below.
  ///   - rows: for each offset, the rows of `below` to take; as many as rows of `outputs`.
  ///   - workers: the threads that share the work.
  ///   - scratch: the memory of each thread.
  func compute(
    _ outputs: Tile, of below: SharedMatrix, rows: [Range<Int>], workers: Workers,
    scratch: [ReducedRows]
  ) {
    switch products {
    case .float32, .roundedFloat32:
      affine.compute(outputs, of: below, rows: rows, isLast: isLast, workers: workers)
      if case .roundedFloat32 = products, !isLast { outputs.roundToBFloat16() }
    case .bfloat16(let weights):
      let bias = SharedMatrix(affine.bias)
      forEachPart(outputs, BFloat16Weights.rowsAPart, workers, scratch) { part, outputs, rowsOwn in
        forEachPiece(of: below, rows, part) { tile, column in
          rowsOwn.round(tile, at: column, of: weights.inputs)
        }
        rowsOwn.multiply(by: weights, into: outputs)
        if isLast {
          outputs.add(bias: bias.tile)
        } else {
          outputs.addAndRectify(bias: bias.tile)
          outputs.roundToBFloat16()
        }
      }
    case .bytes(let own):
      forEachPart(outputs, ByteWeights.rowsAPart, workers, scratch) { part, outputs, rowsOwn in
        forEachPiece(of: below, rows, part) { tile, column in
          rowsOwn.quantize(
            tile, at: column, of: own.weights.inputs, inverse: own.inverse, zero: own.zero)
        }
        rowsOwn.multiply(rows: outputs.rows, by: own.weights)
        if isLast {
          rowsOwn.dequantize(own.outputs, into: outputs)
        } else {
          rowsOwn.dequantizeAndRectify(own.outputs, into: outputs)
        }
      }
    }
  }

  /// Calls `body` for parts of the rows of `outputs`, each with the memory of its thread.
  private func forEachPart(
    _ outputs: Tile, _ size: Int, _ workers: Workers, _ scratch: [ReducedRows],
    _ body: @Sendable (_ part: Range<Int>, _ outputs: Tile, _ own: ReducedRows) -> Void
  ) {
    let parts = (outputs.rows + size - 1) / size
    let slots = min(scratch.count, parts)
    workers.forEach(slots) { slot in
      for number in stride(from: slot, to: parts, by: slots) {
        let part = number * size..<min(outputs.rows, (number + 1) * size)
        body(part, outputs.rows(part), scratch[slot])
      }
    }
  }

  /// Calls `body` for the rows that a part sees at each offset, with their place in a row of input.
  private func forEachPiece(
    of below: SharedMatrix, _ rows: [Range<Int>], _ part: Range<Int>,
    _ body: (_ tile: Tile, _ column: Int) -> Void
  ) {
    for (index, seen) in rows.enumerated() {
      let start = seen.lowerBound + part.lowerBound
      body(below.tile(rows: start..<start + part.count), index * below.columns)
    }
  }
}

/// The number of rows in a block for `sgemm`.
///
/// It is a multiple of how many rows each of OpenBLAS's kernels takes at a time (0.3.21: 12 with
/// AVX2, 8 with SSE4.2, 4 or 2 with others), so a row's position in a kernel follows from its
/// position in its block.
private let sgemmRowsABlock = 24

extension AffineLayer {
  /// The number of rows of the smallest product.
  ///
  /// For products of up to 1,200 outputs, OpenBLAS may use kernels that round differently
  /// (`kernel/x86_64/sgemm_small_kernel_permit_skylakex.c`).
  fileprivate var leastRowsOfSgemm: Int {
    let narrowest = columnTiles(weights.rows).reduce(Int.max) { min($0, $1.count) }
    return (1201 + narrowest - 1) / narrowest
  }
}
