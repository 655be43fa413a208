import Features
import LinearAlgebra
import Models
package import Storage

/// Decides on the class of each frame of a recording while its samples arrive.
///
/// The decisions are those on the whole recording, to the bit, however the samples are cut into
/// pieces. Memory does not grow with the recording. A stream belongs to one thread.
package struct DecisionStream: ~Copyable {
  private let classifier: FrameClassifier
  private let origin: Origin
  private var features: FeatureStream
  private var logits: SystemStream
  /// The number of samples that have arrived.
  private var samples = 0

  /// A stream at the start of a recording.
  ///
  /// - Parameters:
  ///   - classifier: the model or models; the values that it computes do not matter.
  ///   - rate: the sample rate in hertz.
  ///   - origin: the name of the samples in messages, whose dither it seeds.
  /// - Throws: `FileFault` when the rate is not the model's, when the model was trained on another
  ///   program's features, or when its features are normalised, which needs more than the samples
  ///   around a frame.
  package init(
    _ classifier: FrameClassifier, sampleRate rate: Int, origin: Origin
  ) throws(FileFault) {
    let (options, path) = (classifier.features, classifier.system.path)
    guard let logMel = options.logMel else {
      throw .malformed(
        path: path, expected: "a model of audio, as a stream needs",
        found: "one of another program's features")
    }
    guard rate == logMel.sampleRate else {
      throw .malformed(
        path: origin, expected: "samples at \(logMel.sampleRate) Hz, the rate of \(path.text)",
        found: "\(rate) Hz")
    }
    guard options.transform.normalization == .none else {
      throw .malformed(
        path: path, expected: "a model whose features are not normalised, as a stream needs",
        found: "normalization: \(options.transform.normalization.rawValue)")
    }
    (self.classifier, self.origin) = (classifier, origin)
    let transform = options.transform
    features = FeatureStream(
      logMel, Deltas(order: transform.deltas, window: transform.deltaWindow), utterance: "\(origin)"
    )
    logits = SystemStream(classifier.system, mostFrames: framesAPart)
  }

  /// Takes the next samples.
  ///
  /// - Parameters:
  ///   - new: any number of samples, one channel; full scale is [-1, 1).
  ///   - report: receives the decisions on the frames that have become known.
  /// - Throws: `FileFault` for a sample that is not finite, after the decisions that the samples
  ///   before it permit; for a posterior that is not finite; and what `report` throws.
  package mutating func push(
    _ new: [Float], report: (FrameDecisions) throws -> Void
  ) throws {
    let finite = new.prefix(while: \.isFinite)
    let known = logits.push(features.push(finite.span))
    try report(decisions(known))
    samples += finite.count
    guard finite.count == new.count else {
      throw FileFault.malformed(
        path: origin, expected: "finite samples",
        found: "\(new[finite.count]) in sample \(samples), counted from 0")
    }
  }

  /// Ends the recording.
  ///
  /// - Returns: the decisions on the last frames.
  /// - Throws: `FileFault` for a posterior that is not finite.
  package mutating func finish() throws(FileFault) -> FrameDecisions {
    let known = logits.push(features.finish(), isLast: true)
    return try decisions(known)
  }

  private func decisions(_ logits: [Matrix]) throws(FileFault) -> FrameDecisions {
    guard let rows = logits.first?.rows, rows > 0 else { return FrameDecisions() }
    let distributions = classifier.system.distributions(
      of: logits, temperature: classifier.temperature)
    guard logits.allSatisfy(\.isFinite), distributions.isFinite else {
      throw .malformed(
        path: origin, expected: "samples that give finite logits", found: "an overflow")
    }
    var decisions = FrameDecisions()
    decisions.append(distributions)
    return decisions
  }

  /// The number of samples and other values that the stream stores between two calls.
  package var storedValues: Int { features.storedValues + logits.storedValues }
}

/// How many frames are computed at a time when a piece of samples has more.
private let framesAPart = 240
