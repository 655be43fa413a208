import Storage

/// The hidden layers of a network, and the frames that they see.
package struct HiddenShape: Sendable, Equatable, Codable {
  /// The number of hidden layers.
  package var layers = 4
  /// The number of rectified linear units per layer.
  package var units = 512
  /// The frames of the layer below that each hidden layer of a time-delay network sees.
  ///
  /// The lists run from the first hidden layer up, with offsets relative to the layer's own frame.
  /// Nil means a feed-forward network: its first layer sees the recipe's `context`, and the others
  /// see only their own frame.
  ///
  /// `[[-2, -1, 0, 1, 2], [-1, 0, 1], [-3, 0, 3]]` sees 6 frames on each side in all (Peddinti,
  /// Povey and Khudanpur 2015, "A time delay neural network architecture").
  package var timeOffsets: [[Int]]?
  /// Whether each hidden layer's sums are normalised over the batch before the rectifier.
  ///
  /// See Ioffe and Szegedy 2015. When a model is saved, its normalisation is folded into its
  /// weights.
  package var batchNormalization = false

  /// The default shape: 4 feed-forward layers of 512 units.
  package init() {}

  /// A shape as given; only shapes read from a file are checked.
  package init(
    layers: Int, units: Int, timeOffsets: [[Int]]? = nil, batchNormalization: Bool = false
  ) {
    (self.layers, self.units) = (layers, units)
    (self.timeOffsets, self.batchNormalization) = (timeOffsets, batchNormalization)
  }

  /// The options' keys in a recipe.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case layers, units, timeOffsets, batchNormalization
  }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    timeOffsets = try read.optional(.timeOffsets)
    layers = try read(.layers, default: timeOffsets?.count ?? layers)
    units = try read(.units, default: units)
    batchNormalization = try read(.batchNormalization, default: batchNormalization)
    try requireOption((0...1000).contains(layers), "layers", expected: "0 to 1000", found: layers)
    try requireOption((1...65536).contains(units), "units", expected: "1 to 65536", found: units)
    guard let timeOffsets else { return }
    try requireFit(
      timeOffsets.count == layers && layers > 0, "timeOffsets",
      expected: "one list for each of \(layers) layers, at least one", found: timeOffsets.count)
    for offsets in timeOffsets {
      try requireOption(
        !offsets.isEmpty && zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 }
          && offsets.allSatisfy { (-1000...1000).contains($0) },
        "timeOffsets", expected: "ascending frame offsets from -1000 to 1000", found: offsets)
    }
  }

  /// The same layers with two fifths of the units.
  ///
  /// The weights within a layer fall to 16 %, those from the input and to the output to 40 %: about
  /// a quarter in all for the usual shapes.
  package var quarter: HiddenShape {
    var own = self
    own.units = max(1, Int((0.4 * Double(units)).rounded()))
    return own
  }

  /// The frames of the layer below that each layer sees, relative to its own frame.
  ///
  /// - Parameter context: the frames that a feed-forward network's first layer sees.
  /// - Returns: one list per layer, from the first hidden layer to the output layer.
  package func offsets(context: ClosedRange<Int>) -> [[Int]] {
    if let timeOffsets { return timeOffsets + [[0]] }
    return [Array(context)] + Array(repeating: [0], count: layers)
  }
}
