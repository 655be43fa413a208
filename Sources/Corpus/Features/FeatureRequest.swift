package import Features
package import KaldiIO

/// How the features of a data directory are made and stored.
package struct FeatureRequest: Sendable {
  /// Must be valid.
  package var options: FeatureOptions
  /// Which channel of each recording to take where `segments` does not say, from one; nil asks for mono
  /// files.
  package var channel: Int?
  package var form = ArchiveForm.binary
  /// Kaldi's statistics to normalise by, an ark or scp by utterance or speaker or one matrix for all;
  /// nil gathers them from the features.
  package var statisticsTable: String?
  /// The frames that `options` say are given; nil of log-mel frames.
  package var given: MatrixTable?
  /// Which perturbed copy of the utterances is made; nil for none.
  package var copy: AugmentedCopy?

  package init(options: FeatureOptions, channel: Int? = nil) {
    (self.options, self.channel) = (options, channel)
  }

  /// Features of frames that another program made.
  ///
  /// - Parameters:
  ///   - table: the frames.
  ///   - options: of these.
  package init(given table: MatrixTable, options: FeatureOptions) {
    (given, self.options) = (table, options)
  }
}

/// One of the perturbed copies of a set of utterances.
package struct AugmentedCopy: Sendable, Equatable, Codable {
  package let options: AugmentationOptions
  /// From 1.
  package let number: Int

  package init(options: AugmentationOptions, number: Int) {
    (self.options, self.number) = (options, number)
  }

  func perturbation(of utterance: String, speakers: [String: String]) -> Perturbation {
    Perturbation(options, of: utterance, speaker: speakers[utterance], copy: number)
  }
}
