import Audio
import Corpus
import Distillation
package import Evaluation
import Features
package import LinearAlgebra
import Networks
import Storage
import Training

/// The test set frame by frame: what single figures do not tell.
package struct TestAnalysis: Sendable {
  /// What one system does.
  package struct System: Sendable {
    package let name: String
    package fileprivate(set) var confusions: LabelConfusions
    /// One an utterance.
    package fileprivate(set) var tallies: [FrameTally] = []
  }

  /// An utterance with its features and what the systems say of it.
  package struct Example: Sendable {
    package let utterance: String
    /// Frames × features, the log-mel bands first.
    package let logMel: Matrix
    package let bands: Int
    /// Of each system, frames × labels.
    package let posteriors: [Matrix]
    /// The true label of each frame.
    package let truth: [Int]
  }

  /// The doubts of the ensemble about an utterance's alignment.
  package struct DoubtfulUtterance: Sendable {
    package let utterance: String
    package let frames: Int
    package let doubts: [Doubt]

    package var doubtfulFrames: Int { doubts.reduce(0) { $0 + $1.frames.count } }
  }

  /// Where the ensemble is at least so sure, and the alignment has another label, it doubts it.
  package static let confidence: Float = 0.9

  /// The ensemble first, then the baseline and the student.
  package fileprivate(set) var systems: [System]
  package let utterances: [String]
  /// The speaker of each utterance; nil when not known.
  package let speakers: [String]?
  package fileprivate(set) var example: Example
  /// Those with a doubt, the one with the most doubtful frames first.
  package fileprivate(set) var doubtful: [DoubtfulUtterance]
  package let secondsAFrame: Double

  package var labels: [String] { systems[0].confusions.labels }
}

extension Experiment {
  /// Goes over the test set with the ensemble, the baseline and the student.
  ///
  /// - Parameter utterance: whose posteriors are kept; nil for the one of the median accuracy among those of at
  ///   most 400 frames, or among all when none is so short.
  /// - Returns: what was found.
  /// - Throws: `FileFault` for files that cannot be read, `ExperimentFault` for an utterance that there is not.
  package func analyseTest(showing utterance: String? = nil) throws -> TestAnalysis {
    let frames = try openFrames(.test)
    let members = try memberJobs.map { try AcousticModel(path: modelPath($0.system)) }
    let singles = try ["baseline", "student"].map {
      (name: $0, model: try AcousticModel(path: modelPath($0)))
    }
    let classes = members[0].classes
    let none = LabelConfusions(classes)
    let rules = try ScoringRules(
      classes, fold: recipe.scoring.fold.map { resolve($0, from: path) })
    let mean = try distillation().mean
    /// The distributions of all systems for an utterance, the ensemble's first.
    @Sendable func posteriors(_ index: Int) throws -> [Matrix] {
      let logMel = try frames.features(of: index, path: features(.test).path)
      let ensemble = Ensemble.average(
        members.lazy.map { $0.logits(of: logMel) }, temperature: 1, mean: mean)
      return [ensemble]
        + singles.map { single in
          var own = single.model.logits(of: logMel)
          own.replaceRowsBySoftmax(temperature: 1)
          return own
        }
    }
    var systems = (["ensemble"] + singles.map(\.name)).map {
      TestAnalysis.System(name: $0, confusions: none)
    }
    let found = workers.map(frames.count) { index in
      Result {
        let (own, labels) = (try posteriors(index), try frames.labels(of: index))
        return (
          chosen: own.map { $0.largestColumns() }, labels: labels,
          tallies: own.map { rules.tally($0, labels: labels) },
          doubts: Doubt.all(
            in: none.posteriors(own[0]), truth: labels.map { none.label(of: $0) },
            confidence: TestAnalysis.confidence)
        )
      }
    }
    var doubtful: [TestAnalysis.DoubtfulUtterance] = []
    for (index, result) in found.enumerated() {
      let own = try result.get()
      for place in systems.indices {
        systems[place].confusions.add(chosen: own.chosen[place], truth: own.labels)
        systems[place].tallies.append(own.tallies[place])
      }
      guard !own.doubts.isEmpty else { continue }
      doubtful.append(
        TestAnalysis.DoubtfulUtterance(
          utterance: frames.id(of: index), frames: own.labels.count, doubts: own.doubts))
    }
    doubtful.sort { ($1.doubtfulFrames, $0.utterance) < ($0.doubtfulFrames, $1.utterance) }
    let shown = try exampleIndex(utterance, frames, systems[systems.count - 1].tallies)
    let example = TestAnalysis.Example(
      utterance: frames.id(of: shown),
      logMel: try frames.features(of: shown, path: features(.test).path),
      bands: recipe.features.logMel.columns,
      posteriors: try posteriors(shown).map { none.posteriors($0) },
      truth: try frames.labels(of: shown).map { none.label(of: $0) })
    let names = try features(.test).speakers()
    let speakers = frames.ids.compactMap { names?[$0] }
    return TestAnalysis(
      systems: systems, utterances: frames.ids,
      speakers: speakers.count == frames.count ? speakers : nil, example: example,
      doubtful: doubtful, secondsAFrame: recipe.features.logMel.grid.shiftInSeconds)
  }

  private func exampleIndex(
    _ utterance: String?, _ frames: ArchiveFrames, _ tallies: [FrameTally]
  ) throws -> Int {
    if let utterance {
      guard let index = frames.ids.firstIndex(of: utterance) else {
        throw ExperimentFault.noUtterance(utterance, part: CorpusPart.test.rawValue)
      }
      return index
    }
    let short = tallies.indices.filter { tallies[$0].frames <= 400 }
    let candidates = short.isEmpty ? Array(tallies.indices) : short
    func accuracy(_ index: Int) -> Double {
      Double(tallies[index].correct) / Double(tallies[index].frames)
    }
    let sorted = candidates.sorted { (accuracy($0), $0) < (accuracy($1), $1) }
    return sorted[sorted.count / 2]
  }
}
