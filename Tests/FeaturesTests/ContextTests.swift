import Features
import LinearAlgebra
import TestSupport
import Testing

@Suite("Context and normalisation")
struct ContextTests {
  /// Two utterances, frames 0 to 3 and 4 to 5, of two features each.
  private let features = Matrix(
    rows: 6, columns: 2, values: [0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15])

  private func splice(_ frame: Int, of utterance: Range<Int>) -> [Float] {
    let row = SharedMatrix(rows: 1, columns: 8)
    row.withRow(0) {
      SharedMatrix(features).splice(
        frame - utterance.lowerBound, at: Array(ContextWindow(left: 2, right: 1).offsets),
        firstRow: utterance.lowerBound, count: utterance.count, into: &$0)
    }
    return row.values
  }

  @Test("frames stand from the oldest to the newest")
  func middle() {
    #expect(splice(2, of: 0..<4) == [0, 10, 1, 11, 2, 12, 3, 13])
  }

  @Test("edges are repeated within the utterance and never cross into its neighbour")
  func edges() {
    #expect(splice(0, of: 0..<4) == [0, 10, 0, 10, 0, 10, 1, 11])
    #expect(splice(3, of: 0..<4) == [1, 11, 2, 12, 3, 13, 3, 13])
    #expect(splice(4, of: 4..<6) == [4, 14, 4, 14, 4, 14, 5, 15])
    #expect(splice(5, of: 5..<6) == [5, 15, 5, 15, 5, 15, 5, 15])
  }

  @Test("frames that do not follow each other, also beyond the edges")
  func apart() {
    let row = SharedMatrix(rows: 1, columns: 6)
    for (frame, expected) in [
      (1, [0, 10, 1, 11, 3, 13]), (-2, [0, 10, 0, 10, 0, 10]), (5, [3, 13, 3, 13, 3, 13]),
    ] as [(Int, [Float])] {
      row.withRow(0) {
        SharedMatrix(features).splice(frame, at: [-1, 0, 2], firstRow: 0, count: 4, into: &$0)
      }
      #expect(row.values == expected, "frame \(frame)")
    }
  }

  @Test("normalised features have mean 0 and variance 1; a constant one becomes 0")
  func normalizer() {
    // Seed 21, far from the mean of 0.
    var random = Matrix.random(rows: 1000, columns: 3, seed: 21, scale: 4)
    for row in 0..<1000 {
      random[row, 0] += 100
      random[row, 1] -= 50
    }
    let normalizer = FeatureNormalizer(of: random)
    let result = normalizer.applied(to: random)
    for column in 0..<3 {
      let values = (0..<1000).map { Double(result[$0, column]) }
      #expect(mismatch(values.reduce(0, +) / 1000, 0, absolute: 1e-4) == nil)
      #expect(mismatch(values.reduce(0) { $0 + $1 * $1 } / 1000, 1, absolute: 1e-4) == nil)
    }
    let constant = Matrix(rows: 4, columns: 1, values: [7, 7, 7, 7])
    #expect(FeatureNormalizer(of: constant).applied(to: constant).values == [0, 0, 0, 0])
  }
}
