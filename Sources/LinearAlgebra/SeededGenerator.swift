import Foundation

/// A generator of random bits whose sequence depends on its key alone.
///
/// The key is a list of numbers, such as (seed, epoch, batch), so that any part of a run can be
/// repeated without what came before it. SplitMix64: Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  /// Where it is in its sequence.
  private(set) var state: UInt64

  /// - Parameter key: the numbers are mixed in order: (1, 2) and (2, 1) give other sequences.
  package init(_ key: UInt64...) {
    self.init(key)
  }

  /// The same from a list.
  package init(_ key: [UInt64]) {
    self.init(state: 0)
    for number in key {
      state ^= number
      state = next()
    }
  }

  /// The generator at a state of SplitMix64.
  package init(state: UInt64) {
    self.state = state
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Passes over so many numbers.
  mutating func skip(_ count: Int) {
    state &+= 0x9E37_79B9_7F4A_7C15 &* UInt64(count)
  }

  /// A number in [0, 1) with 53 random bits.
  package mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A number below `bound`, which is positive and under 2³²; a bias below `bound` / 2⁶⁴.
  package mutating func integer(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number from the normal distribution of mean 0 and variance 1 (Box and Muller, 1958).
  package mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// The numbers below `count` in random order (Fisher and Yates).
  package mutating func permutation(of count: Int) -> [Int32] {
    precondition(count <= Int(Int32.max), "permutation: \(count) numbers are not below 2³¹")
    var order = (0..<Int32(count)).map { $0 }
    for index in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(index, integer(below: index + 1))
    }
    return order
  }
}

/// FNV-1a (Fowler, Noll and Vo) of a text's bytes: a seed that depends on an id alone.
package func stableHash(_ text: String) -> UInt64 {
  text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
