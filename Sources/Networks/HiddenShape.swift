import Storage

/// The size of a network between its input and its classes, and how its layers see time.
package struct HiddenShape: Sendable, Equatable, Codable {
  /// Hidden layers.
  package var layers = 4
  /// Rectified linear units a layer.
  package var units = 512
  /// Of a time-delay network, which frames of the layer below each hidden layer sees, as offsets from its
  /// own frame, from the first hidden layer up; absent for a feed-forward network, whose first layer sees
  /// the recipe's `context` and whose others see their own frame.
  ///
  /// `[[-2, -1, 0, 1, 2], [-1, 0, 1], [-3, 0, 3]]` sees 6 frames to each side in all (Peddinti, Povey and
  /// Khudanpur 2015, "A time delay neural network architecture").
  package var timeOffsets: [[Int]]?
  /// Whether each hidden layer's sums are normalised over the batch before the rectifier (Ioffe and Szegedy
  /// 2015); a model that is saved has it folded into its weights.
  package var batchNormalization = false

  package init() {}

  package init(
    layers: Int, units: Int, timeOffsets: [[Int]]? = nil, batchNormalization: Bool = false
  ) {
    (self.layers, self.units) = (layers, units)
    (self.timeOffsets, self.batchNormalization) = (timeOffsets, batchNormalization)
  }

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
    try requireOption(
      timeOffsets.count == layers && layers > 0, "timeOffsets",
      expected: "a list for each of \(layers) layers, one at least", found: timeOffsets.count)
    for offsets in timeOffsets {
      try requireOption(
        !offsets.isEmpty && zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 }
          && offsets.allSatisfy { (-1000...1000).contains($0) },
        "timeOffsets", expected: "frames in rising order from -1000 to 1000", found: offsets)
    }
  }

  /// What each layer sees of time.
  ///
  /// - Parameter context: what a feed-forward network's first layer sees.
  /// - Returns: the frames of the layer below, from the first hidden layer to the one of the classes.
  package func offsets(context: ClosedRange<Int>) -> [[Int]] {
    if let timeOffsets { return timeOffsets + [[0]] }
    return [Array(context)] + Array(repeating: [0], count: layers)
  }
}
