/// The loops that every frame goes through, several values at a time.
///
/// Each is held to its definition by a naive twin in the tests. Their order of summation is fixed, so
/// that a frame has the same bits wherever it is computed.
package enum FrameKernels {
  /// The number of values that are handled together.
  package static let lanes = 4
  typealias Lanes = SIMD4<Float>

  /// The sum of the values.
  package static func sum(_ values: Span<Float>) -> Float {
    unsafe values.withUnsafeBufferPointer { values in
      reduce(count: values.count) {
        unsafe load(values, $0)
      } rest: {
        unsafe values[$0]
      }
    }
  }

  /// The sum of the squares of the differences from `mean`.
  package static func squares(_ values: Span<Float>, mean: Float) -> Float {
    unsafe values.withUnsafeBufferPointer { values in
      reduce(count: values.count) {
        let difference = unsafe load(values, $0) - mean
        return difference * difference
      } rest: {
        let difference = unsafe values[$0] - mean
        return difference * difference
      }
    }
  }

  /// The sum of the products of `count` values, a multiple of `lanes`, from a place in each of two
  /// lists.
  @inline(__always)
  package static func product(
    _ first: Span<Float>, from start: Int, with second: Span<Float>, from otherStart: Int,
    count: Int
  ) -> Float {
    precondition(
      start + count <= first.count && otherStart + count <= second.count && count % lanes == 0,
      "product: \(count) from \(start) of \(first.count), \(otherStart) of \(second.count)")
    return unsafe first.withUnsafeBufferPointer { first in
      unsafe second.withUnsafeBufferPointer { second in
        guard let first = first.baseAddress, let second = second.baseAddress else { return 0 }
        var sums = Lanes.zero
        var n = 0
        while n < count {
          unsafe sums +=
            UnsafeRawPointer(first + (start &+ n)).loadUnaligned(as: Lanes.self)
            * UnsafeRawPointer(second + (otherStart &+ n)).loadUnaligned(as: Lanes.self)
          n &+= lanes
        }
        return sums.sum()
      }
    }
  }

  /// Removes a mean, emphasises, and multiplies by the window:
  /// `((x[n] − mean) − share · (x[n−1] − mean)) · window[n]`, where `x[−1]` is `x[0]`.
  ///
  /// - Parameters:
  ///   - samples: at least one.
  ///   - mean: what is subtracted from each sample.
  ///   - share: of the previous sample.
  ///   - window: as many values as samples.
  ///   - frame: as many or more values; those after the window are left as they are.
  package static func emphasise(
    _ samples: Span<Float>, mean: Float, share: Float, window: Span<Float>,
    into frame: inout MutableSpan<Float>
  ) {
    let count = samples.count
    precondition(
      count > 0 && window.count == count && frame.count >= count,
      "emphasise: \(count) samples, \(window.count) values of a window, \(frame.count) of a frame")
    unsafe samples.withUnsafeBufferPointer { samples in
      unsafe window.withUnsafeBufferPointer { window in
        unsafe frame.withUnsafeMutableBufferPointer { frame in
          let first = unsafe samples[0] - mean
          unsafe frame[0] = (first - share * first) * window[0]
          var n = 1
          while n + lanes <= count {
            let (own, previous) = unsafe (load(samples, n) - mean, load(samples, n - 1) - mean)
            unsafe store((own - share * previous) * load(window, n), to: frame, n)
            n += lanes
          }
          while n < count {
            let (own, previous) = unsafe (samples[n] - mean, samples[n - 1] - mean)
            unsafe frame[n] = (own - share * previous) * window[n]
            n += 1
          }
        }
      }
    }
  }

  /// Replaces each value by its natural logarithm, and one below the epsilon of a 32-bit float by that
  /// of the epsilon.
  ///
  /// An infinite value stays infinite and one that is not a number stays so. The error is at most 2
  /// ulps: the polynomial of S. Moshier, Cephes Mathematical Library, `single/logf.c`.
  package static func logarithms(_ values: inout MutableSpan<Float>) {
    unsafe values.withUnsafeMutableBufferPointer { values in
      var n = 0
      while n + lanes <= values.count {
        unsafe store(logarithm(load(UnsafeBufferPointer(values), n)), to: values, n)
        n += lanes
      }
      guard n < values.count else { return }
      var last = Lanes(repeating: 1)
      for place in n..<values.count { unsafe last[place - n] = values[place] }
      last = logarithm(last)
      for place in n..<values.count { unsafe values[place] = last[place - n] }
    }
  }

  @inline(__always)
  private static func logarithm(_ values: Lanes) -> Lanes {
    // The exponent e and the mantissa m in [√½, √2), so that values = m · 2^e.
    let floored = values.replacing(with: .ulpOfOne, where: values .< .ulpOfOne)
    let bits = unsafe unsafeBitCast(floored, to: SIMD4<UInt32>.self)
    let shifted = bits &- 0x3F35_04F3
    let exponent = Lanes(
      unsafe unsafeBitCast(shifted, to: SIMD4<Int32>.self) &>> SIMD4<Int32>(repeating: 23))
    let mantissaBits = (shifted & 0x007F_FFFF) &+ 0x3F35_04F3
    let x = unsafe unsafeBitCast(mantissaBits, to: Lanes.self) - 1
    let square = x * x
    var sum = Lanes(repeating: 7.037_683_629_2e-2)
    sum = sum * x - 1.151_461_031_0e-1
    sum = sum * x + 1.167_699_874_0e-1
    sum = sum * x - 1.242_014_084_6e-1
    sum = sum * x + 1.424_932_278_7e-1
    sum = sum * x - 1.666_805_766_5e-1
    sum = sum * x + 2.000_071_476_5e-1
    sum = sum * x - 2.499_999_399_3e-1
    sum = sum * x + 3.333_333_117_4e-1
    var result = sum * x * square
    result = result - exponent * 2.121_944_40e-4
    result = result - square * 0.5
    result = (x + result) + exponent * 0.693_359_375
    return result.replacing(with: values, where: .!(values .< .infinity))
  }

  /// The sum over all places, `lanes` at a time and then one by one.
  @inline(__always)
  private static func reduce(
    count: Int, _ several: (Int) -> Lanes, rest: (Int) -> Float
  ) -> Float {
    var sums = Lanes.zero
    var n = 0
    while n + lanes <= count {
      sums += several(n)
      n += lanes
    }
    var sum = sums.sum()
    while n < count {
      sum += rest(n)
      n += 1
    }
    return sum
  }

  @inline(__always)
  private static func load(_ values: UnsafeBufferPointer<Float>, _ place: Int) -> Lanes {
    guard let base = values.baseAddress else { return .zero }
    return unsafe UnsafeRawPointer(base + place).loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  private static func store(
    _ value: Lanes, to values: UnsafeMutableBufferPointer<Float>, _ place: Int
  ) {
    guard let base = values.baseAddress else { return }
    unsafe UnsafeMutableRawPointer(base + place).storeBytes(of: value, as: Lanes.self)
  }
}
