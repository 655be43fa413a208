import Storage

/// How the weights of a network are averaged during its training; the averaged network is scored,
/// chosen and written.
package enum AveragingOptions: Sendable, Equatable, Codable {
  /// The exponential moving average over steps (Polyak and Juditsky 1992; Tarvainen and Valpola
  /// 2017, "Mean teachers are better role models", §2).
  ///
  /// After step t, counted from 0, `w̄ ← d · w̄ + (1 − d) · w` with
  /// `d = min(decay, (1 + t) / (10 + t))`, so that the first steps are soon forgotten. The decay is
  /// above 0 and below 1.
  case exponential(decay: Double)
  /// The mean over the ends of the last epochs, from 2 to all (Izmailov et al. 2018, "Averaging weights
  /// leads to wider optima and better generalization").
  ///
  /// Before the first of them, the network in training takes its place.
  case epochs(Int)

  /// The option names in a recipe, of which exactly one is given.
  package enum CodingKeys: String, CodingKey, CaseIterable { case decay, epochs }

  /// Reads `decay` or `epochs`.
  ///
  /// - Throws: `OptionFault` for unknown options, values out of range, and both or neither of them.
  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    let decay: Double? = try read.optional(.decay)
    let epochs: Int? = try read.optional(.epochs)
    if let decay, epochs == nil {
      try requireOption(
        decay > 0 && decay < 1, "decay", expected: "above 0, below 1", found: decay)
      self = .exponential(decay: decay)
    } else if let epochs, decay == nil {
      try requireOption(
        (2...100_000).contains(epochs), "epochs", expected: "2 to 100,000", found: epochs)
      self = .epochs(epochs)
    } else {
      throw OptionFault.unfit(
        key: "", expected: "decay or epochs", found: decay == nil ? "neither" : "both")
    }
  }

  /// Writes what `init(from:)` reads.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .exponential(let decay): try container.encode(decay, forKey: .decay)
    case .epochs(let epochs): try container.encode(epochs, forKey: .epochs)
    }
  }
}
