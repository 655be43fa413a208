import ArgumentParser

/// Rates of hot kernels and whole stages, each beside its limit: one JSON object a line on standard
/// output.
@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "Benchmarks",
    abstract: "Measures rates on this machine; one JSON object a line.",
    subcommands: [FeatureBenchmark.self])
}
