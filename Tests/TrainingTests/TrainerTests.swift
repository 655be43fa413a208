import Features
import Foundation
import LinearAlgebra
import Networks
import Storage
import TestSupport
import Testing
import Training

/// Utterances of three classes around three points.
///
/// The classes of neighbouring frames differ, so that context alone does not give them away. Seed 51 for
/// training, 52 for development.
func sampleUtterances(seed: UInt64, utterances: Int = 6) -> FramesInMemory {
  var generator = SeededGenerator(seed)
  return FramesInMemory(
    (0..<utterances).map { index in
      let count = 20 + index
      let labels = (0..<count).map { _ in Int32(generator.integer(below: 3)) }
      let values = labels.flatMap { label in
        (0..<4).map { Float(generator.normal()) + ($0 == Int(label) ? 2 : 0) }
      }
      return FramesInMemory.Utterance(
        id: "u\(index)", features: Matrix(rows: count, columns: 4, values: values), labels: labels)
    })
}

let sampleNormalizer = FeatureNormalizer(mean: [0.5, 0.5, 0.5, 0], deviation: [1, 1, 1, 1])

@Suite("Training")
struct TrainerTests {
  private let train = FrameSet(sampleUtterances(seed: 51), normalizer: sampleNormalizer)
  private let development = FrameSet(sampleUtterances(seed: 52), normalizer: sampleNormalizer)

  private func options(_ json: String) throws -> TrainingOptions {
    try JSONDecoder().decode(TrainingOptions.self, from: Data(json.utf8))
  }

  private func outcome(
    _ options: TrainingOptions, seed: UInt64 = 7, workers: Workers = .one,
    hidden: HiddenShape = HiddenShape(layers: 2, units: 8),
    objective: HardTargets = HardTargets(), observe: (Trainer.Event) -> Void = { _ in }
  ) throws -> Trainer.Outcome {
    let network = AcousticNetwork(
      features: 4, context: -2...1, hidden: hidden, classes: 3, seed: seed)
    return try Trainer(options: options, seed: seed, workers: workers).train(
      network, on: train, objective: objective, development: development, observe: observe)
  }

  @Test(
    "the same run gives the same bits, on one thread and on two",
    arguments: [
      #"{"epochs": 2, "batchSize": 50, "dropout": 0.3}"#,
      #"{"epochs": 2, "batchSize": 50, "clipNorm": 0.5, "maxNorm": 2, "labelSmoothing": 0.1}"#,
      #"{"epochs": 2, "batchSize": 48, "chunk": 4, "optimizer": "adamw", "learningRate": 0.01}"#,
      #"{"epochs": 2, "batchSize": 48, "chunk": 4, "averaging": {"decay": 0.9}}"#,
      #"{"epochs": 2, "batchSize": 48, "chunk": 4, "averaging": {"epochs": 2}}"#,
    ],
    [
      HiddenShape(layers: 2, units: 300),
      HiddenShape(
        layers: 2, units: 80, timeOffsets: [[-1, 0, 1], [-2, 1]], batchNormalization: true),
    ])
  func sameBits(json: String, hidden: HiddenShape) throws {
    let options = try options(json)
    let first = try outcome(options, hidden: hidden)
    let again = try outcome(options, hidden: hidden)
    let threads = try outcome(options, workers: Workers(count: 2), hidden: hidden)
    #expect(first.network == again.network)
    #expect(first.network == threads.network)
    #expect(first.history == threads.history)
    #expect(try outcome(options, seed: 8, hidden: hidden).network != first.network)
  }

