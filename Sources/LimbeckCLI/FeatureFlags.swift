import ArgumentParser
import Features
import Experiments
import Storage
import SystemPackage

/// Every feature option as a flag, which overrides the option in the file.
struct FeatureFlags: ParsableArguments {
  @Option(help: "Feature options in YAML, named like these flags but in camelCase.")
  var config: FilePath?

  @Option(
    parsing: .unconditional,
    help: "The sample rate that the audio must have, in hertz. (default: that of the audio)")
  var sampleRate: Int?
  @Option(parsing: .unconditional, help: "The number of mel bands. (default: 40)")
  var melBins: Int?
  @Option(parsing: .unconditional, help: "The frame length in milliseconds. (default: 25)")
  var frameLength: Double?
  @Option(
    parsing: .unconditional, help: "The frame shift in milliseconds. (default: 10)")
  var frameShift: Double?
  @Option(help: "The window function. (default: povey)")
  var window: WindowShape?
  @Option(parsing: .unconditional, help: "The coefficient of the Blackman window. (default: 0.42)")
  var blackmanCoefficient: Double?
  @Option(
    parsing: .unconditional,
    help: "The pre-emphasis coefficient. (default: 0.97)")
  var preEmphasis: Double?
  @Option(
    name: .customLong("remove-dc-offset"), help: "Subtract each frame's mean. (default: true)")
  var removeDCOffset: Bool?
  @Option(
    help:
      "Keep only frames that are entirely inside the audio; if false, mirror its edges. (default: true)"
  )
  var snipEdges: Bool?
  @Option(help: "Zero-pad each frame to a power of two. (default: true)")
  var roundToPowerOfTwo: Bool?
  @Option(
    parsing: .unconditional, help: "The lower edge of the lowest mel band in hertz. (default: 20)")
  var lowFrequency: Double?
  @Option(
    parsing: .unconditional,
    help: """
      The upper edge of the highest mel band in hertz; zero or less is an offset from the Nyquist frequency. \
      (default: 0)
      """)
  var highFrequency: Double?
  @Option(help: "Add the frame's log energy as the first feature. (default: false)")
  var useEnergy: Bool?
  @Option(help: "Compute that energy before pre-emphasis and windowing. (default: true)")
  var rawEnergy: Bool?
  @Option(parsing: .unconditional, help: "The floor of that energy. (default: 0)")
  var energyFloor: Double?
  @Option(help: "Take the logarithm of the mel energies. (default: true)")
  var useLog: Bool?
  @Option(help: "Use the power spectrum rather than the magnitude spectrum. (default: true)")
  var usePower: Bool?
  @Option(
    parsing: .unconditional,
    help:
      """
      The standard deviation of the Gaussian noise added to samples, in units of a 16-bit sample; the \
      noise depends only on the utterance's id. (default: 0)
      """)
  var dither: Double?
  @Option(help: "The precision of the Fourier transform. (default: single)")
  var precision: TransformPrecision?

  @Option(help: "Normalise the mean by utterance, by speaker, global or none. (default: none)")
  var normalization: Normalization?
  @Option(help: "Normalise the variance, too. (default: false)")
  var normalizeVariance: Bool?
  @Option(
    parsing: .unconditional,
    help: "The order of the deltas to append: 1 for deltas, 2 for delta-deltas too. (default: 0)")
  var deltas: Int?
  @Option(
    parsing: .unconditional,
    help: "The number of frames on each side that a delta is computed from. (default: 2)"
  )
  var deltaWindow: Int?

  /// The options in the file, or the defaults, overridden by the flags.
  func settings() throws -> FeatureSettings {
    var options = try config.map { try decodeYAML($0) } ?? FeatureSettings()
    if let sampleRate { options.sampleRate = sampleRate }
    var logMel = options.logMel
    set(&logMel.melBins, melBins)
    set(&logMel.frameLength, frameLength)
    set(&logMel.frameShift, frameShift)
    set(&logMel.window, window)
    set(&logMel.blackmanCoefficient, blackmanCoefficient)
    set(&logMel.preEmphasis, preEmphasis)
    set(&logMel.removeDCOffset, removeDCOffset)
    set(&logMel.snipEdges, snipEdges)
    set(&logMel.roundToPowerOfTwo, roundToPowerOfTwo)
    set(&logMel.lowFrequency, lowFrequency)
    set(&logMel.highFrequency, highFrequency)
    set(&logMel.useEnergy, useEnergy)
    set(&logMel.rawEnergy, rawEnergy)
    set(&logMel.energyFloor, energyFloor)
    set(&logMel.useLog, useLog)
    set(&logMel.usePower, usePower)
    set(&logMel.dither, dither)
    set(&logMel.precision, precision)
    options.logMel = logMel
    set(&options.transform.normalization, normalization)
    set(&options.transform.normalizeVariance, normalizeVariance)
    set(&options.transform.deltas, deltas)
    set(&options.transform.deltaWindow, deltaWindow)
    // The options in the file have been validated.
    do { try options.validate() } catch { throw ValidationError(error.description) }
    return options
  }

  private func set<Value>(_ option: inout Value, _ flag: Value?) {
    if let flag { option = flag }
  }
}

extension WindowShape: ExpressibleByArgument {}
extension TransformPrecision: ExpressibleByArgument {}
extension Normalization: ExpressibleByArgument {}
