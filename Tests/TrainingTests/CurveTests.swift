import Features
import Foundation
import LinearAlgebra
import Networks
import Storage
import TestSupport
import Testing
import Training

/// What `Fixtures/make_golden.py` writes.
private struct Golden: Decodable {
  struct Utterance: Decodable {
    let features: [Float]
    let labels: [Int32]
  }

  struct Network: Decodable {
    let offsets: [[Int]]
    let normalised: Bool
    let weights: [[Float]]
    let biases: [[Float]]

    var network: AcousticNetwork {
      AcousticNetwork(
        layers: zip(offsets, zip(weights, biases)).enumerated().map { index, layer in
          let (offsets, (weights, bias)) = layer
          return AffineLayer(
            weights: Matrix(
              rows: bias.count, columns: weights.count / bias.count, values: weights),
            bias: bias, offsets: offsets,
            normalization: normalised && index < biases.count - 1
              ? BatchNormalization(outputs: bias.count) : nil)
        })
    }
  }

  struct Curve: Decodable {
    let network: String
    /// An epoch is one step with all frames.
    let training: TrainingOptions
    let losses: [Double]
    let gradientNorms: [Double]
  }

  let utterances: [Utterance]
  let networks: [String: Network]
  let curves: [Curve]

  static func read() throws -> Golden {
    let path = try #require(Bundle.module.path(forResource: "Fixtures/curves", ofType: "json"))
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }
}

@Suite("Training curves are PyTorch's")
struct CurveTests {
  @Test(
    "losses and gradient norms of each network with each optimiser, step by step",
    arguments: [1, 2])
  func curves(threads: Int) throws {
    let golden = try Golden.read()
    let set = FrameSet(
      FramesInMemory(
        golden.utterances.enumerated().map { index, utterance in
          FramesInMemory.Utterance(
            id: "u\(index)",
            features: Matrix(
              rows: utterance.labels.count, columns: 4, values: utterance.features),
            labels: utterance.labels)
        }),
      normalizer: FeatureNormalizer(mean: [0, 0, 0, 0], deviation: [1, 1, 1, 1]))
    #expect(golden.curves.count == 12)
    for curve in golden.curves {
      let start = try #require(golden.networks[curve.network]).network
      let run = try Trainer(options: curve.training, seed: 1, workers: Workers(count: threads))
        .train(
          start, on: set, objective: HardTargets(), development: set)
      // Single precision against double, over steps that magnify the difference.
      let losses = run.history.map(\.loss)
      #expect(
        mismatch(losses, curve.losses, relative: 2e-4) == nil,
        "\(curve.network), \(curve.training.optimizer)")
      #expect(
        mismatch(run.history.map(\.gradientNorm), curve.gradientNorms, relative: 2e-3) == nil,
        "\(curve.network), \(curve.training.optimizer)")
    }
  }
}
