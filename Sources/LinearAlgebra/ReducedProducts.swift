import CMatrixKernels
import COneDNN

/// What computes the products of networks in reduced precision.
package enum ProductKernels: String, Sendable {
  /// OneDNN, for processors with instructions for such products.
  case oneDNN
  /// This project's own loops for bytes, and OpenBLAS for bfloat16.
  case plain

  /// The kernels for products of bytes on this processor; their choice does not change a bit.
  ///
  /// OneDNN needs VNNI or AMX: elsewhere it adds two products in 16 bits, where they overflow.
  package static let forBytes: ProductKernels =
    has(dnnl_cpu_isa_avx512_core_vnni) || has(dnnl_cpu_isa_avx2_vnni) ? .oneDNN : .plain

  /// The kernels for products of bfloat16 numbers on this processor; their choice changes the last bits.
  ///
  /// AMX and AMD's AVX512-BF16 multiply bfloat16 numbers faster than float32, Intel's AVX512-BF16 more slowly.
  package static let forBFloat16: ProductKernels =
    has(dnnl_cpu_isa_avx512_core_amx)
      || has(dnnl_cpu_isa_avx512_core_bf16) && matrix_processor_is_amd() == 1 ? .oneDNN : .plain

  /// Whether the processor has all instructions of a set.
  private static func has(_ instructions: dnnl_cpu_isa_t) -> Bool {
    dnnl_get_effective_cpu_isa().rawValue & instructions.rawValue == instructions.rawValue
  }
}

/// The weights of a layer in 8 bits, packed for products with rows of bytes.
package final class ByteWeights: Sendable {
  /// The largest number of inputs whose products cannot overflow 32 bits.
  package static let mostInputs = 65_793
  /// Products have a multiple of this number of rows.
  package static let rowMultiple = 8
  /// Products of more rows are not faster.
  package static let rowsAPart = 64

  /// The number of values in a row of the input.
  package let inputs: Int
  /// The number of values in a row of the product.
  package let outputs: Int
  /// The weights for the plain kernel; empty when they are packed.
  fileprivate let values: [Int8]
  fileprivate let product: OneDNNProduct?

  /// - Parameters:
  ///   - values: [outputs × inputs] in row-major order.
  ///   - outputs: at least one.
  ///   - inputs: from 1 to `mostInputs`.
  ///   - kernels: what computes the products; plain if oneDNN refuses.
  package init(
    _ values: [Int8], outputs: Int, inputs: Int, kernels: ProductKernels = .forBytes
  ) {
    precondition(
      outputs > 0 && (1...ByteWeights.mostInputs).contains(inputs)
        && values.count == outputs * inputs,
      "ByteWeights: \(values.count) weights for \(outputs)×\(inputs)")
    (self.inputs, self.outputs) = (inputs, outputs)
    product =
      kernels == .plain
      ? nil
      : unsafe values.withUnsafeBytes {
        unsafe OneDNNProduct(
          .bytes, outputs: outputs, inputs: inputs,
          rowCounts: [ByteWeights.rowsAPart, ByteWeights.rowMultiple], values: $0)
      }
    self.values = product == nil ? values : []
  }

  /// The name of the kernel in use.
  package var kernel: String { product?.name ?? "plain" }
}

/// The weights of a layer in bfloat16, packed for products by oneDNN.
package final class BFloat16Weights: Sendable {
  /// Products have exactly this number of rows, so that all rows are summed in the same order.
  package static let rowsAPart = 32

  /// The number of values in a row of the input.
  package let inputs: Int
  /// The number of values in a row of the product.
  package let outputs: Int
  fileprivate let product: OneDNNProduct

  /// Packs weights; nil when oneDNN has no such product.
  ///
  /// - Parameter weights: [outputs × inputs], at least one of each; rounded to bfloat16.
  package init?(_ weights: Matrix) {
    (inputs, outputs) = (weights.columns, weights.rows)
    let product = unsafe weights.bfloat16.withUnsafeBytes {
      unsafe OneDNNProduct(
        .bfloat16, outputs: weights.rows, inputs: weights.columns,
        rowCounts: [BFloat16Weights.rowsAPart], values: $0)
    }
    guard let product else { return nil }
    self.product = product
  }

  /// The name of the kernel in use.
  package var kernel: String { product.name }
}

