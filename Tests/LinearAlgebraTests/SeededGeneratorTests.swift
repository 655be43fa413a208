import LinearAlgebra
import TestSupport
import Testing

@Suite("Random numbers")
struct SeededGeneratorTests {
  @Test("the sequence is SplitMix64's: the published values for a state of 1234567")
  func splitMix() {
    // From the test vectors of Rosetta Code's "Pseudo-random numbers/Splitmix64".
    var generator = SeededGenerator(state: 1_234_567)
    let values = (0..<3).map { _ in generator.next() }
    #expect(
      values == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
  }

  @Test("the key decides: same key same numbers, other key or order other numbers")
  func keys() {
    func first(_ key: [UInt64]) -> UInt64 {
      var generator = SeededGenerator(key)
      return generator.next()
    }
    #expect(first([1, 2]) == first([1, 2]))
    #expect(Set([first([1, 2]), first([2, 1]), first([1, 2, 0]), first([1])]).count == 4)
  }

  @Test("normal numbers have mean 0 and variance 1")
  func normal() {
    var generator = SeededGenerator(5)
    let count = 100_000
    let values = (0..<count).map { _ in generator.normal() }
    let mean = values.reduce(0, +) / Double(count)
    let variance = values.reduce(0) { $0 + $1 * $1 } / Double(count)
    // Five standard deviations of each estimate.
    #expect(mismatch(mean, 0, absolute: 5 / Double(count).squareRoot()) == nil)
    #expect(mismatch(variance, 1, absolute: 5 * (2 / Double(count)).squareRoot()) == nil)
  }

  @Test("a permutation has each number once, and each number is first about as often")
  func permutation() {
    var generator = SeededGenerator(6)
    var firsts = [Int](repeating: 0, count: 10)
    for _ in 0..<10_000 {
      let order = generator.permutation(of: 10)
      #expect(order.sorted() == (0..<10).map { Int32($0) })
      firsts[Int(order[0])] += 1
    }
    // Five standard deviations of 10,000 draws at 1/10.
    for count in firsts { #expect(mismatch(Double(count), 1000, absolute: 150) == nil) }
  }
}