  @Test(
    "it learns with each optimiser: far better than chance on frames it has not seen",
    arguments: [
      #""learningRate": 0.1"#, #""learningRate": 0.1, "nesterov": true"#,
      #""learningRate": 0.05, "optimizer": "adam""#,
      #""learningRate": 0.05, "optimizer": "adamw", "weightDecay": 0.01"#,
    ])
  func learns(optimizer: String) throws {
    let run = try outcome(options(#"{"epochs": 8, "batchSize": 16, \#(optimizer)}"#))
    let best = run.history[run.epoch - 1]
    #expect(best.developmentAccuracy > 0.6)
    #expect(best.developmentAccuracy == run.history.map(\.developmentAccuracy).max())
    let trainer = Trainer(options: TrainingOptions(), seed: 1, workers: .one)
    let scored = try trainer.evaluate(run.network, on: development)
    #expect(scored.accuracy == best.developmentAccuracy)
    #expect(scored.loss == best.developmentLoss)
  }

  @Test("a time-delay network learns, in runs of frames that reach beyond the utterances' ends")
  func timeDelay() throws {
    let hidden = HiddenShape(
      layers: 2, units: 24, timeOffsets: [[-1, 0, 1], [-1, 0, 1]], batchNormalization: true)
    let run = try outcome(
      options(#"{"epochs": 12, "batchSize": 32, "chunk": 8, "learningRate": 0.05}"#), hidden: hidden
    )
    #expect(run.history[run.epoch - 1].developmentAccuracy > 0.55)
    #expect(run.network.layers.allSatisfy { $0.normalization == nil })
    #expect(run.history.allSatisfy { $0.frames == train.count })
  }

  @Test("all frames take part in each epoch, also those of a shorter last batch")
  func everyFrame() throws {
    var frames = 0
    let run = try outcome(
      options(#"{"epochs": 2, "batchSize": 64}"#), hidden: HiddenShape(layers: 0, units: 1)
    ) { event in
      if case .frames(let count, _) = event { frames += count }
    }
    #expect(train.count % 64 != 0)
    #expect(frames == 2 * train.count)
    #expect(run.history.map(\.frames) == [train.count, train.count])
  }

  @Test("a loss that is no longer finite, or explodes, stops the training and names step and rate")
  func diverges() throws {
    let fault = #expect(throws: TrainingFault.self) {
      try outcome(
        options(
          #"{"epochs": 3, "batchSize": 8, "learningRate": 1e30, "finalLearningRate": 1e30}"#))
    }
    guard case .diverged(let step, 1e30) = fault else {
      Issue.record("expected a divergence, found \(String(describing: fault))")
      return
    }
    #expect(step > 0)
    let explosion = #expect(throws: TrainingFault.self) {
      try outcome(
        options(#"{"epochs": 3, "batchSize": 8, "learningRate": 20, "schedule": "constant"}"#))
    }
    guard case .exploded(_, 20, let loss, let limit) = explosion else {
      Issue.record("expected an explosion, found \(String(describing: explosion))")
      return
    }
    #expect(mismatch(limit, 10 * Foundation.log(3.0), relative: 1e-12) == nil)
    #expect(loss > limit)
  }

  @Test("a wrong label in a batch of one frame is no explosion")
  func noExplosion() throws {
    // Two classes far apart, and one wrong label in 25; seed 54.
    var generator = SeededGenerator(54)
    let labels = (0..<257).map { _ in Int32(generator.integer(below: 2)) }
    let source = FramesInMemory([
      FramesInMemory.Utterance(
        id: "u",
        features: Matrix(
          rows: 257, columns: 1, values: labels.map { 20 * Float($0) - 10 }),
        labels: labels.enumerated().map { $0.offset % 25 == 0 ? 1 - $0.element : $0.element })
    ])
    let set = FrameSet(source, normalizer: FeatureNormalizer(mean: [0], deviation: [10]))
    let network = AcousticNetwork(
      features: 1, context: 0...0, hidden: HiddenShape(layers: 1, units: 8), classes: 2, seed: 1)
    for size in [1, 256] {
      let own = try options(#"{"epochs": 4, "batchSize": \#(size), "learningRate": 0.01}"#)
      let run = try Trainer(options: own, seed: 2, workers: .one).train(
        network, on: set, objective: HardTargets(), development: set)
      #expect(run.history.count == 4)
    }
  }

  @Test("a clipped gradient moves the weights by at most the rate times the norm")
  func clipping() throws {
    let network = AcousticNetwork(
      features: 4, context: -2...1, hidden: HiddenShape(layers: 1, units: 8), classes: 3, seed: 7)
    func moved(_ json: String) throws -> (distance: Double, norm: Double) {
      let run = try Trainer(options: options(json), seed: 7, workers: .one).train(
        network, on: train, objective: HardTargets(), development: development)
      let squares = zip(network.tensors, run.network.tensors).reduce(0.0) { sum, pair in
        sum + zip(pair.0.values, pair.1.values).reduce(0) { $0 + pow(Double($1.0 - $1.1), 2) }
      }
      return (squares.squareRoot(), run.history[0].gradientNorm)
    }
    // One step with all frames.
    let step = #""epochs": 1, "batchSize": 1000, "learningRate": 0.5, "momentum": 0"#
    let free = try moved("{\(step)}")
    #expect(mismatch(free.distance, 0.5 * free.norm, relative: 1e-3) == nil)
    let clipped = try moved("{\(step), \"clipNorm\": 0.01}")
    #expect(mismatch(clipped.distance, 0.5 * 0.01, relative: 1e-2) == nil)
    #expect(mismatch(clipped.norm, free.norm, relative: 1e-5) == nil)
    let loose = try moved("{\(step), \"clipNorm\": 1000}")
    #expect(loose.distance == free.distance)
  }

  @Test("a class of weight zero is not learnt; equal weights of one change nothing")
  func classWeights() throws {
    let options = try options(#"{"epochs": 6, "batchSize": 16, "learningRate": 0.1}"#)
    let without = try outcome(options, objective: HardTargets(classWeights: [0, 1, 1]))
    let logits = without.network.logits(of: Matrix.random(rows: 200, columns: 16, seed: 53))
    #expect(logits.largestColumns().count { $0 == 0 } < 20)
    #expect(
      try outcome(options, objective: HardTargets(classWeights: [1, 1, 1])).network
        == outcome(options).network)
  }

  @Test("training stops after so many epochs without a better development accuracy")
  func patience() throws {
    let run = try outcome(
      options(#"{"epochs": 200, "batchSize": 16, "learningRate": 0.1, "patience": 3}"#))
    #expect(run.history.count < 200)
    #expect(run.history.count == run.epoch + 3)
  }

  @Test("newbob halves the rate after an epoch whose development loss is not lower")
  func newbob() throws {
    let run = try outcome(
      options(
        #"{"epochs": 12, "batchSize": 16, "learningRate": 0.2, "schedule": "newbob", "improvement": 0.02}"#
      ))
    var (rate, lowest) = (0.2, Double.infinity)
    for record in run.history {
      #expect(record.learningRate == rate)
      if record.epoch > 1, record.developmentLoss > lowest * 0.98 { rate /= 2 }
      lowest = min(lowest, record.developmentLoss)
    }
    #expect(rate < 0.2)
  }
}

@Suite("Learning rates")
struct LearningRateTests {
  @Test("each schedule is its formula, from the first step to the last")
  func schedules() {
    var options = LearningRateOptions()
    (options.learningRate, options.finalLearningRate) = (1, 0.01)
    func rates(_ schedule: LearningRateOptions.Schedule) -> [Double] {
      options.schedule = schedule
      return [0, 25, 50, 100].map { options.rate(atStep: $0, of: 101) }
    }
    #expect(mismatch(rates(.exponential), [1, pow(0.01, 0.25), 0.1, 0.01], relative: 1e-12) == nil)
    let quarter = 0.01 + 0.99 * (1 + 0.5.squareRoot()) / 2
    #expect(mismatch(rates(.cosine), [1, quarter, 0.505, 0.01], relative: 1e-12) == nil)
    #expect(rates(.constant) == [1, 1, 1, 1])
    options.schedule = .newbob
    #expect(options.rate(atStep: 7, of: 101, halvings: 3) == 0.125)
    options.schedule = .exponential
    #expect(options.rate(atStep: 0, of: 1) == 1)
  }

  @Test("the warm-up rises in equal parts, and is over after its steps")
  func warmUp() {
    var options = LearningRateOptions()
    (options.learningRate, options.schedule, options.warmUp) = (1, .constant, 3)
    #expect((0..<5).map { options.rate(atStep: $0, of: 10) } == [0.25, 0.5, 0.75, 1, 1])
  }
}

@Suite("Options of training")
struct TrainingOptionsTests {
  private func options(_ json: String) throws -> TrainingOptions {
    try JSONDecoder().decode(TrainingOptions.self, from: Data(json.utf8))
  }

  @Test(
    "what is written is read again",
    arguments: ["{}", #"{"clipNorm": 2, "patience": 4, "chunk": 32}"#])
  func roundTrip(json: String) throws {
    let own = try options(json)
    #expect(try options(JSONText.line(own)) == own)
  }

  @Test("the last rate is a hundredth of the first unless it is given")
  func finalRate() throws {
    #expect(try options(#"{"learningRate": 0.002}"#).rate.finalLearningRate == 0.00002)
    #expect(
      try options(#"{"learningRate": 0.002, "finalLearningRate": 0.001}"#).rate.finalLearningRate
        == 0.001)
  }

  @Test(
    "values out of range and unknown keys are faults that name them",
    arguments: [
      (#"{"epochs": 0}"#, "epochs: expected 1 to 100,000, found 0"),
      (
        #"{"chunk": 10}"#, "chunk: expected a divisor of 2048 frames, such as 8, 16 or 32, found 10"
      ),
      (#"{"pool": 100}"#, "pool: expected 4096 to 1,000,000,000 frames, found 100"),
      (
        #"{"schedule": "newbop"}"#,
        "schedule: expected constant, exponential, cosine, newbob, found newbop"
      ),
      (#"{"dropout": 1}"#, "dropout: expected 0 to 0.99, found 1.0"),
      (#"{"epsilon": 1e-50}"#, "epsilon: expected above 0, found 0.0"),
      (#"{"classWeights": {"SIL": -1}}"#, "classWeights.SIL: expected 0 or more, found -1.0"),
      (#"{"warmup": 5}"#, "unknown option warmup; did you mean warmUp?"),
      (#"{"clipNorm": 0}"#, "clipNorm: expected above 0, found 0.0"),
      (#"{"optimizer": "rmsprop"}"#, "optimizer: expected sgd, adam, adamw, found rmsprop"),
      (#"{"beta3": 1}"#, "unknown option beta3; did you mean beta1?"),
    ])
  func faults(json: String, message: String) {
    let fault = #expect(throws: OptionFault.self) { try options(json) }
    #expect(fault?.description == message)
  }
}
