import Fuzzing
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Readers given damaged files")
struct FuzzingTests {
  private static let root = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent()

  @Test("no damage of a file stops the program", arguments: Parser.allCases)
  func mutations(parser: Parser) throws {
    let temporary = try TemporaryFolder()
    let folder = DataFolder(path: temporary.path)
    let seeds = try parser.seeds(root: FuzzingTests.root, folder: folder)
    var mutator = Mutator(parser, seeds: seeds, generator: SeededGenerator(23))
    // A trap ends the process and leaves the input in the folder, so that it can be replayed.
    var (taken, refused) = (0, 0)
    for _ in 0..<1000 {
      if try parser.parse(mutator.next(), in: folder) { taken += 1 } else { refused += 1 }
    }
    #expect(taken > 0)
    // The others name faults by the line and refuse no file.
    let refusing = Set(Parser.allCases).subtracting([.ctm, .targets, .validation])
    #expect((refused > 0) == refusing.contains(parser), "\(refused) refused")
  }

  @Test("a parser reads at least one of its seeds as it is", arguments: Parser.allCases)
  func seeds(parser: Parser) throws {
    let temporary = try TemporaryFolder()
    let folder = DataFolder(path: temporary.path)
    let seeds = try parser.seeds(root: FuzzingTests.root, folder: folder)
    let isRead = try seeds.map { try parser.parse($0, in: folder) }
    #expect(isRead.contains(true))
  }

  @Test("the same seed gives the same inputs")
  func repeatable() {
    func inputs(_ seed: UInt64) -> [[UInt8]] {
      var mutator = Mutator(
        .ctm, seeds: [Array("a 1 0 1 x\n".utf8)], generator: SeededGenerator(seed))
      return (0..<20).map { _ in mutator.next() }
    }
    #expect(inputs(1) == inputs(1))
    #expect(inputs(1) != inputs(2))
  }
}
