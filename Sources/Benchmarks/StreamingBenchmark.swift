import ArgumentParser
import Classes
import Features
import Foundation
import Limbeck
import LinearAlgebra
import Models
import Networks
import Storage
import SystemPackage

/// The time for class probabilities on one thread: for samples in pieces of 10 ms, and for all at
/// once.
struct StreamingBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "streaming",
    abstract: "Measure class probabilities of 16 kHz samples in pieces of 10 ms and all at once.",
    discussion: """
      The networks have 1.28 million random parameters and 120 classes: a feed-forward network with 840 \
      inputs and four layers of 512 units, and a time-delay network with four layers of 360 units.
      """)

  @Option(help: "Duration of the samples in seconds.")
  var seconds = 10
  @Option(help: "Number of runs for each time; the median is printed.")
  var runs = 5

  func validate() throws {
    guard seconds > 0, runs > 0 else { throw ValidationError("expected positive numbers") }
  }

  func run() throws {
    let offsets = [[-2, -1, 0, 1, 2], [-3, 0, 3], [-3, 0, 3], [-4, 0, 4]]
    for precision in [NetworkPrecision.Name.float32, .int8] {
      try measure(
        "feed-forward 840-512×4-120", context: -15...5, HiddenShape(layers: 4, units: 512),
        precision)
      try measure(
        "time-delay 360×4-120", context: 0...0,
        HiddenShape(layers: 4, units: 360, timeOffsets: offsets), precision)
    }
  }

  private func measure(
    _ name: String, context: ClosedRange<Int>, _ hidden: HiddenShape,
    _ precision: NetworkPrecision.Name
  ) throws {
    let name = precision == .float32 ? name : "\(name) \(precision.rawValue)"
    let model = try model(context: context, hidden, precision)
    var generator = SeededGenerator(3)
    let samples = (0..<16000 * seconds).map { _ in Float(0.1 * generator.normal()) }
    let frames = Double(try model.posteriors(ofSamples: samples, sampleRate: 16000).frames)
    var fault: (any Error)?
    let streamed = median(runs) {
      do { try stream(samples, through: model) } catch { fault = error }
    }
    let whole = median(runs) {
      do { _ = try model.posteriors(ofSamples: samples, sampleRate: 16000) } catch { fault = error }
    }
    if let fault { throw fault }
    report("\(name), stream of 10 ms, real-time factor", streamed / Double(seconds), "s/s")
    report("\(name), stream of 10 ms", 1e6 * streamed / frames, "µs/frame")
    report("\(name), whole", 1e6 * whole / frames, "µs/frame")
  }

  private func stream(_ samples: [Float], through model: Model) throws {
    var stream = try model.stream(sampleRate: 16000)
    for start in stride(from: 0, to: samples.count, by: 160) {
      _ = try stream.push(samples[start..<start + 160].span)
    }
    _ = try stream.finish()
  }

  /// A model with random weights, written to a file and read back.
  private func model(
    context: ClosedRange<Int>, _ hidden: HiddenShape, _ precision: NetworkPrecision.Name
  ) throws -> Model {
    let path = FileManager.default.temporaryDirectory.path + "/limbeck-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    let float32 = AcousticModel(
      network: AcousticNetwork(
        features: 40, context: context, hidden: hidden, classes: 120, seed: 1),
      features: FeatureOptions(),
      normalizer: FeatureNormalizer(
        mean: Array(repeating: 10, count: 40), deviation: Array(repeating: 2, count: 40)),
      classes: ClassInventory(symbols: (0..<120).map { "\($0)" }),
      provenance: AcousticModel.Provenance(
        system: "random", seed: 1, epoch: 1, developmentAccuracy: 0, limbeckVersion: "0"))
    var calibration = Calibration(of: float32)
    var generator = SeededGenerator(4)
    let frames = (0..<200 * 40).map { _ in Float(10 + 2 * generator.normal()) }
    calibration.add(Matrix(rows: 200, columns: 40, values: frames))
    let model = precision == .int8 ? calibration.model(data: "random") : float32
    try model.write(to: FilePath(path))
    return try Model(path: path)
  }
}
