import Storage

/// Which temperatures, weights of the hard term and means are tried, to choose by development accuracy.
package struct SearchOptions: Sendable, Equatable, Codable {
  /// T, each positive.
  package var temperatures = [1.0, 2, 5, 10]
  /// λ, each in [0, 1].
  package var hardWeights = [0.0, 0.1, 0.5]
  package var means = [TeacherMean.arithmetic]
  /// Passes of each student that is tried; nil for as many as the student has.
  package var epochs: Int?
  /// How many of the perturbed copies the students that are tried learn from; nil for all of them.
  package var copies: Int?

  package init() {}

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case temperatures, hardWeights, means, epochs, copies
  }

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
        expected: "values, each once", found: list)
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

  /// What is tried: for each mean and T in their order, each λ.
  ///
  /// - Parameter largest: how many probabilities of a frame are stored; nil for all.
  /// - Returns: one point at least.
  package func points(largest: Int? = nil) -> [DistillationOptions] {
    means.flatMap { mean in
      temperatures.flatMap { temperature in
        hardWeights.map {
          DistillationOptions(
            temperature: temperature, hardWeight: $0, mean: mean, largest: largest)
        }
      }
    }
  }
}
