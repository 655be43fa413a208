import Storage

/// Perturbed copies of the training utterances, on which an ensemble labels frames for a student.
package struct AugmentationOptions: Sendable, Equatable, Codable {
  /// How many perturbed copies there are of each utterance, besides itself.
  package var copies = 1
  /// How many times as fast a copy is played, pitch and all.
  ///
  /// The copies of a speaker take these in turn, from one at random; so all utterances of a copy sound like one
  /// other speaker, which normalisation by speaker asks for.
  package var speed = [0.9, 1.0, 1.1]
  /// The largest change of the volume, in decibels up or down.
  package var volume = 0.0
  /// The least and the largest ratio of the utterance's power to that of white Gaussian noise, in decibels;
  /// empty for no noise.
  package var signalToNoise: [Double] = []
  /// Runs of frames whose features become the utterance's mean (Park et al., "SpecAugment", 2019, §2).
  package var timeMasks = 0
  /// The most frames of such a run.
  package var timeMaskFrames = 20
  /// Runs of bands whose features become the utterance's mean.
  package var frequencyMasks = 0
  /// The most bands of such a run.
  package var frequencyMaskBands = 8
  /// What is drawn depends on the seed, the utterance's id and the number of the copy.
  package var seed: UInt64 = 1

  package init() {}

  /// Whether features are masked.
  package var hasMasks: Bool { timeMasks > 0 || frequencyMasks > 0 }

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case copies, speed, volume, signalToNoise, timeMasks, timeMaskFrames, frequencyMasks
    case frequencyMaskBands, seed
  }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
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
      "signalToNoise", expected: "the least and the largest, from -40 to 120 dB",
      found: signalToNoise)
    for (key, value, most) in [
      ("timeMasks", timeMasks, 100), ("timeMaskFrames", timeMaskFrames, 10_000),
      ("frequencyMasks", frequencyMasks, 100), ("frequencyMaskBands", frequencyMaskBands, 10_000),
    ] {
      try requireOption((0...most).contains(value), key, expected: "0 to \(most)", found: value)
    }
  }
}
