package import LinearAlgebra

/// How often values of each magnitude occur, to choose the step of their 8-bit form.
///
/// A bin holds the magnitudes whose upper 16 bits of float32 are equal; it is at most 1/128 of its values wide.
package struct MagnitudeHistogram: Sendable, Equatable {
  private var counts = Array(repeating: 0, count: 1 << 15)

  /// A histogram of no values.
  package init() {}

  /// Counts values; those that are not finite are ignored.
  package mutating func add(_ values: Span<Float>) {
    for index in values.indices {
      let bits = values[index].magnitude.bitPattern
      if bits < Float.infinity.bitPattern { counts[Int(bits >> 16)] += 1 }
    }
  }

  /// Counts the values of a matrix.
  package mutating func add(_ matrix: SharedMatrix) {
    for row in 0..<matrix.rows { add(matrix.row(row)) }
  }

  /// The step with which rounding the values loses least: their squared error is smallest.
  ///
  /// A value below half a step becomes zero. Other values in range are off by a twelfth of the squared step, on
  /// average. Those beyond become the largest in range. Finer steps lose less in range and more beyond.
  ///
  /// - Parameter steps: the number of steps from zero to the largest value in range.
  /// - Returns: a positive number; 1 without values other than zero.
  package func step(steps: Int) -> Float {
    // The middle of each bin up to the last in use, and sums over it and all bins below.
    var middles: [Double] = []
    var sums: [(count: Double, values: Double, squares: Double)] = [(0, 0, 0)]
    let last = counts.lastIndex { $0 > 0 } ?? 0
    for (bin, count) in counts.enumerated().prefix(last + 1).dropFirst() {
      let middle = Double(Float(bitPattern: UInt32(bin) << 16 | 0x8000))
      let (count, last) = (Double(count), sums[sums.count - 1])
      middles.append(middle)
      sums.append(
        (
          last.count + count, last.values + count * middle, last.squares + count * middle * middle
        ))
    }
    let all = sums[sums.count - 1]
    var best = (error: Double.infinity, limit: Double(steps))
    var small = 0
    for (index, middle) in middles.enumerated() {
      // The upper end of the bin, about.
      let limit = middle * (1 + 1.0 / 256)
      let step = limit / Double(steps)
      while middles[small] < step / 2 { small += 1 }
      let inRange = sums[index + 1]
      let rounded = sums[small].squares + (inRange.count - sums[small].count) * step * step / 12
      let cut =
        (all.squares - inRange.squares) - 2 * limit * (all.values - inRange.values)
        + limit * limit * (all.count - inRange.count)
      if rounded + cut < best.error { best = (rounded + cut, limit) }
    }
    let step = Float(best.limit / Double(steps))
    return min(max(step, .leastNormalMagnitude * 2), .greatestFiniteMagnitude / 512)
  }
}
