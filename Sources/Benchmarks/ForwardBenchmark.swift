import ArgumentParser
import LinearAlgebra
import Networks

/// Forward passes of a feed-forward network in each precision, in one run.
struct ForwardBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forward",
    abstract:
      "Measure forward passes in float32, int8 and bfloat16: frames/s, and the kernels in use.",
    discussion: """
      The network has random weights. Batches arrive in a stream, as from score and posteriors, and rounding of \
      inputs and outputs is included.
      """)

  @Argument(help: "Number of inputs of the network.")
  var inputs = 840
  @Argument(help: "Number of units in a hidden layer.")
  var hidden = 512
  @Argument(help: "Number of hidden layers.")
  var layers = 4
  @Argument(help: "Number of classes.")
  var classes = 120
  @Argument(help: "Number of frames in a batch.")
  var batch = 256
  @Option(help: "Number of threads.")
  var threads = 1
  @Option(help: "Number of runs for each rate; the median is printed.")
  var runs = 9

  func validate() throws {
    guard inputs > 0, hidden > 0, layers >= 0, classes > 1, batch > 0, threads > 0, runs > 0 else {
      throw ValidationError("expected positive numbers")
    }
    guard max(inputs, hidden) <= ByteWeights.mostInputs else {
      throw ValidationError("expected layers of at most \(ByteWeights.mostInputs) inputs")
    }
  }

  func run() {
    let network = AcousticNetwork(
      features: inputs, context: 0...0, hidden: HiddenShape(layers: layers, units: hidden),
      classes: classes, seed: 1)
    var generator = SeededGenerator(2)
    let values = (0..<batch * inputs).map { _ in Float(generator.normal()) }
    let input = Matrix(rows: batch, columns: inputs, values: values)
    var histograms = network.layers.map { _ in MagnitudeHistogram() }
    _ = network.logits(of: SharedMatrix(input)) { histograms[$0].add($1) }
    let steps = zip(network.layers, histograms).enumerated().map { index, layer in
      layer.0.steps(input: layer.1.step(steps: index == 0 ? 127 : 255))
    }
    let float32 = rate(InferenceNetwork(network), input)
    for precision in [NetworkPrecision.int8(steps), .bfloat16] {
      let own = rate(InferenceNetwork(network, precision: precision), input)
      report("forward \(precision.name) over float32", own / float32, "times")
    }
  }

  /// Measures and reports frames/s.
  private func rate(_ network: InferenceNetwork, _ input: Matrix) -> Double {
    var stream = NetworkStream(network, mostRows: batch, workers: Workers(count: threads))
    // About 10,000 frames.
    let batches = max(1, 10_000 / batch)
    let seconds = median(runs) {
      for _ in 0..<batches {
        var logits = Matrix(rows: 0, columns: classes)
        stream.push(batch, appendingTo: &logits) { index, row in
          RowKernels.copy(input.row(index), into: &row)
        }
      }
    }
    let rate = Double(batches * batch) / seconds
    report(
      "forward \(network.precision.name)", rate, "frames/s", kernels: network.kernel)
    return rate
  }
}
