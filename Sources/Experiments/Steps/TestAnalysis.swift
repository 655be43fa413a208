import Classes
import Models
import Audio
import Corpus
import Distillation
package import Evaluation
import Features
package import LinearAlgebra
import Networks
import Storage
import SystemPackage
import Training

/// A frame-by-frame analysis of the test set.
package struct TestAnalysis: Sendable {
  /// The results of one system.
  package struct System: Sendable {
    /// The system's name.
    package let name: String
    /// The confusions between labels.
    package fileprivate(set) var confusions: LabelConfusions
    /// One tally for each utterance.
    package fileprivate(set) var tallies: [FrameTally] = []
  }

  /// An utterance with its features and the systems' posteriors.
  package struct Example: Sendable {
    /// The utterance's id.
    package let utterance: String
    /// [T × features].
    package let features: Matrix
    /// The columns of the features that are log-mel energies.
    package let bands: Range<Int>
    /// For each system, [T × labels].
    package let posteriors: [Matrix]
    /// The true label of each frame, as an index of `labels`.
    package let truth: [Int]
    /// The recording.
    package let sound: Sound
  }

  /// The places where the ensemble contradicts an utterance's alignment.
  package struct DoubtfulUtterance: Sendable {
    /// The utterance's id.
    package let utterance: String
    /// The number of frames of the utterance.
    package let frames: Int
    /// Each run of frames with the same other label.
    package let doubts: [Doubt]

    /// The number of frames in all runs.
    package var doubtfulFrames: Int { doubts.reduce(0) { $0 + $1.frames.count } }
  }

  /// The lowest posterior of another label at which the ensemble contradicts the alignment.
  package static let confidence: Float = 0.9

  /// The ensemble, the baseline and the student, in this order.
  package let systems: [System]
  /// The ids of the utterances.
  package let utterances: [String]
  /// The speaker of each utterance; nil unless all are known.
  package let speakers: [String]?
  /// The utterance shown in detail.
  package let example: Example
  /// The utterances with doubts, the one with the most doubtful frames first.
  package let doubtful: [DoubtfulUtterance]
  /// The frame shift in seconds.
  package let secondsAFrame: Double

  /// The labels of the classes.
  package var labels: [String] { systems[0].confusions.labels }
}

/// The models of the analysis, with the data and rules.
private struct TestModels: Sendable {
  let members: [AcousticModel]
  /// The baseline and the student.
  let singles: [AcousticModel]
  let mean: TeacherMean
  let rules: ScoringRules
  /// Confusions without any frame.
  let confusions: LabelConfusions
  let frames: ArchiveFrames
  let featuresPath: FilePath

  /// The results for one utterance.
  struct Findings: Sendable {
    let labels: [Int32]
    /// The chosen classes of each system.
    let chosen: [[Int32]]
    let tallies: [FrameTally]
    let doubts: [Doubt]
  }

  /// The posteriors of all systems for an utterance, the ensemble's first.
  func posteriors(_ index: Int) throws -> [Matrix] {
    let logMel = try frames.features(of: index, path: .file(featuresPath))
    let ensemble = Ensemble.average(
      members.lazy.map { $0.logits(of: logMel) }, temperature: 1, mean: mean)
    let posteriors =
      [ensemble]
      + singles.map { single in
        var own = single.logits(of: logMel)
        own.replaceRowsBySoftmax(temperature: 1)
        return own
      }
    for own in posteriors { try frames.requireFinite(own, of: index, path: .file(featuresPath)) }
    return posteriors
  }

  /// The true label of each frame.
  func truth(_ index: Int) throws -> [Int] {
    try frames.labels(of: index).map { confusions.label(of: $0) }
  }

  func findings(_ index: Int) throws -> Findings {
    let (own, labels) = (try posteriors(index), try frames.labels(of: index))
    return Findings(
      labels: labels, chosen: own.map { $0.largestColumns() },
      tallies: own.map { rules.tally($0, labels: labels) },
      doubts: Doubt.all(
        in: confusions.posteriors(own[0]), truth: try truth(index),
        confidence: TestAnalysis.confidence))
  }
}

extension Experiment {
  /// Analyses the test set with the ensemble, the baseline and the student.
  ///
  /// - Parameter utterance: the utterance to show in detail; nil for the one with the median
  ///   accuracy among those of at most 400 frames, or among all if none is that short.
  /// - Returns: the analysis.
  /// - Throws: `FileFault` when files cannot be read, `ExperimentFault` for an unknown utterance,
  ///   or if the scores are not those of the present models, data and recipe.
  package func analyseTest(showing utterance: String? = nil) throws -> TestAnalysis {
    try requireScores()
    let frames = try openFrames(.test)
    let members = try recipe.memberSystems.map { try AcousticModel(path: modelPath($0)) }
    let names = [System.baseline(nil), .student(nil)]
    let models = TestModels(
      members: members, singles: try names.map { try AcousticModel(path: modelPath($0)) },
      mean: try distillation().mean,
      rules: try ScoringRules(members[0].classes, fold: foldPath),
      confusions: LabelConfusions(members[0].classes), frames: frames,
      featuresPath: features(.test).path)
    try ThreadMemory.require(
      forLogitsOf: frames, by: workers.count.multiplyingSaturated(members.count + 2),
      classes: members[0].classes.count, workers: workers)
    let found = try workers.map(frames.count) { index in Result { try models.findings(index) } }
      .map { try $0.get() }
    var systems = ([System.ensemble] + names).map {
      TestAnalysis.System(name: $0.name, confusions: models.confusions)
    }
    for place in systems.indices {
      for own in found {
        systems[place].confusions.add(chosen: own.chosen[place], truth: own.labels)
        systems[place].tallies.append(own.tallies[place])
      }
    }
    let doubtful = found.enumerated().filter { !$1.doubts.isEmpty }.map { index, own in
      TestAnalysis.DoubtfulUtterance(
        utterance: frames.id(of: index), frames: own.labels.count, doubts: own.doubts)
    }
    let shown = try exampleIndex(utterance, frames, systems[systems.count - 1].tallies)
    let speakers = try features(.test).speakers()
    let known = frames.ids.compactMap { speakers?[$0] }
    return TestAnalysis(
      systems: systems, utterances: frames.ids, speakers: known.count == frames.count ? known : nil,
      example: TestAnalysis.Example(
        utterance: frames.id(of: shown),
        features: try frames.features(of: shown, path: .file(features(.test).path)),
        bands: try features(.test).options().shownColumns,
        posteriors: try models.posteriors(shown).map { models.confusions.posteriors($0) },
        truth: try models.truth(shown), sound: try sound(of: frames.id(of: shown))),
      doubtful: doubtful.sorted {
        ($1.doubtfulFrames, $0.utterance) < ($0.doubtfulFrames, $1.utterance)
      },
      secondsAFrame: try features(.test).options().grid.shiftInSeconds)
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
