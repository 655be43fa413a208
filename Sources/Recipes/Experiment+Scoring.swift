import Corpus
import Distillation
import Evaluation
import Features
import Foundation
import LinearAlgebra
import Logging
import Networks
import Storage
import Training

/// The tallies of one system on one set, and how long the set took.
private struct SystemTally {
  var tallies: [FrameTally] = []
  var seconds = 0.0

  mutating func count(_ posteriors: Matrix, of utterance: FrameSet.Utterance, isSilence: [Bool]) {
    tallies.append(
      FrameTally(
        predicted: posteriors.largestColumns(), labels: utterance.labels, isSilence: isSilence))
  }

  var framesPerSecond: Double {
    Double(tallies.reduce(0) { $0 + $1.frames }) / max(seconds, 1e-9)
  }
}

extension Experiment {
  /// What the ensemble is called among the systems.
  private static let ensembleName = "ensemble"

  /// Scores all systems and writes `scores.json`.
  package func score() throws {
    var inputs = Inputs()
    inputs.add("scoring", recipe.scoring)
    inputs.add("mean", recipe.distillation.mean)
    let systems = memberJobs.map(\.system) + ["baseline", "student"]
    for system in systems { try inputs.add(file: modelPath(system)) }
    for file in dataFiles(.development) + dataFiles(.test) { try inputs.add(file: file) }
    try perform("scores", inputs: inputs, outputs: [scoresPath]) {
      let models = try systems.map { ($0, try AcousticModel(path: modelPath($0))) }
      let ensemble = try Ensemble(models.prefix(recipe.ensemble.members).map(\.1))
      let development = try tally(.development, models: models)
      let test = try tally(.test, models: models)
      try report(models, ensemble, development: development, test: test).write(to: scoresPath)
    }
  }

  /// Classifies the frames of a part by each model, and by the ensemble of the first of them, on one
  /// thread.
  private func tally(
    _ part: CorpusPart, models: [(system: String, model: AcousticModel)]
  ) throws -> [String: SystemTally] {
    var systems: [String: SystemTally] = [:]
    let utterances = try loadUtterances(part)
    let classes = try ClassInventory(path: targets(part).classesPath)
    let options = try features(part).options()
    for (system, model) in models {
      try model.requireFeatures(options, path: modelPath(system), madeIn: features(part).path)
      guard model.classes == classes else {
        throw ExperimentFault.otherClasses(targets(part).classesPath, modelPath(system))
      }
    }
    let isSilence = classes.isSilence
    let clock = ContinuousClock()
    for (index, utterance) in utterances.enumerated() {
      var memberLogits: [Matrix] = []
      for (number, (system, model)) in models.enumerated() {
        let start = clock.now
        let logits = model.logits(of: utterance.features)
        let seconds = (clock.now - start) / .seconds(1)
        systems[system, default: SystemTally()].seconds += seconds
        systems[system]?.count(logits, of: utterance, isSilence: isSilence)
        guard number < recipe.ensemble.members else { continue }
        memberLogits.append(logits)
        systems[Experiment.ensembleName, default: SystemTally()].seconds += seconds
      }
      let start = clock.now
      let mean = Ensemble.average(
        memberLogits, temperature: 1, mean: recipe.distillation.mean)
      systems[Experiment.ensembleName]?.seconds += (clock.now - start) / .seconds(1)
      systems[Experiment.ensembleName]?.count(mean, of: utterance, isSilence: isSilence)
      reporter.progress(
        WorkProgress(
          work: "score \(part.rawValue)", done: Double(index + 1),
          total: Double(utterances.count), unit: "utterances"))
    }
    return systems
  }

  private func report(
    _ models: [(system: String, model: AcousticModel)], _ ensemble: Ensemble,
    development: [String: SystemTally],
    test: [String: SystemTally]
  ) throws -> ScoreReport {
    let members = memberJobs.map(\.system)
    let onDevelopment = bootstrap(for: development, members[0])
    let onTest = bootstrap(for: test, members[0])
    func score(_ system: String, parameters: Int, of systems: [String]) -> SystemScore {
      SystemScore(
        system: system, parameters: parameters,
        framesPerSecond: systems.count == 1 ? test[system]?.framesPerSecond : nil,
        development: SetScore(
          meanOf: systems.map { development[$0]?.tallies ?? [] }, bootstrap: onDevelopment),
        test: SetScore(meanOf: systems.map { test[$0]?.tallies ?? [] }, bootstrap: onTest))
    }
    let single = models.map {
      score($0.system, parameters: $0.model.network.parameterCount, of: [$0.system])
    }
    let memberParameters = models[0].model.network.parameterCount
    let systems =
      single.prefix(members.count) + [
        score("members", parameters: memberParameters, of: members),
        score(
          Experiment.ensembleName, parameters: ensemble.parameterCount,
          of: [Experiment.ensembleName]),
      ] + single.suffix(from: members.count)
    return ScoreReport(
      rules: """
        Frame accuracy: the class with the largest posterior against the alignment's, over all \
        frames of all utterances; members stands for the members' mean. ± is half of the 95 % \
        bootstrap interval over utterances (\(recipe.scoring.resamples) resamples, seed \
        \(recipe.scoring.seed)). Without silence: frames whose true class is not silence. \
        frames/s: test frames in a second on one thread, from log-mel to logits.
        """,
      systems: Array(systems), comparisons: comparisons(test, members: members, bootstrap: onTest))
  }

  private func bootstrap(for systems: [String: SystemTally], _ system: String) -> Bootstrap {
    Bootstrap(
      utterances: systems[system]?.tallies.count ?? 0, resamples: recipe.scoring.resamples,
      seed: recipe.scoring.seed)
  }

  private func comparisons(
    _ test: [String: SystemTally], members: [String], bootstrap: Bootstrap
  ) -> [ComparisonScore] {
    func mean(_ systems: [String], _ weights: [Int32]) -> Double {
      meanAccuracy(of: systems.map { test[$0]?.tallies ?? [] }, weights: weights)
    }
    let count = test[members[0]]?.tallies.count ?? 0
    let ensemble = [Experiment.ensembleName]
    func difference(_ name: String, _ first: [String], _ second: [String]) -> ComparisonScore? {
      ComparisonScore(name, utterances: count, bootstrap: bootstrap) {
        mean(first, $0) - mean(second, $0)
      }
    }
    return [
      difference("ensemble - members", ensemble, members),
      difference("ensemble - baseline", ensemble, ["baseline"]),
      difference("student - baseline", ["student"], ["baseline"]),
      difference("ensemble - student", ensemble, ["student"]),
      ComparisonScore("share of the gain recovered", utterances: count, bootstrap: bootstrap) {
        let baseline = mean(["baseline"], $0)
        return (mean(["student"], $0) - baseline) / (mean(ensemble, $0) - baseline)
      },
    ].compactMap { $0 }
  }
}
