import ArgumentParser
import Storage

/// Rates of kernels and whole stages with their limits, as one JSON object a line on standard
/// output.
@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "Benchmarks",
    abstract: "Measure rates on this machine, printed as one JSON object a line.",
    subcommands: [
      FeatureBenchmark.self, TrainingBenchmark.self, SpecialistBenchmark.self,
      StreamingBenchmark.self,
    ])
}

/// Prints one result.
func report(_ name: String, _ value: Double, _ unit: String) {
  struct Result: Encodable {
    let name: String
    let value: Double
    let unit: String
  }
  print(JSONText.line(Result(name: name, value: (1000 * value).rounded() / 1000, unit: unit)))
}

/// The median of the seconds that `body` takes, after a warm-up run.
func median(_ runs: Int, _ body: () -> Void) -> Double {
  body()
  let times = (0..<max(1, runs)).map { _ in ContinuousClock().measure(body) / .seconds(1) }
  return times.sorted()[times.count / 2]
}
