import Audio
import Corpus
import Storage

extension TestAnalysis {
  /// The recording of an utterance.
  package enum Sound: Sendable {
    /// The samples, -1 to 1, with their rate in hertz, and whether they are all.
    case samples([Float], sampleRate: Int, isWhole: Bool)
    /// Reading failed, for this reason.
    case unreadable(String)
    /// The experiment has features but no audio.
    case none

    /// The greatest number of samples; as base64 of 16-bit samples, they stay below 1 MB.
    package static let mostSamples = 350_000
  }
}

extension Experiment {
  /// The recording of a test utterance, or its beginning.
  ///
  /// Its file may have been moved since the features were made, which is no fault of the scores.
  ///
  /// - Parameter id: the utterance's id.
  /// - Returns: at most `Sound.mostSamples` samples.
  /// - Throws: a fault of the machine or an interruption.
  func sound(of id: String) throws -> TestAnalysis.Sound {
    guard case .made = recipe.features else { return .none }
    do {
      let data = try dataDirectory(.test)
      guard let utterance = data.utterances.first(where: { $0.id == id }) else {
        return .unreadable("\(data.path.text) no longer has \(id)")
      }
      return try utterance.recording.withFile { path, name in
        var reader = try AudioReader(
          path, called: name, channel: utterance.channel ?? recipe.corpus.channel,
          seconds: utterance.seconds)
        var samples: [Float] = []
        var block: [Float] = []
        var isMore = true
        while isMore && samples.count <= TestAnalysis.Sound.mostSamples {
          isMore = try reader.next(&block)
          samples += block
        }
        return .samples(
          Array(samples.prefix(TestAnalysis.Sound.mostSamples)), sampleRate: reader.sampleRate,
          isWhole: samples.count <= TestAnalysis.Sound.mostSamples)
      }
    } catch let fault as any Fault where fault.isInterruption {
      throw fault
    } catch {
      return .unreadable("\(error)")
    }
  }
}
