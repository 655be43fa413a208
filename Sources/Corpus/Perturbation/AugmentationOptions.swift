import Storage

/// Perturbed copies of the training utterances.
package struct AugmentationOptions: Sendable, Equatable, Codable {
  /// The number of perturbed copies of each utterance, besides the utterance itself, 0 to 100.
  package var copies = 1
  /// The speed factors of the copies, each 0.5 to 2; speed changes the pitch too.
  ///
  /// A speaker's copies use the factors in turn, starting from a random one. All utterances of the
  /// same copy thus sound like one other speaker, as normalisation per speaker requires.
  package var speed = [0.9, 1.0, 1.1]
  /// The largest change in volume, in decibels up or down, 0 to 40.
  package var volume = 0.0
  /// The lowest and the highest signal-to-noise ratio, in decibels from −40 to 120; empty for no
  /// noise.
  ///
  /// The noise is white and Gaussian; the signal's power is the mean over the utterance.
  package var signalToNoise: [Double] = []
  /// The number of runs of frames whose features are replaced by the utterance's mean (Park et al.,
  /// "SpecAugment", 2019, §2).
  package var timeMasks = 0
  /// The largest number of frames in such a run.
  package var timeMaskFrames = 20
  /// The number of runs of bands whose features are replaced by the utterance's mean.
  package var frequencyMasks = 0
  /// The largest number of bands in such a run.
  package var frequencyMaskBands = 8
  /// The seed of all draws, which depend on it, the utterance's id and the number of the copy.
  package var seed: UInt64 = 1

  /// The defaults: one copy, perturbed in speed alone.
  package init() {}

  /// Whether any features are masked.
  package var hasMasks: Bool { timeMasks > 0 || frequencyMasks > 0 }

  /// The option names in a recipe.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case copies, speed, volume, signalToNoise, timeMasks, timeMaskFrames, frequencyMasks
    case frequencyMaskBands, seed
  }

  /// Reads the options of a recipe; the absent ones keep their defaults.
  ///
  /// - Throws: `OptionFault` for unknown options and values out of range.
  package init(from decoder: any Decoder) throws { try self.init(from: decoder, besides: []) }

  /// Reads the options of a section that has others too.
  ///
  /// - Parameters:
  ///   - decoder: the section.
  ///   - others: its keys that another reader handles.
  /// - Throws: `OptionFault` for unknown options and values out of range.
  package init(from decoder: any Decoder, besides others: [String]) throws {
    let read = try OptionReader<CodingKeys>(decoder, besides: others)
    copies = try read(.copies, default: copies)
    speed = try read(.speed, default: speed)
    volume = try read(.volume, default: volume)
    signalToNoise = try read(.signalToNoise, default: signalToNoise)
    timeMasks = try read(.timeMasks, default: timeMasks)
    timeMaskFrames = try read(.timeMaskFrames, default: timeMaskFrames)
    frequencyMasks = try read(.frequencyMasks, default: frequencyMasks)
    frequencyMaskBands = try read(.frequencyMaskBands, default: frequencyMaskBands)
    seed = try read(.seed, default: seed)
    try requireOption((0...100).contains(copies), "copies", expected: "0 to 100", found: copies)
    try requireOption(
      !speed.isEmpty && speed.allSatisfy { (0.5...2).contains($0) }, "speed",
      expected: "a list of numbers from 0.5 to 2", found: speed)
    try requireOption((0...40).contains(volume), "volume", expected: "0 to 40 dB", found: volume)
    try requireOption(
      signalToNoise.isEmpty
        || signalToNoise.count == 2 && signalToNoise[0] <= signalToNoise[1]
          && signalToNoise.allSatisfy { (-40...120).contains($0) },
      "signalToNoise", expected: "the lowest and the highest, from -40 to 120 dB",
      found: signalToNoise)
    for (key, value, most) in [
      ("timeMasks", timeMasks, 100), ("timeMaskFrames", timeMaskFrames, 10_000),
      ("frequencyMasks", frequencyMasks, 100), ("frequencyMaskBands", frequencyMaskBands, 10_000),
    ] {
      try requireOption((0...most).contains(value), key, expected: "0 to \(most)", found: value)
    }
  }
}
