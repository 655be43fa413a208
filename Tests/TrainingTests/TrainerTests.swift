import Features
import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Frames of three classes around three points.
///
/// The classes of neighbouring frames differ, so that
/// context alone does not give them away. Seed 51 for training, 52 for development.
func sampleFrames(seed: UInt64, utterances: Int = 6) -> FrameSet {
  var generator = SeededGenerator(seed)
  let made = (0..<utterances).map { index -> FrameSet.Utterance in
    let count = 20 + index
    let labels = (0..<count).map { _ in Int32(generator.integer(below: 3)) }
    let values = labels.flatMap { label in
      (0..<4).map { Float(generator.normal()) + ($0 == Int(label) ? 2 : 0) }
    }
    return FrameSet.Utterance(
      id: "u\(index)", features: Matrix(rows: count, columns: 4, values: values), labels: labels)
  }
  let normalizer = FeatureNormalizer(mean: [0.5, 0.5, 0.5, 0], deviation: [1, 1, 1, 1])
  return FrameSet(made, normalizer: normalizer, context: ContextWindow(left: 2, right: 1))
}

@Suite("Training")
struct TrainerTests {
  private let train = sampleFrames(seed: 51)
  private let development = sampleFrames(seed: 52)

  private func options(_ json: String) throws -> TrainingOptions {
    try JSONDecoder().decode(TrainingOptions.self, from: Data(json.utf8))
  }

  private func outcome(
    _ options: TrainingOptions, seed: UInt64 = 7, workers: Workers = .one, units: Int = 8
  ) throws -> Trainer.Outcome {
    let network = FeedForwardNetwork(
      inputs: train.inputs, hidden: HiddenShape(layers: 2, units: units), classes: 3, seed: seed)
    return try Trainer(options: options, seed: seed, workers: workers).train(
      network, on: train, objective: HardTargets(labels: train.labels), development: development)
  }

  @Test("the losses of a tiny run are what they were when its parts were checked one by one")
  func golden() throws {
    // Printed by this test's own run (swift test -c release --filter golden) on 2026-11-23, after
    // the gradient tests had passed; another processor's sgemm differs in the last bits, hence the
    // tolerance.
    let run = try outcome(
      options(#"{"epochs": 4, "batchSize": 32, "learningRate": 0.2, "finalLearningRate": 0.02}"#))
    let expected = [1.414385, 1.087386, 0.960830, 0.823792]
    #expect(mismatch(run.history.map(\.loss), expected, relative: 1e-4) == nil)
  }

  @Test("the same run gives the same bits, on one thread and on two, with dropout")
  func sameBits() throws {
    let options = try options(#"{"epochs": 2, "batchSize": 50, "dropout": 0.3}"#)
    let first = try outcome(options, units: 200)
    let again = try outcome(options, units: 200)
    let threads = try outcome(options, workers: Workers(count: 2), units: 200)
    #expect(first.network == again.network)
    #expect(first.network == threads.network)
    #expect(first.history == threads.history)
    #expect(try outcome(options, seed: 8, units: 200).network != first.network)
  }

  @Test("it learns: far better than chance on frames it has not seen")
  func learns() throws {
    let run = try outcome(options(#"{"epochs": 8, "batchSize": 16, "learningRate": 0.1}"#))
    let best = run.history[run.epoch - 1]
    #expect(best.developmentAccuracy > 0.6)
    #expect(best.developmentAccuracy == run.history.map(\.developmentAccuracy).max())
    let trainer = Trainer(options: TrainingOptions(), seed: 1, workers: .one)
    let scored = trainer.evaluate(run.network, on: development)
    #expect(scored.accuracy == best.developmentAccuracy)
    #expect(scored.loss == best.developmentLoss)
  }

  @Test("all frames take part in each epoch, also those of a shorter last batch")
  func everyFrame() throws {
    let network = FeedForwardNetwork(
      inputs: train.inputs, hidden: HiddenShape(layers: 0, units: 1), classes: 3, seed: 1)
    var frames = 0
    _ = try Trainer(
      options: options(#"{"epochs": 2, "batchSize": 64}"#), seed: 1, workers: .one
    ).train(
      network, on: train, objective: HardTargets(labels: train.labels), development: development
    ) { event in
      if case .frames(let count) = event { frames += count }
    }
    #expect(train.count % 64 != 0)
    #expect(frames == 2 * train.count)
  }

  @Test("a loss that is no longer finite stops the training and names step and rate")
  func diverges() throws {
    let fault = #expect(throws: TrainingFault.self) {
      try outcome(
        options(
          #"{"epochs": 3, "batchSize": 8, "learningRate": 1e30, "finalLearningRate": 1e30}"#))
    }
    guard case .diverged(let step, let rate) = fault else { return }
    #expect(step > 0)
    #expect(rate == 1e30)
  }

  @Test("the learning rate falls exponentially from the first step to the last")
  func schedule() throws {
    let options = try options(#"{"learningRate": 1, "finalLearningRate": 0.01}"#)
    #expect(options.learningRate(atStep: 0, of: 101) == 1)
    #expect(mismatch(options.learningRate(atStep: 50, of: 101), 0.1, relative: 1e-12) == nil)
    #expect(mismatch(options.learningRate(atStep: 100, of: 101), 0.01, relative: 1e-12) == nil)
    #expect(options.learningRate(atStep: 0, of: 1) == 1)
  }
}
