import Corpus
import Distillation
import Features
import Foundation
import Networks
import Experiments
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

@Suite("Recipe files")
struct RecipeTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private let corpus = "corpus: {train: a, development: b, test: c}\n"
  private let targets = "targets: {ctm: phones.ctm}\n"

  private func read(_ text: String) throws -> Recipe {
    try Recipe(path: try folder.write(text, to: "recipe.yaml"))
  }

  @Test("what is not said has the documented default")
  func defaults() throws {
    let recipe = try read(corpus + targets)
    guard case .made(let settings) = recipe.features else {
      Issue.record("features are not made of the audio")
      return
    }
    #expect(settings.sampleRate == nil)
    #expect(settings.logMel.melBins == 40)
    #expect((recipe.context.left, recipe.context.right) == (20, 5))
    #expect(recipe.ensemble.members == 5)
    #expect(recipe.distillation.temperature == 2)
    #expect(recipe.distillation.hardWeight == 0.5)
    #expect(recipe.targets.lengthTolerance == 3)
  }

  @Test("what is not said of a baseline is its student's")
  func baselines() throws {
    let student = "{hidden: {units: 3}, seed: 7, training: {epochs: 2}}"
    let recipe = try read(
      corpus + targets + """
        student: \(student)
        baseline: {training: {epochs: 5}}
        students: {small: {student: \(student), baseline: {seed: 8}}}

        """)
    for baseline in [recipe.baseline, try #require(recipe.students["small"]).baseline] {
      #expect(baseline.hidden == recipe.student.hidden)
    }
    #expect((recipe.baseline.seed, recipe.baseline.training.epochs) == (7, 5))
    let small = try #require(recipe.students["small"]).baseline
    #expect((small.seed, small.training.epochs) == (8, 2))
  }

  @Test(
    "faults name the file and the option",
    arguments: [
      ("student: {hiden: {units: 3}}\n", "unknown option student.hiden; did you mean hidden?"),
      ("ensemble: {members: 0}\n", "found ensemble.members: expected 1 to 1000, found 0"),
      (
        "students: {small: {student: {training: {dropout: 2}}}}\n",
        "found students.small.student.training.dropout: expected 0 to 0.99, found 2.0"
      ),
      ("targets: {}\n", "found targets: expected one of ctm, textgrid"),
      (
        "student: {hidden: {units: 3}}\nbaseline: {hidden: {units: 4}}\n",
        "found baseline.hidden: expected that of the student, found another"
      ),
      ("ensemble: {members: five}\n", "expected an integer for ensemble.members"),
      ("ensemble: []\n", "found ensemble: expected one or more groups of members, found none"),
      (
        "ensemble: {members: 3, folds: 4}\n",
        "ensemble.folds: expected 2 up to the number of members, 3"
      ),
      ("ensemble: [{}, {member: 1}]\n", "unknown option ensemble[1].member; did you mean members?"),
      ("ensemble: [{}, {members: 0}]\n", "found ensemble[1].members: expected 1 to 1000, found 0"),
      ("ensemble: [{}, {seed: -1}]\n", "expected an integer of at least 0 for ensemble[1].seed"),
      (
        "ensemble: [{folds: 2}, {}]\n",
        "found ensemble[1].folds: expected those of the first group, 2, found none"
      ),
      (
        "ensemble: [{members: 600}, {members: 600}]\n",
        "found ensemble: expected 1 to 1000 members in all groups, found 1200"
      ),
      (
        "ensemble: [{context: {left: 1}, hidden: {timeOffsets: [[0]]}}]\n",
        "found ensemble[0].context: expected none beside hidden.timeOffsets, found one"
      ),
      ("student: {training: {learningRate: .inf}}\n", "training.learningRate: expected above 0"),
      ("distillation: {temperature: .nan}\n", "temperature: expected above 0, found nan"),
      ("student: {training: {momentum: 1}}\n", "momentum: expected at least 0, below 1, found 1.0"),
      ("distillation: {mean: harmonic}\n", "distillation.mean: expected arithmetic, geometric"),
      (
        "baselineSearch: [{}, {droput: [0]}]\n",
        "unknown option baselineSearch[1].droput; did you mean dropout?"
      ),
      (
        "seeds: 2\nstudents: {my-seed: {student: {}}}\n",
        "expected a name without the words seed and mean beside seeds above 1, found my-seed"
      ),
      ("seeds: 0\n", "seeds: expected 1 to 100, found 0"),
      (
        "baselineSearch: {copies: [1]}\n",
        "baselineSearch.copies: expected at most those of augmentation, 0, found 1"
      ),
      (
        "augmentation: {for: [student]}\n",
        "augmentation.for: expected members, baselines, students, each at most once, found student"
      ),
      (
        "baselineSearch: {optimizer: adams}\n",
        "found baselineSearch.optimizer: expected sgd, adam, adamw, found adams"
      ),
      (
        "scoring: {fold: \"a\\0b\"}\n",
        "found scoring.fold: expected a usable path, found one with a NUL in it"
      ),
      (
        "missingClass: {label: \"a\\0b\", student: {}}\n",
        "found missingClass.label: expected a label without a NUL"
      ),
      ("features: {melBins: 40\n", "expected YAML"),
      ("? [a]\n: 3\n", ":3: expected the name of an option, found a list"),
      ("<<: 3\n", ":3: expected a section to take options from for <<, found 3"),
      ("student: 5\n", ":3: expected a section for student, found 5"),
      ("student: {seed: -1}\n", ":3: expected an integer of at least 0 for student.seed, found -1"),
      ("student: {training: {epochs: 010}}\n", ":3: expected a decimal number, or quotes"),
      ("student: {training: {epochs: 1:30}}\n", "around a text, found 1:30"),
      (
        "student: {training: {epochs: 9223372036854775807:9223372036854775807}}\n",
        "expected a decimal number"
      ),
      (
        "student: {hidden: {timeOffsets: 3}}\n", "expected a list for student.hidden.timeOffsets"
      ),
    ])
  func faults(text: String, message: String) throws {
    let sections = text.hasPrefix("targets") ? corpus + text : corpus + targets + text
    let fault = #expect(throws: FileFault.self) { try read(sections) }
    #expect(fault?.description.contains(message) == true, "\(String(describing: fault))")
    #expect(fault?.description.hasPrefix(folder.file("recipe.yaml").string) == true)
    #expect(fault?.exitStatus == .data)
  }

  @Test("all mistakes are reported together, and none that follows from another")
  func allMistakes() throws {
    let text = """
      corpus: {train: a, develpment: b, test: c}
      targets: {}
      context: {left: -1}
      ensemble: {members: five, folds: 7, training: {epocs: 3, dropout: 2}}
      student: {hidden: {layers: x, timeOffsets: [[0]]}}
      baselineSearch: [{copies: [0]}, {droput: [0]}]
      students: {small: {student: {seed: -1}}}
      """
    let fault = try #require(throws: FileFault.self) { try read(text) }
    let expected = [
      "unknown option corpus.develpment; did you mean development?", "targets: expected one of",
      "context.left: expected", "an integer for ensemble.members, found five",
      "unknown option ensemble.training.epocs", "ensemble.training.dropout: expected 0 to 0.99",
      "an integer for student.hidden.layers, found x",
      "unknown option baselineSearch[1].droput; did you mean dropout?",
      "an integer of at least 0 for students.small.student.seed, found -1",
    ]
    let lines = fault.description.split(separator: "\n")
    for part in expected { #expect(lines.count { $0.contains(part) } == 1, "\(part): \(fault)") }
    #expect(lines.count == expected.count, "\(fault)")
    #expect(lines.allSatisfy { $0.hasPrefix(folder.file("recipe.yaml").string) })
    let odd = try #require(throws: FileFault.self) {
      try read(corpus + targets + "seeds: 010\nstudent: {seed: 0x10}\n")
    }
    #expect(odd.description.split(separator: "\n").count == 2, "\(odd)")
  }

  @Test("a recipe needs a corpus, and one source of targets")
  func missing() throws {
    let noCorpus = #expect(throws: FileFault.self) { try read(targets) }
    #expect(noCorpus?.description.contains("the option corpus") == true)
    let cut = #expect(throws: FileFault.self) {
      try read(corpus.replacing("train: a", with: "train: \"a\\0b\"") + targets)
    }
    #expect(cut?.description.contains("found corpus.train: expected a usable path") == true)
    for sources in ["targets: {}\n", "targets: {ctm: a, archive: b}\n"] {
      let fault = #expect(throws: FileFault.self) { try read(corpus + sources) }
      #expect(fault?.description.contains("one of ctm, textgrid, phn") == true)
    }
  }

  @Test("settings take the place of the file's options, and are in the text that is kept")
  func settings() throws {
    let text =
      corpus + targets + """
        student: {hidden: &own {units: 7}, training: &training {epochs: 3, dropout: 0.5}}
        baseline: {hidden: *own, training: *training}

        """
    let path = try folder.write(text, to: "recipe.yaml")
    let recipe = try Recipe(
      path: path,
      settings: [
        "student.training.epochs=20", "search={temperatures: [1, 3]}", "ensemble.seed=9",
        "corpus.root=a=b",
      ])
    #expect(recipe.student.training.epochs == 20 && recipe.student.training.dropout == 0.5)
    // What an anchor shares is set in one place alone.
    #expect(recipe.baseline.training.epochs == 3 && recipe.baseline.hidden.units == 7)
    #expect(recipe.search?.temperatures == [1, 3] && recipe.ensemble.seed == 9)
    #expect(recipe.corpus.root == "a=b")
    try folder.write(recipe.text, to: "kept.yaml")
    let kept = try Recipe(path: folder.file("kept.yaml"))
    #expect(JSONText.line(kept) == JSONText.line(recipe))
    #expect(JSONText.line(kept).contains("\"root\":\"a=b\""))
    #expect(try Recipe(path: path).text == text)
  }

  @Test("a setting leaves what a section has by a merge key")
  func mergeKeys() throws {
    let text =
      corpus + targets + """
        baseline: &own {hidden: {units: 7}, training: {epochs: 3, dropout: 0.5}}
        student: {<<: *own, seed: 2}

        """
    let path = try folder.write(text, to: "recipe.yaml")
    let recipe = try Recipe(path: path, settings: ["student.training.epochs=20"])
    #expect(recipe.student.training.epochs == 20 && recipe.student.training.dropout == 0.5)
    #expect(recipe.student.hidden.units == 7 && recipe.student.seed == 2)
    #expect(recipe.baseline.training.epochs == 3)
  }

  @Test(
    "a setting that cannot be is an error that shows it",
    arguments: [
      ("epochs", "--set: expected OPTION=VALUE, such as student.training.epochs=20, found epochs"),
      ("student..epochs=3", "found student..epochs=3"),
      ("student.epochs=3", "unknown option student.epochs"),
      ("student.training.epochs=x", "expected an integer for student.training.epochs"),
    ])
  func settingFaults(setting: String, message: String) throws {
    let path = try folder.write(corpus + targets, to: "recipe.yaml")
    let fault = #expect(throws: FileFault.self) { try Recipe(path: path, settings: [setting]) }
    #expect(fault?.description.contains(message) == true, "\(String(describing: fault))")
  }
}
