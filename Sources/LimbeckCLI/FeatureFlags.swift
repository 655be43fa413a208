import ArgumentParser
import Features
import Experiments
import Storage
import SystemPackage

/// Each feature option as a flag, which overrides the file's.
struct FeatureFlags: ParsableArguments {
  @Option(help: "Feature options in YAML, by the names of these flags in camelCase.")
  var config: FilePath?

  @Option(
    parsing: .unconditional, help: "Samples per second that the audio must have. (default: 16000)")
  var sampleRate: Int?
  @Option(parsing: .unconditional, help: "The number of mel bands. (default: 40)")
  var melBins: Int?
  @Option(parsing: .unconditional, help: "The length of a frame in milliseconds. (default: 25)")
  var frameLength: Double?
  @Option(
    parsing: .unconditional, help: "The distance between frames in milliseconds. (default: 10)")
  var frameShift: Double?
  @Option(help: "The window of a frame. (default: povey)")
  var window: WindowShape?
  @Option(parsing: .unconditional, help: "The constant of the Blackman window. (default: 0.42)")
  var blackmanCoefficient: Double?
  @Option(
    parsing: .unconditional,
    help: "The share of the previous sample subtracted from each. (default: 0.97)")
  var preEmphasis: Double?
  @Option(
    name: .customLong("remove-dc-offset"), help: "Subtract each frame's mean. (default: true)")
  var removeDCOffset: Bool?
  @Option(help: "Only frames wholly inside the audio; else mirror it. (default: true)")
  var snipEdges: Bool?
  @Option(help: "Fill the frame with zeros to a power of two. (default: true)")
  var roundToPowerOfTwo: Bool?
  @Option(
    parsing: .unconditional, help: "The lower edge of the lowest band in hertz. (default: 20)")
  var lowFrequency: Double?
  @Option(
    parsing: .unconditional,
    help: """
      The upper edge of the highest band in hertz; zero or less counts from half the sample rate. \
      (default: 0)
      """)
  var highFrequency: Double?
  @Option(help: "The frame's log energy as a first feature. (default: false)")
  var useEnergy: Bool?
  @Option(help: "That energy before pre-emphasis and window. (default: true)")
  var rawEnergy: Bool?
  @Option(parsing: .unconditional, help: "The least energy, for that feature. (default: 0)")
  var energyFloor: Double?
  @Option(help: "Logarithms of the bands' energies. (default: true)")
  var useLog: Bool?
  @Option(help: "The power of the spectrum rather than its magnitude. (default: true)")
  var usePower: Bool?
  @Option(
    parsing: .unconditional, help: "Noise added to 16-bit samples, by utterance id. (default: 0)")
  var dither: Double?

  @Option(help: "Make the mean equal over: none, utterance, speaker, global. (default: none)")
  var normalization: Normalization?
  @Option(help: "Make the variance equal too. (default: false)")
  var normalizeVariance: Bool?
  @Option(parsing: .unconditional, help: "1 appends deltas, 2 also delta-deltas. (default: 0)")
  var deltas: Int?
  @Option(
    parsing: .unconditional, help: "Frames to each side that a delta is computed from. (default: 2)"
  )
  var deltaWindow: Int?

  /// The options of the file, or the defaults, with those of the flags in their place.
  func options() throws -> FeatureOptions {
    var options = try config.map { try decodeYAML($0) } ?? FeatureOptions()
    guard var logMel = options.logMel else {
      throw ValidationError(
        "--config: expected options of log-mel frames, found those of given frames")
    }
    set(&logMel.sampleRate, sampleRate)
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
    options.logMel = logMel
    set(&options.transform.normalization, normalization)
    set(&options.transform.normalizeVariance, normalizeVariance)
    set(&options.transform.deltas, deltas)
    set(&options.transform.deltaWindow, deltaWindow)
    // The file's own are valid.
    do { try options.validate() } catch { throw ValidationError(error.description) }
    return options
  }

  private func set<Value>(_ option: inout Value, _ flag: Value?) {
    if let flag { option = flag }
  }
}

extension WindowShape: ExpressibleByArgument {}
extension Normalization: ExpressibleByArgument {}
