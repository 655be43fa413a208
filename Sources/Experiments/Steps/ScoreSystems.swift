import Classes
import Models
import Corpus
import Distillation
import Evaluation
import Features
import Foundation
import LinearAlgebra
import Networks
import Storage
import SystemPackage
import Training

/// Scores all systems and writes `scores.json`.
struct ScoreSystems: Step {
  let reads: [Product]

  /// The one step of the stage.
  static func steps(of recipe: Recipe) -> [any Step] {
    let parts = [CorpusPart.development, .test]
    return [
      ScoreSystems(
        reads: parts.flatMap { [.features(.part($0)), .targets(.part($0))] }
          + (recipe.search == nil ? [] : [.search]) + (recipe.specialists == nil ? [] : [.clusters])
          + (recipe.systems(until: .score) + recipe.specialistSystems + recipe.studiedSystems).map {
            .model($0)
          })
    ]
  }

  var stage: Stage { .score }
  var makes: Product { .scores }

  func files(in experiment: Experiment) throws -> StepFiles {
    StepFiles(record: name, beside: [experiment.scoresPath])
  }

  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    let recipe = experiment.recipe
    var scoring = recipe.scoring
    // The map is added below, and its name is in the rules.
    scoring.fold = scoring.fold.flatMap { path in path.lastComponent.map { FilePath($0.string) } }
    inputs.add("scoring", scoring)
    inputs.add("subsets", recipe.subsets)
    inputs.add("missing class", recipe.missingClass?.label)
    inputs.add("mean", try experiment.distillation().mean)
    if let fold = experiment.foldPath { try inputs.add(file: fold) }
    if recipe.specialists != nil {
      inputs.add("specialists", [recipe.specialists?.active, recipe.specialists?.members])
      try inputs.add(file: experiment.clustersPath)
    }
    let systems =
      try recipe.systems(until: .score) + recipe.studiedSystems + experiment.foundSpecialists()
    for system in systems { try inputs.add(file: experiment.modelPath(system)) }
    for part in [CorpusPart.development, .test] {
      for file in experiment.dataFiles(.part(part)) { try inputs.add(file: file) }
      let speakers = experiment.features(.part(part)).speakersPath
      if try FileSystem.exists(speakers) { try inputs.add(file: speakers) }
    }
  }

  /// Writes the recipe, whose text may have changed where the scores do not depend on it, and the
  /// tables of scores for people.
  func settle(in experiment: Experiment) throws {
    let rate = try experiment.features(.train).options().logMel?.sampleRate
    try AtomicFile.write(
      try experiment.recipe.completeText(in: experiment.path, sampleRate: rate),
      to: experiment.recipePath)
    try AtomicFile.write(try experiment.readScores().table, to: experiment.tablesPath)
  }

  /// The frames of both sets, once for each model.
  func framesToGo(in experiment: Experiment) throws -> Int? {
    let networks = reads.count { if case .model = $0 { true } else { false } }
    return try [UtteranceSet.development, .test].reduce(0) { sum, set in
      try sum + experiment.features(set).frameCounts().values.reduce(0, +) * networks
    }
  }

  /// An unreadable report is made again.
  func isIntact(in experiment: Experiment) throws(FileFault) -> Bool {
    do throws(FileFault) { _ = try experiment.readScores() } catch {
      if error.isOfMachine { throw error }
      return false
    }
    return true
  }

  func make(in experiment: Experiment) throws {
    try experiment.scoreReport().write(to: experiment.scoresPath)
  }
}

extension Experiment {
  /// Throws unless the scores are those of the present models, data and recipe.
  func requireScores() throws {
    guard let step = Plan(recipe)[.scores], try isFresh(step) else {
      throw ExperimentFault.staleScores(scoresPath)
    }
  }

  /// Scores all systems.
  fileprivate func scoreReport() throws -> ScoreReport {
    let systems = recipe.systems(until: .score)
    let models = try (systems + recipe.studiedSystems).map {
      ($0.name, try AcousticModel(path: modelPath($0)))
    }
    let ensemble = try Ensemble(models.prefix(recipe.ensemble.members).map(\.1))
    let rules = try ScoringRules(models[0].1.classes, fold: foldPath)
    let development = try tally(.development, models: models, by: rules)
    let test = try tally(.test, models: models, by: rules)
    return try report(
      Array(models.prefix(systems.count)), ensemble, rules, development: development, test: test)
  }

