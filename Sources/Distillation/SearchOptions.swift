import Storage

/// The temperatures, hard weights and means to try; development accuracy decides among them.
package struct SearchOptions: Sendable, Equatable, Codable {
  /// The values of T, each positive.
  package var temperatures = [1.0, 2, 5, 10]
  /// The values of λ, each in [0, 1].
  package var hardWeights = [0.0, 0.1, 0.5]
  /// The ways to average the members' distributions.
  package var means = [TeacherMean.arithmetic]
  /// The number of epochs of each trial student; nil for as many as the final student's.
  package var epochs: Int?
  /// The number of perturbed copies that trial students learn from; nil for all.
  package var copies: Int?

  /// The defaults.
  package init() {}

  /// The option names in a recipe.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case temperatures, hardWeights, means, epochs, copies
  }

  /// Reads the options of a recipe; absent ones keep their defaults.
  ///
  /// - Throws: `OptionFault` for unknown options, repeated values and values out of range.
  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    temperatures = try read(.temperatures, default: temperatures)
    hardWeights = try read(.hardWeights, default: hardWeights)
    means = try read(.means, default: means)
    epochs = try read.optional(.epochs)
    copies = try read.optional(.copies)
    try requireOption(
      (0...100).contains(copies ?? 0), "copies", expected: "0 to 100", found: copies ?? 0)
    func requireList(_ list: [some Hashable], _ key: CodingKeys) throws(OptionFault) {
      try requireOption(
        !list.isEmpty && Set(list).count == list.count, key.stringValue,
        expected: "one or more distinct values", found: list)
    }
    try requireList(temperatures, .temperatures)
    try requireList(hardWeights, .hardWeights)
    try requireList(means, .means)
    try requireOption(
      temperatures.allSatisfy { $0 > 0 && $0.isFinite }, "temperatures", expected: "above 0",
      found: temperatures)
    try requireOption(
      hardWeights.allSatisfy { (0...1).contains($0) }, "hardWeights", expected: "0 to 1",
      found: hardWeights)
    try requireOption(
      (1...100_000).contains(epochs ?? 1), "epochs", expected: "1 to 100,000", found: epochs ?? 1)
  }

  /// The points of the grid, at least one: for each mean, for each T, each λ.
  ///
  /// - Parameter options: those that the grid leaves unchanged.
  /// - Returns: the points, in that order.
  package func points(of options: DistillationOptions = .init()) -> [DistillationOptions] {
    means.flatMap { mean in
      temperatures.flatMap { temperature in
        hardWeights.map { hardWeight in
          var point = options
          (point.temperature, point.hardWeight, point.mean) = (temperature, hardWeight, mean)
          return point
        }
      }
    }
  }
}
