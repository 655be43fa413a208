import Features
import KaldiIO
import Models
import Corpus
import Distillation
import Evaluation
import Foundation
import Networks
import Experiments
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

/// What students learn from, and how.
extension ExperimentTests {
  @Test("a search tries every point and the students take the best on the development set")
  func search() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe + """
        search: {temperatures: [1, 4], hardWeights: [0, 0.5], means: [arithmetic, geometric]}

        """, to: "recipe.yaml")
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    let report = try SearchReport(path: experiment.searchPath)
    #expect(report.points.count == 8)
    #expect(Set(report.points.map { "\($0.distillation)" }).count == 8)
    let best = try #require(report.points.compactMap(\.developmentAccuracy).max())
    let first = try #require(report.points.first { $0.developmentAccuracy == best })
    #expect(report.chosen == first.distillation)
    #expect(report.table.rows.count == 1 + 4 && report.table.markdown.contains(" *"))
    // The students took the soft targets of the search.
    let softTargets = try FileManager.default.contentsOfDirectory(
      atPath: corpus.experimentPath.appending("soft-targets").string)
    #expect(
      softTargets.sorted() == ["arithmetic", "geometric"].flatMap { ["\($0)-T1.0", "\($0)-T4.0"] })
    // The student is the one that a recipe with that choice has.
    let found = try results(corpus.experimentPath)["models/student.safetensors"]
    let chosen = report.chosen
    try corpus.folder.write(
      recipe + """
        distillation: {temperature: \(chosen.temperature), hardWeight: \(chosen.hardWeight),
                       mean: \(chosen.mean.rawValue)}

        """, to: "recipe.yaml")
    _ = try self.experiment(corpus).run()
    #expect(found != nil)
    #expect(try results(corpus.experimentPath)["models/student.safetensors"] == found)
  }

  @Test("a search of the baselines tries every point, and each is trained by its best")
  func baselineSearch() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe + """
        baselineSearch:
          - {dropout: [0, 0.3], learningRate: [0.001, 0.05, 1.0e30], epochs: [1, 3]}
          - {optimizer: adam, dropout: [0], learningRate: [0.001], epochs: [1, 3]}
          - {optimizer: sgd, dropout: [0.3], learningRate: [0.05], epochs: [1]}
        students: {small: {student: {hidden: {layers: 1, units: 4}, training: {epochs: 1}}}}

        """, to: "recipe.yaml")
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    let report = try BaselineSearchReport(path: experiment.baselineSearchPath)
    #expect(
      report.points.map(\.baseline)
        == ["baseline", "baseline-small"].flatMap {
          Array(repeating: $0, count: 14)
        })
    for name in ["baseline", "baseline-small"] {
      let own = report.points.filter { $0.baseline == name }
      #expect(
        own.map(\.training.optimizer.kind)
          == Array(repeating: .sgd, count: 12) + Array(repeating: .adam, count: 2))
      let best = try #require(own.compactMap(\.developmentAccuracy).max())
      let chosen = try #require(report.chosen(for: name))
      #expect(chosen == own.first { $0.developmentAccuracy == best })
      #expect(
        own.allSatisfy {
          mismatch(
            $0.training.rate.finalLearningRate, $0.training.rate.learningRate / 100,
            absolute: 1e-12) == nil
        })
      // The same seed and options make the same network.
      let trial =
        "search-\(name)-\(chosen.training.optimizer.kind == .adam ? "adam-" : "")d\(chosen.training.dropout)"
        + "-r\(chosen.training.rate.learningRate)-e\(chosen.training.epochs)"
      let models = try [name, trial].map {
        try AcousticModel(path: corpus.experimentPath.appending("models/\($0).safetensors"))
      }
      #expect(models[0].network == models[1].network)
      let events = try [name, trial].map {
        try TextFile.bytes(
          of: corpus.experimentPath.appending("tensorboard/\($0)/events.out.tfevents.limbeck"))
      }
      #expect(events[0] == events[1])
      #expect(models[0].provenance.developmentAccuracy == best)
    }
    #expect(report.points.count { $0.developmentAccuracy == nil } == 8)
    #expect(report.table.markdown.contains(" *") && report.table.markdown.contains("diverged"))

    // Where all diverge there is no baseline.
    try corpus.folder.write(
      recipe + "baselineSearch: {learningRate: [1.0e30]}\n", to: "recipe.yaml")
    let fault = #expect(throws: ExperimentFault.self) {
      try self.experiment(corpus).run(until: .train)
    }
    #expect(fault == .allDiverged("baseline"))
  }

  @Test("a student that diverges is out of the choice, and is not tried again")
  func divergedSearch() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    // At T = 1e12 the soft gradients are T² as large as they are at 1.
    let search = "search: {temperatures: [1, 1.0e12], hardWeights: [0, 1]}\n"
    try corpus.folder.write(recipe + search, to: "recipe.yaml")
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    let report = try SearchReport(path: experiment.searchPath)
    #expect(report.points.map { $0.developmentAccuracy == nil } == [false, false, true, false])
    #expect(report.table.markdown.contains("diverged") && report.chosen.temperature == 1)
    let record = corpus.experimentPath.appending("stages/search-arithmetic-T1000000000000.0-L0.0")
    func changed() throws -> Date? {
      try FileManager.default.attributesOfItem(atPath: record.string)[.modificationDate] as? Date
    }
    let before = try changed()
    _ = try experiment.run()
    #expect(try changed() == before)

    try corpus.folder.write(
      recipe + "search: {temperatures: [1.0e12], hardWeights: [0]}\n", to: "recipe.yaml")
    let fault = #expect(throws: ExperimentFault.self) { try self.experiment(corpus).run() }
    #expect(fault == .allDiverged("student"))
  }

  @Test("members, baselines and searches of another recipe are refused")
  func modelsOfAnotherRecipe() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    func experiment(_ more: String, _ text: String) throws -> Experiment {
      try corpus.folder.write(text + more, to: "recipe.yaml")
      return try self.experiment(corpus)
    }
    let search = "search: {temperatures: [1, 2], hardWeights: [0]}\n"
    _ = try experiment(search, recipe).run()
    let wider = recipe.replacing("units: 12", with: "units: 13")
    let members = #expect(throws: ExperimentFault.self) { try experiment("", wider).distill() }
    #expect(members == .staleModel(corpus.experimentPath.appending("models/member-00.safetensors")))
    let specialists =
      "specialists: {clustering: {clusters: 2}, training: {epochs: 1}, student: {training: {epochs: 1}}}\n"
    let baseline = #expect(throws: ExperimentFault.self) {
      try experiment(specialists, wider).trainSpecialists()
    }
    #expect(baseline == .staleModel(corpus.experimentPath.appending("models/baseline.safetensors")))
    let rivals = #expect(throws: ExperimentFault.self) {
      try experiment(specialists, recipe.replacing("dropout: 0.1", with: "dropout: 0.2"))
        .trainSpecialists()
    }
    #expect(rivals == .staleModel(corpus.experimentPath.appending("models/member-00.safetensors")))
    for (old, new) in [("[1, 2]", "[5]"), ("[0]", "[0], epochs: 1")] {
      let other = #expect(throws: FileFault.self) {
        try experiment(specialists + search.replacing(old, with: new), recipe).trainSpecialists()
      }
      #expect("\(try #require(other))".contains("expected the search of this recipe"))
    }
    // What was scored had a search, which is gone when a recipe without one runs.
    let before = try Description(of: corpus.experimentPath.string).text
    _ = try experiment("", recipe).run(until: .distill)
    let after = try Description(of: corpus.experimentPath.string).text
    #expect(before.contains("Soft targets at T = ") && !after.contains("Soft targets at T = "))
  }

  @Test(
    "what cannot be searched is named",
    arguments: [
      ("temperatures: [0]", "temperatures: expected above 0"),
      ("temperatures: []", "temperatures: expected one or more distinct values"),
      ("hardWeights: [0.1, 0.1]", "hardWeights: expected one or more distinct values"),
      ("copies: 1", "search.copies: expected at most those of augmentation, 0"),
      ("hardWeights: [2]", "hardWeights: expected 0 to 1"), ("epochs: 0", "epochs: expected 1"),
    ])
  func searchFaults(search: String, expected: String) throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    let path = try corpus.folder.write(recipe + "search: {\(search)}\n", to: "recipe.yaml")
    let fault = #expect(throws: FileFault.self) { try Recipe(path: path) }
    #expect("\(try #require(fault))".contains(expected))
  }

  @Test(
    "students and baselines are trained with each seed, and compared by their means",
    arguments: ["", "baselineSearch: {learningRate: [0.05, 0.1]}\n"])
  func seeds(search: String) throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(recipe + search + "seeds: 3\n", to: "recipe.yaml")
    let experiment = try experiment(corpus)
    _ = try experiment.run()
    let report = try experiment.readScores()
    let names = ["baseline", "student"].flatMap {
      [$0, "\($0)-seed-2", "\($0)-seed-3", "\($0)-mean"]
    }
    #expect(report.systems.dropFirst(4).map(\.system) == names)
    for first in [4, 8] {
      let own = report.systems[first..<first + 3].map(\.test.accuracy)
      let mean = own.reduce(0, +) / 3
      let squares = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let row = report.systems[first + 3]
      #expect(mismatch(row.test.accuracy, mean, absolute: 1e-12) == nil)
      #expect(
        mismatch(try #require(row.seeds?.test), (squares / 2).squareRoot(), absolute: 1e-12) == nil)
      #expect(row.seeds?.count == 3 && report.systems[first].seeds == nil)
    }
    let gain = try #require(report.comparisons.first { $0.comparison == "student - baseline" })
    #expect(
      mismatch(
        gain.value, report.systems[11].test.accuracy - report.systems[7].test.accuracy,
        absolute: 1e-12) == nil)
    // Seeds are what differs, and the options are those of the first.
    let models = try names.filter { !$0.hasSuffix("mean") }.map {
      try AcousticModel(path: corpus.experimentPath.appending("models/\($0).safetensors"))
    }
    #expect(models.map(\.provenance.seed) == [1, 2, 3, 1, 2, 3])
    #expect(Set(models.map { "\($0.network)" }).count == 6)
    #expect(report.table.contains("s.d. over seeds"))
    let before = try results(corpus.experimentPath)
    _ = try experiment.run()
    #expect(try results(corpus.experimentPath) == before)
    #expect(try experiment.plan().steps.allSatisfy { $0.state == .fresh })
  }

  @Test(
    "soft targets of the largest probabilities are as many numbers, of which the student learns")
  func largestSoftTargets() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    func run(_ options: String) throws -> (report: SoftTargetReport, student: Data?) {
      try corpus.folder.write(recipe + "distillation: {\(options)}\n", to: "recipe.yaml")
      _ = try experiment(corpus).run()
      return (
        try SoftTargetReport(
          path: corpus.experimentPath.appending("soft-targets/arithmetic-T2.0/train.json")),
        try results(corpus.experimentPath)["models/student.safetensors"]
      )
    }
    let all = try run("temperature: 2")
    #expect(all.report.own.largest == nil && all.report.own.bytesAFrame == 2 * 3)
    #expect(all.report.frames == 8 * 58 && all.report.bytes == 8 * 58 * 6)
    #expect(all.report.others.map(\.largest) == [1])
    // Every utterance has 58 frames, of which the first and the 33rd are measured.
    #expect(all.report.measuredFrames == 8 * 2)
    let one = try run("temperature: 2, largest: 1")
    #expect(one.report.own.largest == 1 && one.report.own.divergence > all.report.own.divergence)
    #expect(one.student != all.student)
    // As many as there are classes is all of them.
    let three = try run("temperature: 2, largest: 3")
    #expect(three.report.own == all.report.own)
  }

  @Test("more students have baselines of their own, which are as large")
  func students() throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    let small = "{hidden: {layers: 1, units: 4}, training: {epochs: 1}}"
    let other = "{hidden: {layers: 1, units: 4}, training: {epochs: 2, dropout: 0.5}}"
    try corpus.folder.write(
      recipe + "students: {small: {student: \(small), baseline: \(other)}}\n", to: "recipe.yaml")
    _ = try experiment(corpus).run()
    let report = try experiment(corpus).readScores()
    #expect(
      report.systems.map(\.system) == [
        "member-00", "member-01", "members", "ensemble", "baseline", "baseline-small", "student",
        "student-small",
      ])
    #expect(report.systems[5].parameters == report.systems[7].parameters)
    #expect(report.systems[5].parameters < report.systems[4].parameters)
    let gain = try #require(
      report.comparisons.first { $0.comparison == "student-small - baseline-small" })
    #expect(
      mismatch(
        gain.value, report.systems[7].test.accuracy - report.systems[5].test.accuracy,
        absolute: 1e-12) == nil)
    // A share is given of a gain that is sure alone.
    for (student, baseline) in [("student", "baseline"), ("student-small", "baseline-small")] {
      let whole = report.comparisons.first { $0.comparison == "ensemble - \(baseline)" }
      let share = report.comparisons.contains {
        $0.comparison == "share of the gain recovered by \(student)"
      }
      let low = try #require(whole?.low)
      #expect(share == (low > 0))
    }
    let logs = try ["baseline-small", "student-small"].map { system in
      try TextFile.lines(of: corpus.experimentPath.appending("models/\(system).log.jsonl")).count
    }
    #expect(logs[0] > logs[1])
  }

  @Test(
    "a student's name and its baseline's size are checked",
    arguments: [
      ("a/b: {student: {}}", "a name of letters, digits and hyphens"),
      ("small: {student: {}, baseline: {hidden: {layers: 1}}}", "that of the student"),
      ("small: {}", "the option students.small.student"),
    ])
  func studentFaults(students: String, expected: String) throws {
    let corpus = try SampleCorpus()
    let recipe = try TextFile.text(of: corpus.recipePath)
    let path = try corpus.folder.write(recipe + "students: {\(students)}\n", to: "recipe.yaml")
    let fault = #expect(throws: FileFault.self) { try Recipe(path: path) }
    #expect("\(try #require(fault))".contains(expected))
  }
}
