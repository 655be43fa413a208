import Features
package import LinearAlgebra
import Networks

/// Chooses the steps of a model's 8-bit numbers from the values that its layers see.
///
/// Each layer's input gets the step with the smallest squared error (`MagnitudeHistogram.step`), each output's weights
/// the step that just reaches the largest of them.
package struct Calibration: Sendable {
  /// The features that steps were chosen on.
  package struct Record: Sendable, Equatable, Codable {
    /// Their path, as given.
    package let data: String
    /// The number of utterances.
    package let utterances: Int
    /// The number of frames.
    package let frames: Int

    /// A record of given content.
    package init(data: String, utterances: Int, frames: Int) {
      (self.data, self.utterances, self.frames) = (data, utterances, frames)
    }
  }

  private let model: AcousticModel
  /// The magnitudes that each layer sees.
  private var histograms: [MagnitudeHistogram]
  /// The number of utterances so far.
  package private(set) var utterances = 0
  /// The number of frames so far.
  package private(set) var frames = 0

  /// A calibration without frames yet.
  ///
  /// - Parameter model: a model in float32 whose network `fitsBytes`.
  package init(of model: AcousticModel) {
    precondition(
      model.precision == .float32 && model.network.fitsBytes,
      "Calibration: a model in \(model.precision.name)")
    self.model = model
    histograms = model.network.layers.map { _ in MagnitudeHistogram() }
  }

  /// Adds the frames of an utterance.
  ///
  /// - Parameter features: [frames × `features.columns`], finite, before `normalizer` is applied.
  package mutating func add(_ features: Matrix) {
    let network = model.network
    let (offsets, above) = (network.layers[0].offsets, network.contextAboveInput)
    let seen = SharedMatrix(model.normalizer.applied(to: features))
    histograms[0].add(seen)
    for start in stride(from: 0, to: seen.rows, by: framesAPart) {
      let end = min(seen.rows, start + framesAPart)
      let input = SharedMatrix(
        rows: end - start + above.upperBound - above.lowerBound, columns: network.inputs)
      for row in 0..<input.rows {
        input.withRow(row) {
          seen.splice(
            start + above.lowerBound + row, at: offsets, firstRow: 0, count: seen.rows, into: &$0)
        }
      }
      _ = network.logits(of: input) { layer, input in
        if layer > 0 { histograms[layer].add(input) }
      }
    }
    utterances += 1
    frames += seen.rows
  }

  /// The model in int8.
  ///
  /// - Parameter data: the path of the features that were added.
  /// - Returns: the model, whose steps come from the frames added, at least one.
  package func model(data: String) -> AcousticModel {
    precondition(frames > 0, "Calibration: no frames")
    let steps = zip(model.network.layers, histograms).enumerated().map { index, layer in
      // The first layer's input may be negative.
      layer.0.steps(input: layer.1.step(steps: index == 0 ? 127 : 255))
    }
    return model.with(
      .int8(steps), calibration: Record(data: data, utterances: utterances, frames: frames))
  }
}

/// The number of frames that are computed at a time.
private let framesAPart = 1008
