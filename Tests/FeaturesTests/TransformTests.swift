import Features
import LinearAlgebra
import TestSupport
import Testing

@Suite("Deltas and statistics")
struct TransformTests {
  /// Kaldi's definition, frame by frame, in double precision.
  private func delta(_ rows: [[Double]], window: Int) -> [[Double]] {
    let normalizer = (-window...window).reduce(0.0) { $0 + Double($1 * $1) }
    return rows.indices.map { frame in
      rows[0].indices.map { column in
        (-window...window).reduce(0.0) { sum, shift in
          let neighbour = min(max(frame + shift, 0), rows.count - 1)
          return sum + Double(shift) * rows[neighbour][column]
        } / normalizer
      }
    }
  }

  @Test(
    "deltas are their definition, and the first delta-deltas away from the edges",
    arguments: [1, 2, 3])
  func deltas(window: Int) {
    let features = Matrix.random(rows: 30, columns: 3, seed: 41)
    let found = Deltas(order: 2, window: window).appended(
      to: 0..<30, of: features, from: 0, count: 30)
    #expect(found.columns == 9)
    let once = delta(features.doubles, window: window)
    let twice = delta(once, window: window)
    for frame in 0..<30 {
      for column in 0..<3 {
        #expect(found[frame, column] == features[frame, column])
        #expect(
          mismatch(Double(found[frame, 3 + column]), once[frame][column], absolute: 1e-6) == nil)
        // At the edges Kaldi repeats frames, not deltas.
        guard (2 * window..<30 - 2 * window).contains(frame) else { continue }
        #expect(
          mismatch(Double(found[frame, 6 + column]), twice[frame][column], absolute: 1e-6) == nil)
      }
    }
  }

  @Test("delta-deltas at the edges see the first frame repeated")
  func edges() {
    let features = Matrix(rows: 3, columns: 1, values: [1, 3, 10])
    let found = Deltas(order: 2, window: 1).appended(to: 0..<3, of: features, from: 0, count: 3)
    // Weights −½ 0 ½ and ¼ 0 −½ 0 ¼ over 1 1 1 3 10 10 10.
    #expect(Array(found.values[0..<3]) == [1, 1, 2.25])
    #expect(Array(found.values[3..<6]) == [3, 4.5, 1.25])
    #expect(Array(found.values[6..<9]) == [10, 3.5, -2.25])
  }

  @Test("a piece gives the same deltas as the whole")
  func pieces() {
    let features = Matrix.random(rows: 40, columns: 2, seed: 42)
    let deltas = Deltas(order: 2, window: 2)
    let whole = deltas.appended(to: 0..<40, of: features, from: 0, count: 40)
    let part = Matrix(rows: 18, columns: 2, values: Array(features.values[12..<48]))
    let found = deltas.appended(to: 10..<20, of: part, from: 6, count: 40)
    #expect(found.values == Array(whole.values[60..<120]))
  }

  @Test("normalised features have mean 0, and variance 1 where that is wanted")
  func statistics() {
    let features = Matrix.random(rows: 500, columns: 2, seed: 43, scale: 3)
    var statistics = NormalizationStatistics(columns: 2)
    statistics.add(features)
    var sum = NormalizationStatistics(columns: 2)
    sum.add(Matrix(rows: 200, columns: 2, values: Array(features.values[..<400])))
    var rest = NormalizationStatistics(columns: 2)
    rest.add(Matrix(rows: 300, columns: 2, values: Array(features.values[400...])))
    sum.add(rest)
    #expect(sum.count == 500)
    #expect(mismatch(sum.squares, statistics.squares, relative: 1e-12) == nil)
    for variance in [false, true] {
      var normalized = features
      statistics.normalize(&normalized, variance: variance)
      for column in 0..<2 {
        let values = (0..<500).map { Double(normalized[$0, column]) }
        #expect(mismatch(values.reduce(0, +) / 500, 0, absolute: 1e-5) == nil)
        let square = values.reduce(0) { $0 + $1 * $1 } / 500
        if variance { #expect(mismatch(square, 1, absolute: 1e-4) == nil) }
        if !variance { #expect(square > 2) }
      }
    }
  }

  @Test("deltas of frames that come in pieces are those of the whole, to the bit", arguments: 0...2)
  func stream(order: Int) {
    let deltas = Deltas(order: order, window: 3)
    var stream = DeltaStream(deltas, columns: 2)
    for count in [0, 1, 4, 40] {
      let frames = Matrix.random(rows: count, columns: 2, seed: 43)
      let whole = deltas.appended(to: 0..<count, of: frames, from: 0, count: count)
      for size in [1, 2, 5, 17, 40] {
        var found = Matrix(rows: 0, columns: 2 * (1 + order))
        for start in stride(from: 0, to: count, by: size) {
          let end = min(count, start + size)
          stream.push(frames.rows(Array(start..<end)), appendingTo: &found)
          #expect(found.rows == max(0, end - 3 * order))
          #expect(stream.storedValues <= 2 * 2 * 3 * order)
        }
        stream.finish(appendingTo: &found)
        #expect(found == whole, "\(count) frames in pieces of \(size)")
      }
    }
  }
}
