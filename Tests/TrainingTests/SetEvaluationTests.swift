import Classes
import Features
import Foundation
import LinearAlgebra
import Models
import Networks
import TestSupport
import Testing
import Training

@Suite("Frames of a set, scored")
struct SetEvaluationTests {
  @Test(
    "an utterance is classified as a set with that utterance is",
    arguments: [nil, [[-1, 0, 2], [-3, 0]]])
  func sameAsSet(timeOffsets: [[Int]]?) throws {
    var options = FeatureOptions()
    options.logMel?.melBins = 4
    let model = AcousticModel(
      network: AcousticNetwork(
        features: 4, context: -2...1,
        hidden: HiddenShape(layers: timeOffsets?.count ?? 1, units: 6, timeOffsets: timeOffsets),
        classes: 3, seed: 62),
      features: options,
      normalizer: FeatureNormalizer(mean: [1, 2, 3, 4], deviation: [0.5, 1, 2, .pi]),
      classes: ClassInventory(symbols: ["A", "B", "SIL"]),
      provenance: AcousticModel.Provenance(
        system: "member-00", seed: 62, epoch: 3, developmentAccuracy: 0.3, limbeckVersion: "0"))
    let features = Matrix.random(rows: 9, columns: 4, seed: 63, scale: 3)
    let logits = model.logits(of: features)
    // The class with the largest logit as the label, so that the set's accuracy is 1.
    let set = FrameSet(
      FramesInMemory([
        .init(id: "other", features: features, labels: logits.largestColumns()),
        .init(id: "own", features: features, labels: logits.largestColumns()),
      ]), normalizer: model.normalizer)
    var training = TrainingOptions()
    training.chunk = 4
    let scored = try Trainer(options: training, seed: 1, workers: .one)
      .evaluate(model.network, on: set)
    #expect(scored.accuracy == 1)
    let loss =
      (0..<9).reduce(0.0) { sum, row in
        sum - log(Naive.softmax(logits.doubles[row]).max() ?? 0)
      } / 9
    #expect(mismatch(scored.loss, loss, absolute: 1e-5) == nil)
  }
}
