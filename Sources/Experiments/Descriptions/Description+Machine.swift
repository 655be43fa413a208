import LinearAlgebra
package import Storage
import SystemPackage

extension Description {
  /// Describes this machine: its processor, the kernels that suit it, and the rates of matrix products on one thread.
  ///
  /// It takes a second.
  ///
  /// - Throws: `FileFault` when the system does not say which processor it has.
  package static func machine() throws(FileFault) -> Description {
    let lines = try TextFile.lines(of: "/proc/cpuinfo").map(\.text)
    func value(_ key: String) -> String? {
      lines.first { $0.hasPrefix(key) }.flatMap { line in
        line.firstIndex(of: ":").map {
          String(line[line.index(after: $0)...].drop { $0 == " " })
        }
      }
    }
    let flags = Set(
      (value("flags") ?? value("Features") ?? "").split(separator: " ").map(String.init))
    let units = units.filter { flags.contains($0.flag) }.map(\.name)
    let rates = ProductRates()
    return Description(
      text: """
        processor    \(value("model name") ?? "unknown")
        instructions \(units.isEmpty ? "none that matter here" : units.joined(separator: ", "))
        OpenBLAS     \(BLASKernels.inUse) kernels
        float32      \(rates.float32) GFLOP/s, OpenBLAS
        bfloat16     \(rates.bfloat16.map { "\($0) GFLOP/s, oneDNN" } ?? "none by oneDNN")\
        \(ProductKernels.forBFloat16 == .oneDNN ? "" : "; models use float32 products")
        int8         \(rates.int8.rate) GOP/s, \(rates.int8.kernel)

        """)
  }

  /// Linux's names of instruction sets that matrix products use, and those of their makers.
  private static let units: [(flag: String, name: String)] = [
    ("fma", "FMA"), ("avx2", "AVX2"), ("avx512f", "AVX-512"), ("avx_vnni", "AVX-VNNI"),
    ("avx512_vnni", "AVX512-VNNI"), ("avx512_bf16", "AVX512-BF16"), ("amx_int8", "AMX-INT8"),
    ("amx_bf16", "AMX-BF16"), ("asimddp", "DotProd"), ("i8mm", "I8MM"), ("bf16", "BF16"),
  ]
}

/// The rates of products of 256 rows by 512 × 512 weights on one thread, in whole operations per nanosecond.
private struct ProductRates {
  let float32: Int
  /// Nil when oneDNN has no such product.
  let bfloat16: Int?
  let int8: (rate: Int, kernel: String)

  init() {
    let (rows, size) = (256, 512)
    let values = SharedMatrix(
      Matrix(rows: rows, columns: size, values: Array(repeating: 0.5, count: rows * size)))
    let weights = Matrix(
      rows: size, columns: size, values: Array(repeating: 0.5, count: size * size))
    let (shared, product) = (SharedMatrix(weights), SharedMatrix(rows: rows, columns: size))
    func rate(_ rows: Int, _ multiply: () -> Void) -> Int {
      multiply()
      var (count, best) = (0, 0.0)
      let start = ContinuousClock.now
      while ContinuousClock.now - start < .milliseconds(300) || count < 3 {
        let seconds = ContinuousClock().measure(multiply) / .seconds(1)
        best = max(best, 2e-9 * Double(rows * size * size) / seconds)
        count += 1
      }
      return Int(best.rounded())
    }
    float32 = rate(rows) { product.tile.setProduct(values.tile, .asIs, shared.tile, .transposed) }
    bfloat16 = BFloat16Weights(weights).map { own in
      let part = BFloat16Weights.rowsAPart
      let scratch = ReducedRows(inputBytes: 2 * part * size, sums: part * size)
      scratch.round(values.tile(rows: 0..<part), at: 0, of: size)
      let output = product.tile(rows: 0..<part)
      return rate(part) { scratch.multiply(by: own, into: output) }
    }
    let bytes = ByteWeights(Array(repeating: 3, count: size * size), outputs: size, inputs: size)
    let scratch = ReducedRows(inputBytes: rows * size, sums: rows * size)
    scratch.quantize(values.tile, at: 0, of: size, inverse: 100, zero: 0)
    int8 = (rate(rows) { scratch.multiply(rows: rows, by: bytes) }, bytes.kernel)
  }
}
