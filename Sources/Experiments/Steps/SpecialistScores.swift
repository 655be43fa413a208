import Classes
import Models
import Corpus
import Distillation
import Evaluation
import Foundation
import LinearAlgebra
import Networks
import Storage
import Training

extension Experiment {
  /// What specialists add to their generalist on the test set, what they cost, and how their
  /// students score.
  ///
  /// - Parameters:
  ///   - test: the tallies of all single systems and ensembles.
  ///   - bootstrap: the bootstrap of the test set.
  ///   - rules: how frames are scored.
  /// - Returns: the score; nil when the recipe has no specialists.
  /// - Throws: a fault of a file or a model.
  func specialistScore(
    _ test: TalliedSet, _ bootstrap: Bootstrap, by rules: ScoringRules
  ) throws -> SpecialistScore? {
    guard let options = recipe.specialists, let compared = try comparedEnsemble() else {
      return nil
    }
    let (found, own) = try coverage(by: rules)
    let members = (0..<compared.members).map { System.member($0) }
    var rival = SystemTally(tallies: test.tallies([compared.name])[0])
    rival.seconds = members.reduce(test.systems[compared.name]?.seconds ?? 0) {
      $0 + (test.systems[$1.name]?.seconds ?? 0)
    }
    let generalist = test.systems[System.generalist.name] ?? SystemTally()
    let first = [(System.generalist, recipe.baseline.training.batchSize)]
    let others = try foundSpecialists().map { ($0, options.training.batchSize) }
    var costs = [
      try cost("generalist", of: first, generalist, bootstrap),
      try cost("with specialists", of: first + others, own, bootstrap),
      try cost(
        compared.name,
        of: zip(members, recipe.ensemble.all).map { ($0, $1.group.training.batchSize) }, rival,
        bootstrap),
    ]
    if let student = options.student {
      costs += try recipe.specialistStudents.map {
        try cost(
          $0.name, of: [($0, student.training.batchSize)], test.systems[$0.name] ?? SystemTally(),
          bootstrap)
      }
    }
    return SpecialistScore(
      found, bootstrap: bootstrap, costs: costs.compactMap { $0 },
      comparisons: comparisons(
        test, bootstrap, combined: own.tallies, rival: (compared.name, rival.tallies)))
  }

  /// The results of the generalist with its specialists on the test set, by the number of
  /// specialists that cover the true class, and the tallies of their combination.
  private func coverage(
    by rules: ScoringRules
  ) throws -> (found: [CoverageTally], combined: SystemTally) {
    let ensemble = try specialistEnsemble()
    var coverage = [Int](repeating: 0, count: ensemble.generalist.classes.count)
    for specialist in ensemble.specialists { for id in specialist.own { coverage[Int(id)] += 1 } }
    let (frames, path) = (try openFrames(.test), Origin.file(features(.test).path))
    var (found, own): ([CoverageTally], SystemTally) = ([], SystemTally())
    let clock = ContinuousClock()
    for index in 0..<frames.count {
      let logMel = try frames.features(of: index, path: path)
      let labels = try frames.labels(of: index)
      let start = clock.now
      let answer = ensemble.answer(logMel)
      own.seconds += (clock.now - start) / .seconds(1)
      try frames.requireFinite(answer.combined, of: index, path: path)
      own.tallies.append(rules.tally(answer.combined, labels: labels))
      found.append(
        CoverageTally(
          generalist: answer.generalist.largestColumns(),
          combined: answer.combined.largestColumns(), labels: labels, coverage: coverage,
          activeSpecialists: ensemble.activeCount(answer.generalist), by: rules))
    }
    return (found, own)
  }

  /// Differences between systems: for the combination, and for its student if there is one.
  private func comparisons(
    _ test: TalliedSet, _ bootstrap: Bootstrap, combined: [FrameTally],
    rival: (name: String, tallies: [FrameTally])
  ) -> [ComparisonScore] {
    func difference(
      _ name: String, _ first: [FrameTally], _ second: [FrameTally]
    ) -> ComparisonScore? {
      ComparisonScore(name, [first], minus: [second], bootstrap: bootstrap)
    }
    var comparisons = [
      difference("with specialists - \(rival.name)", combined, rival.tallies)
    ]
    if let student = recipe.specialistStudents.first(where: { $0 == .distilled(from: .specialists) }
    ) {
      let tallies = test.tallies([student.name])[0]
      comparisons += [
        difference(
          "\(student) - generalist", tallies, test.tallies([System.generalist.name])[0]),
        difference("\(student) - with specialists", tallies, combined),
      ]
      for other in recipe.specialistStudents where other != student {
        comparisons.append(
          difference("\(student) - \(other)", tallies, test.tallies([other.name])[0]))
      }
    }
    return comparisons.compactMap { $0 }
  }

  private func cost(
    _ name: String, of systems: [(system: System, batchSize: Int)], _ tally: SystemTally,
    _ bootstrap: Bootstrap
  ) throws -> SpecialistScore.Cost? {
    var (parameters, multiplyAdds, trainingFrames, training) = (0, 0, 0, 0.0)
    for (system, batchSize) in systems {
      let network = try AcousticModel(path: modelPath(system)).network
      let epochs = try epochs(of: system)
      let rows = (epochs.last?.step ?? 0) * batchSize
      parameters += network.parameterCount
      multiplyAdds += network.multiplyAdds
      trainingFrames += epochs.reduce(0) { $0 + $1.frames }
      training += Double(rows) * Double(network.multiplyAdds)
    }
    guard let test = AccuracyScore([tally.tallies], .all, bootstrap: bootstrap) else { return nil }
    return SpecialistScore.Cost(
      system: name, networks: systems.count, parameters: parameters, multiplyAdds: multiplyAdds,
      trainingFrames: trainingFrames, trainingMultiplyAdds: training,
      framesPerSecond: tally.framesPerSecond, test: test)
  }
}
