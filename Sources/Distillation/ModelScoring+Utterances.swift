import Networks
package import Corpus
package import Evaluation
import LinearAlgebra
import Models
import Storage
package import SystemPackage
import Training

/// Decisions on whole utterances.
extension ModelScoring {
  /// Decides on each utterance as a whole; see `UtteranceRules`.
  ///
  /// - Parameters:
  ///   - modelPath: the model's path.
  ///   - options: the bootstrap's options, and a map to fold classes by.
  /// - Returns: the score, and an entry for each utterance that has no label as a whole.
  /// - Throws: what `score(modelPath:options:)` throws, and `FileFault` when no utterance has a
  ///   label.
  package func decide(
    modelPath: FilePath, options: ScoringOptions
  ) throws -> (score: UtteranceScore, undecided: [Ledger.Entry]) {
    let opened = try open(modelPath: modelPath)
    let (frames, model) = (opened.frames, opened.model)
    let rules = UtteranceRules(try ScoringRules(model.classes, fold: options.fold))
    var decisions: [UtteranceScore.Decision] = []
    var undecided = Ledger()
    for index in 0..<frames.count {
      let id = frames.id(of: index)
      let truth: Int
      let targets = try frames.labels(of: index)
      do throws(UndecidedLabel) { truth = try rules.truth(targets) } catch {
        undecided.leaveOut(id, .score, reason: error.description)
        continue
      }
      var posteriors = try frames.logits(of: index, by: model, path: name)
      posteriors.replaceRowsBySoftmax(temperature: 1)
      decisions.append(
        UtteranceScore.Decision(
          utterance: id, label: rules.labels[truth],
          decision: rules.labels[rules.decision(posteriors)]))
    }
    guard !decisions.isEmpty else {
      throw FileFault.malformed(
        path: targets.archivePath,
        expected: "at least one utterance with one label besides silence",
        found: "none (\(undecided.entries.first?.account ?? "empty"))")
    }
    let bootstrap = Bootstrap(
      utterances: decisions.count,
      speakers: try features.speakers(of: decisions.map(\.utterance)),
      resamples: options.resamples, seed: options.seed)
    return (
      UtteranceScore(decisions, labels: rules.labels.count, bootstrap: bootstrap),
      undecided.entries
    )
  }
}
