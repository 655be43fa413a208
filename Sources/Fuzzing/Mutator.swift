package import LinearAlgebra

/// Changes inputs at random; the same seed gives the same inputs.
package struct Mutator {
  private var generator: SeededGenerator
  private let seeds: [[UInt8]]
  private let words: [[UInt8]]

  /// Prepares mutations.
  ///
  /// - Parameters:
  ///   - parser: the parser whose words are inserted.
  ///   - seeds: at least one initial input.
  ///   - generator: the source of all randomness.
  package init(_ parser: Parser, seeds: [[UInt8]], generator: SeededGenerator) {
    precondition(!seeds.isEmpty, "Mutator: no seeds for \(parser)")
    (self.generator, self.seeds) = (generator, seeds)
    words = parser.words.map { Array($0.utf8) }
  }

  /// Integers at the limits of their types, which are inserted in little-endian order, as in
  /// archives.
  private static let integers: [UInt32] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x10000]

  /// The next input: a seed with one to eight changes, at most `Parser.largestInput` bytes.
  package mutating func next() -> [UInt8] {
    var bytes = seeds[generator.integer(below: seeds.count)]
    for _ in 0...generator.integer(below: 8) { change(&bytes) }
    return Array(bytes.prefix(Parser.largestInput))
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let place = generator.integer(below: bytes.count + 1)
    let end = min(bytes.count, place + 1 + generator.integer(below: 16))
    switch generator.integer(below: 8) {
    case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(generator.integer(below: 8))
    case 1 where place < bytes.count: bytes[place] = UInt8(generator.integer(below: 256))
    case 2: bytes.removeSubrange(place..<end)
    case 3: bytes.insert(contentsOf: bytes[place..<end], at: generator.integer(below: place + 1))
    case 4: bytes.removeSubrange(place...)
    case 5:
      let number = Mutator.integers[generator.integer(below: Mutator.integers.count)]
      let stop = min(bytes.count, place + 4)
      bytes.replaceSubrange(place..<stop, with: (0..<4).map { UInt8(number >> (8 * $0) & 0xFF) })
    case 6:
      let other = seeds[generator.integer(below: seeds.count)]
      bytes.replaceSubrange(
        place..., with: other.dropFirst(generator.integer(below: other.count + 1)))
    default: bytes.insert(contentsOf: words[generator.integer(below: words.count)], at: place)
    }
  }
}
