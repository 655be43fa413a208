package import Features
package import KaldiIO

/// How the features of a data directory are made and stored.
package struct FeatureRequest: Sendable {
  /// The features' options, which must be valid.
  package var options: FeatureOptions
  /// The channel of each recording to use, from 1, unless `segments` gives one; nil requires mono
  /// files.
  package var channel: Int?
  /// The form of the archive, such as compressed.
  package var form = ArchiveForm.binary
  /// Kaldi's statistics for normalisation: an ark or scp by utterance or speaker, or one matrix for
  /// all; nil computes them from the features.
  package var statisticsTable: String?
  /// The frames of another program, if `options` refer to such; nil for log-mel frames.
  package var given: MatrixTable?
  /// The perturbed copy of the utterances to make; nil for the unperturbed utterances.
  package var copy: AugmentedCopy?

  /// A request for features computed from audio, without compression.
  package init(options: FeatureOptions, channel: Int? = nil) {
    (self.options, self.channel) = (options, channel)
  }

  /// A request for features from frames that another program made.
  ///
  /// - Parameters:
  ///   - table: the frames.
  ///   - options: their options.
  package init(given table: MatrixTable, options: FeatureOptions) {
    (given, self.options) = (table, options)
  }
}

/// One of the perturbed copies of a set of utterances.
package struct AugmentedCopy: Sendable, Equatable, Codable {
  /// The perturbations that are drawn from.
  package let options: AugmentationOptions
  /// The copy's number, from 1.
  package let number: Int

  /// The copy of a number, from 1.
  package init(options: AugmentationOptions, number: Int) {
    (self.options, self.number) = (options, number)
  }

  /// The perturbation of an utterance, which depends on its speaker where that is known.
  package func perturbation(of utterance: String, speakers: [String: String]) -> Perturbation {
    Perturbation(options, of: utterance, speaker: speakers[utterance], copy: number)
  }
}