extension OneDNNProduct {
  fileprivate var name: String { "oneDNN \(implementation)" }
}

/// Rows of a layer's input in reduced precision, and their products with its weights: scratch memory of one thread.
// @unchecked: only its thread uses it.
@safe package final class ReducedRows: @unchecked Sendable {
  private let input: UnsafeMutableRawBufferPointer
  private let sums: UnsafeMutableRawBufferPointer

  /// - Parameters:
  ///   - inputBytes: the size of the largest input.
  ///   - sums: the largest number of values in a product.
  package init(inputBytes: Int, sums: Int) {
    unsafe input = .allocate(byteCount: max(1, inputBytes), alignment: 64)
    unsafe self.sums = .allocate(byteCount: max(1, 4 * sums), alignment: 64)
    // Rows beyond the last are multiplied too.
    unsafe input.initializeMemory(as: UInt8.self, repeating: 0)
    unsafe self.sums.initializeMemory(as: Int32.self, repeating: 0)
  }

  /// The size of its memory in bytes.
  package var byteCount: Int { unsafe input.count + sums.count }

  deinit {
    unsafe input.deallocate()
    unsafe sums.deallocate()
  }

  /// The first `count` values at the start of a buffer.
  private func start<Value>(
    _ buffer: UnsafeMutableRawBufferPointer, as type: Value.Type, count: Int
  ) -> UnsafeMutablePointer<Value> {
    guard let start = buffer.baseAddress,
      count * MemoryLayout<Value>.stride <= buffer.count
    else {
      preconditionFailure("ReducedRows: \(count) values of \(type) in \(buffer.count) bytes")
    }
    return unsafe start.assumingMemoryBound(to: type)
  }

  /// Rounds values to bytes; see `matrix_quantize`.
  ///
  /// - Parameters:
  ///   - tile: the values, one row for each row of the input.
  ///   - column: where they begin in a row of the input.
  ///   - inputs: the number of values in a row of the input.
  ///   - inverse: how many steps make one.
  ///   - zero: the byte of the value zero.
  package func quantize(_ tile: Tile, at column: Int, of inputs: Int, inverse: Float, zero: Int32) {
    precondition(
      column >= 0 && column + tile.columns <= inputs,
      "quantize: \(tile.columns) values at \(column) of \(inputs)")
    let bytes = unsafe start(input, as: UInt8.self, count: tile.rows * inputs) + column
    unsafe matrix_quantize(
      tile.base, Int64(tile.rows), Int64(tile.columns), Int64(tile.stride), inverse, zero, bytes,
      Int64(inputs))
  }

  /// Multiplies the first rows of the input, a multiple of `ByteWeights.rowMultiple`, by the transposed weights.
  package func multiply(rows: Int, by weights: ByteWeights) {
    let from = unsafe start(input, as: UInt8.self, count: rows * weights.inputs)
    let to = unsafe start(sums, as: Int32.self, count: rows * weights.outputs)
    if let product = weights.product {
      unsafe product.run(rows: rows, input: from, sums: to)
    } else {
      unsafe weights.values.withUnsafeBufferPointer {
        guard let values = $0.baseAddress else { return }
        unsafe matrix_byte_product(
          from, values, to, Int64(rows), Int64(weights.outputs), Int64(weights.inputs))
      }
    }
  }

  /// How the sums of a layer become its outputs: `(sum − zeroSum) · scale + bias`, one of each per output.
  package struct Dequantization: Sendable {
    private let zeroSums: [Int32]
    private let scale: [Float]
    private let bias: [Float]

    /// - Parameters:
    ///   - zeroSums: the sums for an input of zeros.
    ///   - scale: the value of one step of a sum.
    ///   - bias: what is added.
    package init(zeroSums: [Int32], scale: [Float], bias: [Float]) {
      precondition(
        zeroSums.count == bias.count && scale.count == bias.count,
        "Dequantization: \(zeroSums.count) and \(scale.count) values for \(bias.count) outputs")
      (self.zeroSums, self.scale, self.bias) = (zeroSums, scale, bias)
    }

    fileprivate typealias Kernel =
      @convention(c) (
        UnsafePointer<Int32>, UnsafePointer<Int32>, UnsafePointer<Float>, UnsafePointer<Float>,
        UnsafeMutablePointer<Float>, Int64, Int64, Int64
      ) -> Void

    fileprivate func write(_ sums: UnsafePointer<Int32>, to tile: Tile, _ kernel: Kernel) {
      precondition(
        tile.columns == bias.count, "dequantize: \(bias.count) outputs for \(tile.columns)")
      unsafe kernel(
        sums, zeroSums, scale, bias, tile.base, Int64(tile.rows), Int64(tile.columns),
        Int64(tile.stride))
    }
  }

  /// Writes the outputs for the first sums to a tile.
  package func dequantize(_ outputs: Dequantization, into tile: Tile) {
    let sums = unsafe start(sums, as: Int32.self, count: tile.rows * tile.columns)
    unsafe outputs.write(sums, to: tile, matrix_dequantize)
  }

  /// Writes the outputs for the first sums to a tile, negative ones as zero.
  package func dequantizeAndRectify(_ outputs: Dequantization, into tile: Tile) {
    let sums = unsafe start(sums, as: Int32.self, count: tile.rows * tile.columns)
    unsafe outputs.write(sums, to: tile, matrix_dequantize_rectify)
  }

  /// Rounds values to bfloat16.
  ///
  /// - Parameters:
  ///   - tile: the values, one row for each row of the input.
  ///   - column: where they begin in a row of the input.
  ///   - inputs: the number of values in a row of the input.
  package func round(_ tile: Tile, at column: Int, of inputs: Int) {
    precondition(
      column >= 0 && column + tile.columns <= inputs,
      "round: \(tile.columns) values at \(column) of \(inputs)")
    let values = unsafe start(input, as: UInt16.self, count: tile.rows * inputs) + column
    unsafe matrix_to_bfloat16(
      tile.base, Int64(tile.rows), Int64(tile.columns), Int64(tile.stride), values, Int64(inputs))
  }

  /// Multiplies the input by the transposed weights.
  ///
  /// - Parameters:
  ///   - weights: the weights.
  ///   - tile: receives the sums; at most `BFloat16Weights.rowsAPart` contiguous rows.
  package func multiply(by weights: BFloat16Weights, into tile: Tile) {
    let rows = BFloat16Weights.rowsAPart
    precondition(
      tile.rows <= rows && tile.columns == weights.outputs,
      "multiply: \(tile.rows)×\(tile.columns) for \(rows)×\(weights.outputs)")
    let from = unsafe start(input, as: UInt16.self, count: rows * weights.inputs)
    let to = unsafe start(sums, as: Float.self, count: rows * weights.outputs)
    unsafe weights.product.run(rows: rows, input: from, sums: to)
    for row in 0..<tile.rows {
      unsafe (tile.base + row * tile.stride).update(
        from: to + row * tile.columns, count: tile.columns)
    }
  }
}

extension Tile {
  /// Rounds all values to bfloat16, the upper 16 bits of float32, ties to even.
  package func roundToBFloat16() {
    unsafe matrix_round_bfloat16(base, Int64(rows), Int64(columns), Int64(stride))
  }
}

extension Matrix {
  /// A matrix of bfloat16 numbers, row by row, given by their bits.
  package init(rows: Int, columns: Int, bfloat16 values: [UInt16]) {
    self.init(
      rows: rows, columns: columns, values: values.map { Float(bitPattern: UInt32($0) << 16) })
  }

  /// The upper 16 bits of each value, after rounding to bfloat16.
  package var bfloat16: [UInt16] {
    withTile { tile in
      unsafe [UInt16](unsafeUninitializedCapacity: tile.rows * tile.columns) { values, count in
        count = tile.rows * tile.columns
        guard let start = values.baseAddress else { return }
        unsafe matrix_to_bfloat16(
          tile.base, Int64(tile.rows), Int64(tile.columns), Int64(tile.stride), start,
          Int64(tile.columns))
      }
    }
  }
}
