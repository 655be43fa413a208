import Classes
import Corpus
import Evaluation
import LinearAlgebra
import Testing

@Suite("Confusions of labels")
struct LabelConfusionTests {
  private let classes = ClassInventory(symbols: ["A_1", "A_2", "B_1", "SIL"])

  @Test("states count as their label")
  func confusions() {
    var confusions = LabelConfusions(classes)
    #expect(confusions.labels == ["A", "B", "SIL"])
    confusions.add(chosen: [0, 1, 2, 2, 3], truth: [1, 0, 2, 0, 3])
    #expect(confusions.frames == [[2, 1, 0], [0, 1, 0], [0, 0, 1]])
    #expect(confusions.recall(of: 0) == 2.0 / 3 && confusions.recall(of: 2) == 1)
    confusions = LabelConfusions(classes)
    #expect(confusions.recall(of: 0) == nil)
    let sums = confusions.posteriors(
      Matrix(rows: 1, columns: 4, values: [0.125, 0.25, 0.5, 0.125]))
    #expect(sums.values == [0.375, 0.5, 0.125])
  }

  @Test("doubts are runs of sure frames of one other label")
  func doubts() {
    let posteriors = Matrix(
      rows: 7, columns: 3,
      values: [
        0.95, 0.05, 0, 0.05, 0.95, 0, 0.05, 0.95, 0, 0.4, 0.6, 0, 0, 0.95, 0.05, 0, 0, 1, 1, 0, 0,
      ])
    let doubts = Doubt.all(in: posteriors, truth: [0, 0, 0, 0, 0, 0, 2], confidence: 0.9)
    #expect(
      doubts.map(\.frames) == [1..<3, 4..<5, 5..<6, 6..<7] && doubts.map(\.chosen) == [1, 1, 2, 0])
    #expect(doubts.map(\.truth) == [0, 0, 0, 2])
  }
}
