import Audio
import Foundation
package import LinearAlgebra

/// How one copy of an utterance differs from it.
package struct Perturbation: Sendable, Equatable {
  private let options: AugmentationOptions
  private let key: [UInt64]
  /// How many times as fast it is.
  package let speed: Double
  /// What samples are multiplied by.
  package let gain: Double
  /// In decibels; nil for no noise.
  package let signalToNoise: Double?

  /// - Parameters:
  ///   - options: what is drawn from.
  ///   - utterance: its id.
  ///   - speaker: whose it is; nil when that is unknown, and the utterance then stands for the speaker.
  ///   - copy: the number of the copy, from 1.
  package init(_ options: AugmentationOptions, of utterance: String, speaker: String?, copy: Int) {
    self.options = options
    key = [options.seed, stableHash(utterance), UInt64(copy)]
    var generator = SeededGenerator(key)
    var turns = SeededGenerator([options.seed, stableHash(speaker ?? utterance)])
    let start = turns.integer(below: options.speed.count)
    speed = options.speed[(start + copy - 1) % options.speed.count]
    gain = pow(10, options.volume * (2 * generator.uniform() - 1) / 20)
    let share = generator.uniform()
    signalToNoise =
      options.signalToNoise.isEmpty
      ? nil
      : options.signalToNoise[0] + share * (options.signalToNoise[1] - options.signalToNoise[0])
  }

  /// The noise that is added to samples, whose power is that of the whole utterance.
  package func noise(atPower power: Double) -> (generator: SeededGenerator, deviation: Double)? {
    signalToNoise.map {
      (SeededGenerator(key + [1]), (power / pow(10, $0 / 10)).squareRoot())
    }
  }

  /// Runs of frames and of bands that are masked.
  ///
  /// - Parameters:
  ///   - frames: how many the copy has.
  ///   - bands: how many features a frame has.
  /// - Returns: runs, which may be empty or overlap.
  package func masks(frames: Int, bands: Int) -> (times: [Range<Int>], bands: [Range<Int>]) {
    var generator = SeededGenerator(key + [2])
    func runs(_ count: Int, _ most: Int, of total: Int) -> [Range<Int>] {
      (0..<count).map { _ in
        let length = min(total, generator.integer(below: most + 1))
        let start = generator.integer(below: total - length + 1)
        return start..<start + length
      }
    }
    return (
      runs(options.timeMasks, options.timeMaskFrames, of: frames),
      runs(options.frequencyMasks, options.frequencyMaskBands, of: bands)
    )
  }

  /// Replaces what is masked.
  ///
  /// - Parameters:
  ///   - piece: some frames of the copy.
  ///   - first: which frame its first row is.
  ///   - count: the frames of the whole copy.
  ///   - means: what masked features become, one a band.
  package func mask(
    _ piece: inout Matrix, from first: Int, of count: Int, by means: [Float]
  ) {
    let masks = masks(frames: count, bands: means.count)
    let masked = means.indices.filter { band in masks.bands.contains { $0.contains(band) } }
    piece.withRows(0..<piece.rows) { number, row in
      if masks.times.contains(where: { $0.contains(first + number) }) {
        for band in row.indices { row[band] = means[band] }
      } else {
        for band in masked { row[band] = means[band] }
      }
    }
  }
}

/// Changes the samples of one copy of an utterance, piece by piece.
package final class WaveformPerturbation {
  private let gain: Float
  private let speed: SpeedChange?
  private var noise: (generator: SeededGenerator, deviation: Double)?

  /// - Parameters:
  ///   - perturbation: what is changed.
  ///   - power: the mean square of the utterance's samples; used for noise alone.
  package init(_ perturbation: Perturbation, power: Double) {
    gain = Float(perturbation.gain)
    speed = perturbation.speed == 1 ? nil : SpeedChange(factor: perturbation.speed)
    noise = perturbation.noise(atPower: power)
  }

  /// Replaces samples by those that are ready; what is still inside comes with the last.
  package func apply(to samples: inout [Float], isLast: Bool) {
    if let speed { samples = speed.push(samples, isLast: isLast) }
    if var own = noise {
      for index in samples.indices {
        samples[index] += Float(own.deviation * own.generator.normal())
      }
      noise = own
    }
    for index in samples.indices { samples[index] *= gain }
  }
}
