import Audio
import Foundation
package import LinearAlgebra

/// The perturbation of one copy of an utterance.
package struct Perturbation: Sendable, Equatable {
  private let options: AugmentationOptions
  private let key: [UInt64]
  /// The speed factor; 1 leaves the speed unchanged.
  package let speed: Double
  /// The factor by which samples are multiplied, noise included.
  package let gain: Double
  /// The signal-to-noise ratio in decibels; nil for no noise.
  package let signalToNoise: Double?

  /// Draws the perturbation; the same arguments always give the same one.
  ///
  /// - Parameters:
  ///   - options: what to draw from.
  ///   - utterance: the utterance's id.
  ///   - speaker: the speaker's id; nil when unknown, in which case each utterance counts as its
  ///     own speaker.
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

  /// The noise to add to the samples.
  ///
  /// - Parameter power: the mean square of the utterance's samples.
  /// - Returns: the generator and the standard deviation of the noise; nil for no noise.
  package func noise(atPower power: Double) -> (generator: SeededGenerator, deviation: Double)? {
    signalToNoise.map {
      (SeededGenerator(key + [1]), (power / pow(10, $0 / 10)).squareRoot())
    }
  }

  /// The runs of frames and of bands to mask.
  ///
  /// - Parameters:
  ///   - frames: the number of frames in the copy.
  ///   - bands: the number of features in a frame.
  /// - Returns: the runs, which may be empty or overlap.
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

  /// Replaces the masked features.
  ///
  /// - Parameters:
  ///   - piece: consecutive frames of the copy, [frames × bands].
  ///   - first: the frame that is its first row.
  ///   - count: the number of frames in the whole copy.
  ///   - means: the values that replace masked features, one per band.
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

/// Perturbs the samples of one copy of an utterance, piece by piece: speed, then noise, then gain.
package final class WaveformPerturbation {
  private let gain: Float
  private let speed: SpeedChange?
  private var noise: (generator: SeededGenerator, deviation: Double)?

  /// - Parameters:
  ///   - perturbation: the perturbation of the copy.
  ///   - power: the mean square of the utterance's samples; used only for the noise.
  package init(_ perturbation: Perturbation, power: Double) {
    gain = Float(perturbation.gain)
    speed = perturbation.speed == 1 ? nil : SpeedChange(factor: perturbation.speed)
    noise = perturbation.noise(atPower: power)
  }

  /// Replaces the samples of the next piece by the perturbed samples that are ready.
  ///
  /// A change of speed delays samples; the last call, with `isLast`, returns the rest.
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
