import Features
import Foundation
import LinearAlgebra
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

@Suite("Averages of weights")
struct AveragingTests {
  private let folder: TemporaryFolder
  private let train = FrameSet(sampleUtterances(seed: 51), normalizer: sampleNormalizer)
  private let development = FrameSet(sampleUtterances(seed: 52), normalizer: sampleNormalizer)

  init() throws { folder = try TemporaryFolder() }

  private func options(_ averaging: String, epochs: Int, batchSize: Int) throws -> TrainingOptions {
    let json = """
      {"epochs": \(epochs), "batchSize": \(batchSize), "learningRate": 0.1, "schedule": "constant",
       "averaging": \(averaging)}
      """
    return try JSONDecoder().decode(TrainingOptions.self, from: Data(json.utf8))
  }

  /// The tensors of the newest checkpoint.
  private func newest() throws -> SafetensorsFile {
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.file("checkpoints").string)
    return try SafetensorsFile(
      path: folder.file("checkpoints/\(try #require(names.sorted().last))"))
  }

  /// Trains, and keeps the checkpoint after each step, the last one once more after the last epoch.
  private func run(
    _ options: TrainingOptions, hidden: HiddenShape
  ) throws -> (outcome: Trainer.Outcome, steps: [SafetensorsFile]) {
    let network = AcousticNetwork(
      features: 4, context: -1...1, hidden: hidden, classes: 3, seed: 7)
    let checkpoints = CheckpointFolder(
      folder.file("checkpoints"), identity: ["seed 7"], pause: .zero, warn: { _ in })
    var (steps, count): ([SafetensorsFile], Int) = ([], 0)
    let outcome = try Trainer(
      options: options, seed: 7, workers: .one, checkpoints: checkpoints
    ).train(network, on: train, objective: HardTargets(), development: development) { event in
      guard case .frames = event else { return }
      // The checkpoint of the step before.
      if count > 0, let file = try? newest() { steps.append(file) }
      count += 1
    }
    return (outcome, steps + [try newest()])
  }

  private func values(_ file: SafetensorsFile, _ name: String) throws -> [Double] {
    try #require(file.tensors[name]).values.map { Double($0) }
  }

  @Test("after each step, the exponential average is the formula's", arguments: [0.3, 0.9, 0.999])
  func exponential(decay: Double) throws {
    let own = try options("{\"decay\": \(decay)}", epochs: 3, batchSize: 32)
    let (outcome, steps) = try run(own, hidden: HiddenShape(layers: 1, units: 6))
    #expect(steps.count == 15)
    let start = AcousticNetwork(
      features: 4, context: -1...1, hidden: HiddenShape(layers: 1, units: 6), classes: 3, seed: 7)
    for (name, initial) in start.tensors {
      var expected = initial.map { Double($0) }
      for (step, file) in steps.enumerated() {
        let kept = min(decay, Double(1 + step) / Double(10 + step))
        expected = zip(expected, try values(file, name)).map { kept * $0 + (1 - kept) * $1 }
        #expect(
          mismatch(try values(file, "average.\(name)"), expected, absolute: 1e-6) == nil,
          "\(name), step \(step)")
      }
    }
    // What is kept is the average, and its score is that of the record.
    let best = try #require(steps.last)
    for (name, values) in outcome.network.tensors {
      #expect(values == best.tensors["best.\(name)"]?.values)
    }
    let scored = try Trainer(options: own, seed: 7, workers: .one)
      .evaluate(outcome.network, on: development)
    #expect(scored.accuracy == outcome.history[outcome.epoch - 1].developmentAccuracy)
    #expect(scored.loss == outcome.history[outcome.epoch - 1].developmentLoss)
    if outcome.epoch == 3 {
      for (name, values) in outcome.network.tensors {
        #expect(values == best.tensors["average.\(name)"]?.values)
      }
    }
  }

  @Test("over the last epochs, it is the mean of the networks at their ends", arguments: [2, 3, 5])
  func epochs(last: Int) throws {
    // One step each.
    let own = try options("{\"epochs\": \(last)}", epochs: 5, batchSize: 1000)
    let (outcome, steps) = try run(own, hidden: HiddenShape(layers: 1, units: 6))
    #expect(steps.count == 5)
    let taken = steps.suffix(last)
    let end = try #require(steps.last)
    for (name, _) in outcome.network.tensors {
      var sum = Array(repeating: 0.0, count: try values(end, name).count)
      for file in taken { sum = zip(sum, try values(file, name)).map { $0 + $1 } }
      let mean = sum.map { $0 / Double(taken.count) }
      #expect(mismatch(try values(end, "average.\(name)"), mean, absolute: 1e-6) == nil)
    }
    // Before the window, the network in training is scored.
    let plain = try JSONDecoder().decode(
      TrainingOptions.self,
      from: Data(
        #"{"epochs": 5, "batchSize": 1000, "learningRate": 0.1, "schedule": "constant"}"#.utf8))
    let network = AcousticNetwork(
      features: 4, context: -1...1, hidden: HiddenShape(layers: 1, units: 6), classes: 3, seed: 7)
    let raw = try Trainer(options: plain, seed: 7, workers: .one).train(
      network, on: train, objective: HardTargets(), development: development
    ).history.map(\.developmentLoss)
    let found = outcome.history.map(\.developmentLoss)
    let first = max(0, 5 - last)
    #expect(Array(found[...first]) == Array(raw[...first]))
    #expect(zip(found, raw).dropFirst(first + 1).allSatisfy { $0 != $1 })
  }

  @Test("statistics of normalisation are those of the averaged network on the training frames")
  func statistics() throws {
    let shape = HiddenShape(layers: 2, units: 6, batchNormalization: true)
    // One batch with all frames, whose last steps change the weights little.
    let own = try options(#"{"decay": 0.9}"#, epochs: 4, batchSize: 1000)
    let (outcome, steps) = try run(own, hidden: shape)
    #expect(outcome.epoch > 0)
    let end = try #require(steps.last)
    let weights = try values(end, "best.layers.0.weight")
    let bias = try values(end, "best.layers.0.bias")
    let sums = inputs().map { row in
      (0..<6).map { unit in
        bias[unit] + row.indices.reduce(0) { $0 + row[$1] * weights[unit * row.count + $1] }
      }
    }
    let count = Double(sums.count)
    let mean = (0..<6).map { unit in sums.reduce(0) { $0 + $1[unit] } / count }
    let variance = (0..<6).map { unit in
      sums.reduce(0) { $0 + pow($1[unit] - mean[unit], 2) } / (count - 1)
    }
    #expect(mismatch(try values(end, "best.layers.0.mean"), mean, absolute: 1e-4) == nil)
    #expect(
      mismatch(try values(end, "best.layers.0.variance"), variance, absolute: 1e-4, relative: 1e-3)
        == nil)
    // Those of the network in training are others.
    #expect(mismatch(try values(end, "layers.0.mean"), mean, absolute: 1e-2) != nil)
  }

  /// The normalised frames of the training set with one frame of context on each side.
  private func inputs() -> [[Double]] {
    let source = sampleUtterances(seed: 51)
    return (0..<source.count).flatMap { utterance -> [[Double]] in
      let count = source.frameCount(of: utterance)
      let tile = SharedMatrix(rows: count, columns: 4)
      source.readFeatures(0..<count, of: utterance, into: tile.tile)
      let rows = tile.matrix.doubles.map { row in
        row.indices.map {
          (row[$0] - Double(sampleNormalizer.mean[$0])) / Double(sampleNormalizer.deviation[$0])
        }
      }
      return rows.indices.map { frame in
        (-1...1).flatMap { rows[min(max(frame + $0, 0), count - 1)] }
      }
    }
  }

  @Test(
    "options that are out of range, or contradict each other, are faults",
    arguments: [
      ("{}", "averaging: expected decay or epochs, found neither"),
      (#"{"decay": 0.9, "epochs": 2}"#, "averaging: expected decay or epochs, found both"),
      (#"{"decay": 1}"#, "averaging.decay: expected above 0, below 1, found 1.0"),
      (#"{"epochs": 1}"#, "averaging.epochs: expected 2 to 100,000, found 1"),
      (#"{"epochs": 50}, "epochs": 2"#, "averaging.epochs: expected at most epochs, 2, found 50"),
      (#"{"epochs": 2}, "patience": 2"#, "patience: expected none beside averaging.epochs"),
    ])
  func faults(json: String, expected: String) throws {
    let fault = #expect(throws: OptionFault.self) {
      try JSONDecoder().decode(
        TrainingOptions.self, from: Data("{\"averaging\": \(json)}".utf8))
    }
    #expect("\(try #require(fault))".contains(expected), "\(String(describing: fault))")
  }

  @Test("averaging is not written when it is off, and is read as written")
  func coding() throws {
    #expect(!JSONText.line(TrainingOptions()).contains("averaging"))
    for averaging in [AveragingOptions.exponential(decay: 0.99), .epochs(4)] {
      var own = TrainingOptions()
      own.averaging = averaging
      let text = JSONText.line(own)
      #expect(try JSONDecoder().decode(TrainingOptions.self, from: Data(text.utf8)) == own)
    }
  }
}
