import Foundation

/// A random number generator whose sequence depends only on its key.
///
/// The key is a list of numbers, such as (seed, epoch, batch), so that any part of a run can be
/// repeated on its own. SplitMix64: Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  /// The position in its sequence.
  private(set) var state: UInt64

  /// - Parameter key: mixed in order, so that (1, 2) and (2, 1) give different sequences.
  package init(_ key: UInt64...) {
    self.init(key)
  }

  /// A generator with a key given as an array.
  package init(_ key: [UInt64]) {
    self.init(state: 0)
    for number in key {
      state ^= number
      state = next()
    }
  }

  /// The generator at a given state of SplitMix64.
  package init(state: UInt64) {
    self.state = state
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Skips numbers of the sequence, in constant time.
  mutating func skip(_ count: Int) {
    state &+= 0x9E37_79B9_7F4A_7C15 &* UInt64(count)
  }

  /// A uniform number in [0, 1) with 53 random bits.
  package mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A uniform integer below `bound`, which is positive and under 2³²; the bias is below `bound` / 2⁶⁴.
  package mutating func integer(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number from the standard normal distribution (Box and Muller, 1958).
  package mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A random permutation of the numbers below `count` (Fisher and Yates).
  package mutating func permutation(of count: Int) -> [Int32] {
    precondition(count <= Int(Int32.max), "permutation: \(count) numbers are not below 2³¹")
    var order = (0..<Int32(count)).map { $0 }
    for index in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(index, integer(below: index + 1))
    }
    return order
  }
}

/// The FNV-1a hash (Fowler, Noll and Vo) of a text's UTF-8 bytes, for seeds derived from ids.
package func stableHash(_ text: String) -> UInt64 {
  text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
