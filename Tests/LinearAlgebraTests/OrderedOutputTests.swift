import LinearAlgebra
import Synchronization
import Testing

@Suite("Output in order")
struct OrderedOutputTests {
  @Test(
    "things are handed on in order, whoever makes them and however few may wait",
    arguments: [0, 3, 1000])
  func inOrder(limit: Int) {
    let seen = Mutex([Int]())
    let output = OrderedOutput<Int>(from: 5, limit: limit) { index, value in
      seen.withLock { $0.append(value - index) }
    }
    Workers(count: 4).forEach(200, state: { () }) { _, offset in
      // The work of some takes longer, so that others overtake them.
      var sum = 0
      for n in 0..<(offset % 7 == 0 ? 200_000 : 10) { sum &+= n &* offset }
      output.submit(5 + offset, 5 + offset + offset + min(0, sum & 1), size: 1)
    }
    #expect(seen.withLock { $0 } == Array(0..<200))
  }

  @Test("who has the turn may hand on pieces before anyone behind")
  func turns() {
    let seen = Mutex([Int]())
    let output = OrderedOutput<Int>(limit: 2) { _, value in seen.withLock { $0.append(value) } }
    Workers(count: 3).forEach(60, state: { () }) { _, index in
      if index % 10 == 3 {
        output.waitForTurn(index)
        for _ in 0..<3 { seen.withLock { $0.append(-index) } }
      }
      output.submit(index, index, size: 1)
    }
    let expected = (0..<60).flatMap { index in
      Array(repeating: -index, count: index % 10 == 3 ? 3 : 0) + [index]
    }
    #expect(seen.withLock { $0 } == expected)
  }
}
