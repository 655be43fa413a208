import ArgumentParser
import Foundation
import LinearAlgebra
import Storage

/// Rates of kernels and whole stages with their limits, as one JSON object a line on standard
/// output.
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "Benchmarks",
    abstract: "Measure rates on this machine, printed as one JSON object a line.",
    subcommands: [
      FeatureBenchmark.self, TrainingBenchmark.self, ForwardBenchmark.self,
      SpecialistBenchmark.self, StreamingBenchmark.self,
    ])
}

/// The entry point.
@main
enum Main {
  static func main() {
    BLASKernels.restartIfBetter()
    FileHandle.standardError.write(Data("OpenBLAS kernels: \(BLASKernels.inUse)\n".utf8))
    Benchmarks.main()
  }
}

/// Prints one result, and what computed it if that varies from machine to machine.
func report(_ name: String, _ value: Double, _ unit: String, kernels: String? = nil) {
  struct Result: Encodable {
    let name: String
    let value: Double
    let unit: String
    let kernels: String?
  }
  print(
    JSONText.line(
      Result(name: name, value: (1000 * value).rounded() / 1000, unit: unit, kernels: kernels)))
}

/// The median of the seconds that `body` takes, after a warm-up run.
func median(_ runs: Int, _ body: () -> Void) -> Double {
  body()
  let times = (0..<max(1, runs)).map { _ in ContinuousClock().measure(body) / .seconds(1) }
  return times.sorted()[times.count / 2]
}