  /// Classifies the frames of a part with each model and with the ensemble of the first ones, on
  /// one thread.
  private func tally(
    _ part: CorpusPart, models: [(system: String, model: AcousticModel)], by rules: ScoringRules
  ) throws -> TalliedSet {
    let frames = try openFrames(.part(part))
    let path = Origin.file(features(.part(part)).path)
    try requireFit(models, part)
    try ThreadMemory.require(
      forLogitsOf: frames, by: models.count, classes: models[0].model.classes.count, workers: .one)
    var tally = PartTally(
      members: recipe.ensemble.members, mean: try distillation().mean,
      compared: try comparedEnsemble(), rules: rules)
    let clock = ContinuousClock()
    for index in 0..<frames.count {
      try Interruption.check()
      let logMel = try frames.features(of: index, path: path)
      let outputs = try models.map { system, model in
        let start = clock.now
        let logits = model.logits(of: logMel)
        let seconds = (clock.now - start) / .seconds(1)
        try frames.requireFinite(logits, of: index, path: path)
        return PartTally.Output(system: system, logits: logits, seconds: seconds)
      }
      tally.add(outputs, labels: try frames.labels(of: index))
      reporter.progress(
        WorkProgress(
          work: "score \(part.rawValue)", done: Double(index + 1),
          total: Double(frames.count), unit: "utterances"))
    }
    return TalliedSet(
      systems: tally.systems, members: tally.memberTallies,
      speakers: try features(.part(part)).speakers(of: frames.ids))
  }

  /// Throws unless models expect the features of a part and have the classes of its targets.
  private func requireFit(
    _ models: [(system: String, model: AcousticModel)], _ part: CorpusPart
  ) throws {
    let classes = try ClassInventory(path: targets(.part(part)).classesPath)
    let folder = features(.part(part))
    for (system, model) in models {
      try model.requireFeatures(
        try folder.options(), path: modelPath(named: system), madeIn: .file(folder.path))
      guard model.classes == classes else {
        throw ExperimentFault.otherClasses(
          targets(.part(part)).classesPath, modelPath(named: system))
      }
    }
  }

  private func report(
    _ models: [(system: String, model: AcousticModel)], _ ensemble: Ensemble,
    _ rules: ScoringRules, development: TalliedSet, test: TalliedSet
  ) throws -> ScoreReport {
    let members = recipe.memberSystems.map(\.name)
    let onDevelopment = bootstrap(for: development, members[0])
    let onTest = bootstrap(for: test, members[0])
    let systems = systemScores(
      models, ensemble, development: development, onDevelopment, test: test, onTest)
    return ScoreReport(
      rules: text(of: rules, first: systems[0], onTest),
      systems: systems,
      comparisons: comparisons(test, members: members, bootstrap: onTest),
      memberCurve: MemberCurve(
        development: development.members, onDevelopment, test: test.members, onTest),
      subsets: try subsetScores(
        development: development, onDevelopment, test: test, onTest, by: rules),
      missingClass: try missingClassScore(onTest: onTest, by: rules),
      specialists: try specialistScore(test, onTest, by: rules), madeBy: Experiment.maker,
      made: occasion)
  }

