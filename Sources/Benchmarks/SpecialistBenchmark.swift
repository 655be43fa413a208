import ArgumentParser
import Distillation
import LinearAlgebra
import Networks

/// The rate of combining a generalist and specialists, on one thread.
struct SpecialistBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "specialists",
    abstract: "Measure combining a generalist's and specialists' distributions, on one thread.")

  @Argument(help: "Number of classes.")
  var classes = 120
  @Argument(help: "Number of specialists.")
  var specialists = 8
  @Argument(help: "Number of classes of a specialist, drawn at random, so that sets overlap.")
  var size = 30
  @Option(help: "How many of the generalist's most probable classes decide on active specialists.")
  var active = 1

  func run() {
    // Seed 1; logits with a deviation of 3, about as confident as a trained network.
    var generator = SeededGenerator(1)
    func distributions(_ columns: Int) -> Matrix {
      var matrix = Matrix(
        rows: 4096, columns: columns,
        values: (0..<4096 * columns).map { _ in Float(3 * generator.normal()) })
      matrix.replaceRowsBySoftmax()
      return matrix
    }
    let sets = (0..<specialists).map { _ in
      Array(generator.permutation(of: classes).prefix(size)).sorted()
    }
    let combination = SpecialistCombination(classes: classes, specialists: sets)
    let generalist = distributions(classes)
    let parts = sets.map { distributions($0.count + 1) }
    let covering = (0..<4096).reduce(0) {
      $0 + combination.active(generalist.row($1), n: active).count
    }
    let seconds = median(5) { _ = combination.combined(generalist, parts, n: active) }
    report("active specialists a frame", Double(covering) / 4096, "")
    report("combination, 1 thread", 4096 / seconds, "frames/s")
  }
}
