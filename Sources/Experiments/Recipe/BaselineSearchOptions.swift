import Storage
package import Training

/// The points that are tried to choose how each baseline is trained, by development accuracy, as T
/// and λ are chosen for students: all points of one grid or several.
package struct BaselineSearchOptions: Sendable, Equatable, Codable {
  /// All combinations of some values.
  package struct Grid: Sendable, Equatable, Codable {
    /// The optimiser's kind; absent for the baseline's own.
    ///
    /// Its other options are the baseline's.
    package var optimizer: OptimizerOptions.Kind?
    /// The dropout rates to try, 0 to 0.99; empty for the baseline's own.
    package var dropout: [Double] = []
    /// The initial learning rates to try; empty for the baseline's own.
    ///
    /// The final rate is scaled by the same factor.
    package var learningRate: [Double] = []
    /// The numbers of epochs to try; empty for the baseline's own.
    package var epochs: [Int] = []
    /// The numbers of perturbed copies to train on; empty for the baseline's own.
    package var copies: [Int] = []

    package enum CodingKeys: String, CodingKey, CaseIterable {
      case optimizer, dropout, learningRate, epochs, copies
    }

    package init(from decoder: any Decoder) throws {
      let read = try OptionReader<CodingKeys>(decoder)
      optimizer = try read.optional(.optimizer)
      dropout = try read(.dropout, default: dropout)
      learningRate = try read(.learningRate, default: learningRate)
      epochs = try read(.epochs, default: epochs)
      copies = try read(.copies, default: copies)
      try requireOption(
        dropout.allSatisfy { (0...0.99).contains($0) } && Set(dropout).count == dropout.count,
        "dropout", expected: "0 to 0.99, each once", found: dropout)
      try requireOption(
        learningRate.allSatisfy { $0 > 0 && $0.isFinite }
          && Set(learningRate).count == learningRate.count,
        "learningRate", expected: "above 0, each once", found: learningRate)
      try requireOption(
        epochs.allSatisfy { (1...100_000).contains($0) } && Set(epochs).count == epochs.count,
        "epochs", expected: "1 to 100,000, each once", found: epochs)
      try requireOption(
        copies.allSatisfy { (0...100).contains($0) } && Set(copies).count == copies.count,
        "copies", expected: "0 to 100, each once", found: copies)
    }

    /// The baseline's options with each combination of the values; the last option changes fastest.
    func points(_ own: Point) -> [Point] {
      var points: [Point] = []
      for dropout in dropout.isEmpty ? [own.training.dropout] : dropout {
        for rate in learningRate.isEmpty ? [own.training.rate.learningRate] : learningRate {
          for epochs in epochs.isEmpty ? [own.training.epochs] : epochs {
            for copies in copies.isEmpty ? [own.copies] : copies {
              var point = Point(training: own.training, copies: copies)
              (point.training.dropout, point.training.epochs) = (dropout, epochs)
              point.training.optimizer.kind = optimizer ?? own.training.optimizer.kind
              point.training.rate.learningRate = rate
              point.training.rate.finalLearningRate *= rate / own.training.rate.learningRate
              points.append(point)
            }
          }
        }
      }
      return points
    }
  }

  /// How a baseline is trained.
  package struct Point: Sendable, Equatable {
    var training: TrainingOptions
    /// The number of perturbed copies that it is trained on.
    let copies: Int
  }

  /// The grids, whose points are tried together.
  package let grids: [Grid]

  /// Reads one grid, or a list of grids.
  package init(from decoder: any Decoder) throws {
    if (try? decoder.unkeyedContainer()) != nil {
      grids = try [Grid](from: decoder)
    } else {
      grids = [try Grid(from: decoder)]
    }
  }

  /// Writes a list of grids, which `init(from:)` reads.
  package func encode(to encoder: any Encoder) throws { try grids.encode(to: encoder) }

  /// The distinct options to try; the baseline's own when there is no grid.
  func points(_ own: Point) -> [Point] {
    var points: [Point] = []
    for point in grids.flatMap({ $0.points(own) }) where !points.contains(point) {
      points.append(point)
    }
    return points.isEmpty ? [own] : points
  }
}