  /// The scores of each system, and of means over members and seeds.
  private func systemScores(
    _ models: [(system: String, model: AcousticModel)], _ ensemble: Ensemble,
    development: TalliedSet, _ onDevelopment: Bootstrap, test: TalliedSet, _ onTest: Bootstrap
  ) -> [SystemScore] {
    let members = recipe.memberSystems.map(\.name)
    func score(_ set: TalliedSet, of systems: [String], _ bootstrap: Bootstrap) -> SetScore {
      SetScore(
        meanOf: set.tallies(systems), speakers: set.speakers, bootstrap: bootstrap)
    }
    func score(
      _ system: String, parameters: Int, of systems: [String], seeds: SeedVariation? = nil
    ) -> SystemScore {
      SystemScore(
        system: system, parameters: parameters,
        framesPerSecond: systems.count == 1 ? test.systems[system]?.framesPerSecond : nil,
        development: score(development, of: systems, onDevelopment),
        test: score(test, of: systems, onTest), seeds: seeds)
    }
    func single(_ system: String, _ model: AcousticModel) -> SystemScore {
      score(system, parameters: model.network.parameterCount, of: [system])
    }
    // Groups of members may have networks of other sizes.
    let memberParameters = ensemble.parameterCount / members.count
    var systems =
      models.prefix(members.count).map { single($0.system, $0.model) } + [
        score("members", parameters: memberParameters, of: members),
        score(
          System.ensemble.name, parameters: ensemble.parameterCount,
          of: [System.ensemble.name]),
      ]
    for system in recipe.pairs.map(\.baseline) + recipe.pairs.map(\.student) {
      let names = system.repetitions(recipe.seeds).map(\.name)
      let own = models.filter { names.contains($0.system) }.map { single($0.system, $0.model) }
      systems += own
      guard own.count > 1 else { continue }
      systems.append(
        score(
          system.nameOfMean, parameters: own[0].parameters, of: names,
          seeds: SeedVariation(
            development: own.map(\.development.accuracy), test: own.map(\.test.accuracy))))
    }
    return systems
  }

  /// The explanation below the table of scores.
  private func text(
    of rules: ScoringRules, first: SystemScore, _ onTest: Bootstrap
  ) -> String {
    let alone =
      onTest.unitCount > 1
      ? "" : "; the test set has only one, so there is no interval"
    let seeds =
      recipe.seeds == 1
      ? ""
      : """
       NAME-mean: the mean over \(recipe.seeds) seeds, which all comparisons use; s.d.: the standard deviation of \
      the test accuracy over them.
      """
    return """
      \(rules.text) Development: \(first.development.extent); test: \(first.test.extent). \
      members: the mean over the members.\(seeds) ± is half of the 95 % bootstrap interval over \
      \(onTest.unit) (\(recipe.scoring.resamples) resamples, seed \(recipe.scoring.seed)); p is that of a \
      paired randomisation test over the same units\(alone). NLL: the mean of −ln p of the true class, in nats; \
      ECE: the expected calibration error of 15 bins; both are computed before classes are folded. frames/s: \
      test frames per second on one thread, from features to logits.
      """
  }

  private func bootstrap(for set: TalliedSet, _ system: String) -> Bootstrap {
    Bootstrap(
      utterances: set.systems[system]?.tallies.count ?? 0, speakers: set.speakers,
      resamples: recipe.scoring.resamples, seed: recipe.scoring.seed)
  }

  private func comparisons(
    _ test: TalliedSet, members: [String], bootstrap: Bootstrap
  ) -> [ComparisonScore] {
    let (ensemble, members) = (test.tallies([System.ensemble.name]), test.tallies(members))
    var comparisons = [
      ComparisonScore(
        ComparisonScore.difference("ensemble", "members"), ensemble, minus: members,
        bootstrap: bootstrap)
    ]
    for pair in recipe.pairs {
      let (studentName, baselineName) = (pair.student.name, pair.baseline.name)
      let student = test.tallies(pair.student.repetitions(recipe.seeds).map(\.name))
      let baseline = test.tallies(pair.baseline.repetitions(recipe.seeds).map(\.name))
      let gain = ComparisonScore(
        ComparisonScore.difference("ensemble", baselineName), ensemble, minus: baseline,
        bootstrap: bootstrap)
      comparisons += [
        gain,
        ComparisonScore(
          ComparisonScore.difference(studentName, baselineName), student, minus: baseline,
          bootstrap: bootstrap),
        ComparisonScore(
          ComparisonScore.difference("ensemble", studentName), ensemble, minus: student,
          bootstrap: bootstrap),
      ]
      // A share of a gain that may be zero is meaningless.
      guard let low = gain?.low, low > 0 else { continue }
      comparisons.append(
        ComparisonScore(
          ComparisonScore.share(of: studentName), utterances: baseline[0].count,
          bootstrap: bootstrap
        ) {
          let floor = meanAccuracy(of: baseline, weights: $0)
          return (meanAccuracy(of: student, weights: $0) - floor)
            / (meanAccuracy(of: ensemble, weights: $0) - floor)
        })
    }
    return comparisons.compactMap { $0 }
  }
}
