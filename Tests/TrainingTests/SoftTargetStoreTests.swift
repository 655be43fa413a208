import Networks
import Foundation
import KaldiIO
import LinearAlgebra
import TestSupport
import Testing
import Training

@Suite("Stored soft targets")
struct SoftTargetStoreTests {
  @Test("what is stored in 16 bits is restored to 0.03 %, and its loss is counted")
  func loss() {
    // Seed 76: fifty frames of 120 classes, logits of deviation 4.
    var distributions = Matrix.random(rows: 50, columns: 120, seed: 76, scale: 4)
    distributions.replaceRowsBySoftmax()
    let store = SoftTargetStore(classes: 120, largest: nil)
    var restored = CompressedMatrix.restored(store.stored(distributions), by: .twoBytes)
    restored.withRows(0..<50) { _, row in store.restore(&row) }
    var loss = SoftTargetStore.Loss()
    loss.add(distributions, restored: restored)
    #expect(mismatch(restored.values, distributions.values, absolute: 1e-12, relative: 5e-4) == nil)
    #expect(loss.frames == 50 && loss.agreement == 1)
    let expected = zip(distributions.doubles, restored.doubles).reduce(0.0) { sum, pair in
      sum + zip(pair.0, pair.1).reduce(0.0) { $0 + $1.0 * log($1.0 / $1.1) }
    }
    #expect(mismatch(loss.meanDivergence, expected / 50, absolute: 1e-12) == nil)
    #expect(loss.meanDivergence < 1e-7)
  }

  @Test("what has no probability counts as e^-30")
  func zero() {
    let certain = Matrix(rows: 1, columns: 3, values: [0, 1, 0])
    let store = SoftTargetStore(classes: 3, largest: nil)
    var stored = store.stored(certain)
    #expect(stored.values == [-30, 0, -30])
    stored.withRow(0) { store.restore(&$0) }
    #expect(mismatch(stored.values, certain.values, absolute: 1e-12) == nil)
    var loss = SoftTargetStore.Loss()
    loss.add(certain, restored: stored)
    #expect(loss.meanDivergence >= 0 && loss.meanDivergence < 1e-6)
  }

  @Test(
    "of the largest probabilities, these and the tail come back from 16 bits, by Kaldi's codes too")
  func largest() {
    // Seed 81: twenty frames of 300 classes.
    var distributions = Matrix.random(rows: 20, columns: 300, seed: 81, scale: 3)
    distributions.replaceRowsBySoftmax()
    let store = SoftTargetStore(classes: 300, largest: 7)
    let stored = store.stored(distributions)
    #expect(stored.columns == 15 && store.columns == 15)
    // Whole numbers that two bytes hold.
    #expect(stored.values.allSatisfy { $0 == $0.rounded() && (0...65535).contains($0) })
    var restored = CompressedMatrix.restored(stored, by: .twoBytes)
    restored.withRows(0..<20) { _, row in store.restore(&row) }
    for frame in 0..<20 {
      let own = distributions.doubles[frame]
      let order = own.indices.sorted { own[$0] > own[$1] }.prefix(7)
      let values = Array(restored.doubles[frame])
      #expect(values[8...].map { Int($0) } == Array(order))
      let kept = order.map { own[$0] }
      for (found, expected) in zip(values, kept + [1 - kept.reduce(0, +)]) {
        #expect(mismatch(found, expected, absolute: 1e-6, relative: 6e-4) == nil)
      }
    }
    let spread = store.spread(restored)
    for row in spread.doubles { #expect(mismatch(row.reduce(0, +), 1, absolute: 1e-5) == nil) }
    var loss = SoftTargetStore.Loss()
    loss.add(distributions, restored: spread)
    #expect(loss.agreement == 1 && loss.meanDivergence > 1e-3)
    // As many as there are is all.
    #expect(SoftTargetStore(classes: 300, largest: 300).columns == 300)
  }
}
