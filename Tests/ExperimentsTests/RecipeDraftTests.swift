import Corpus
import Distillation
import Evaluation
import Experiments
import Features
import Foundation
import LinearAlgebra
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

@Suite("Written recipes")
struct RecipeDraftTests {
  private let corpus: SampleCorpus

  init() throws { corpus = try SampleCorpus() }

  private var data: FilePath { corpus.experimentPath.appending("data") }

  /// The text of a first recipe in the folder of the corpus.
  private func draft(_ change: (inout TargetOptions) -> Void = { _ in }) throws -> String {
    var options = TargetOptions(format: .ctm, path: data.appending("phones.ctm").string)
    change(&options)
    return try RecipeDraft(of: data, targets: options, workers: .one)
      .text(for: corpus.folder.file("draft.yaml"))
  }

  private func read(_ text: String) throws -> Recipe {
    try Recipe(path: try corpus.folder.write(text, to: "draft.yaml"))
  }

  @Test("a first recipe has the defaults, the rate of the audio, and paths from its own folder")
  func defaults() throws {
    let text = try draft()
    let minimal = """
      paths: recipe
      corpus: {train: exp/data/train, development: exp/data/development, test: exp/data/test}
      targets: {ctm: exp/data/phones.ctm}
      features: {sampleRate: 8000}

      """
    #expect(text.contains("train: exp/data/train") && text.contains("ctm: exp/data/phones.ctm"))
    #expect(text.contains("#   train: 8 utterances by unknown speakers\n"))
    #expect(text.contains("#   audio at 8000 Hz\n"))
    #expect(JSONText.line(try read(text)) == JSONText.line(try read(minimal)))
  }

  @Test("a first recipe has every option, on or off, and each that is off can be switched on")
  func everyOption() throws {
    let text = try draft()
    func names(_ keys: [any CodingKey]) -> [String] { keys.map(\.stringValue) }
    let keys = [
      names(Recipe.CodingKeys.allCases),
      names(Recipe.CorpusOptions.CodingKeys.allCases),
      names(Recipe.MemberGroup.CodingKeys.allCases),
      names(Recipe.SystemOptions.CodingKeys.allCases),
      names(TargetOptions.CodingKeys.allCases),
      names(LogMelOptions.CodingKeys.allCases),
      names(FeatureTransform.CodingKeys.allCases),
      names(ContextWindow.CodingKeys.allCases),
      names(HiddenShape.CodingKeys.allCases),
      names(TrainingOptions.CodingKeys.allCases),
      names(SearchOptions.CodingKeys.allCases),
      names(DistillationOptions.CodingKeys.allCases),
      names(AugmentationOptions.CodingKeys.allCases),
      names(BaselineSearchOptions.Grid.CodingKeys.allCases),
      names(SubsetOptions.CodingKeys.allCases),
      names(MissingClassOptions.CodingKeys.allCases),
      names(SpecialistOptions.CodingKeys.allCases),
      names(ClusteringOptions.CodingKeys.allCases),
      names(ScoringOptions.CodingKeys.allCases),
    ].flatMap(\.self)
    // Only an archive has integers to name.
    for key in keys where !["symbols", "names"].contains(key) {
      #expect(text.contains("\(key):"), "\(key)")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let off = lines.indices.filter { lines[$0].wholeMatch(of: #/ *#[A-Za-z]+: .*/#) != nil }
    #expect(off.count >= 20)
    for index in off {
      var changed = lines
      changed[index] = lines[index].replacing("#", with: "", maxReplacements: 1)
      let recipe = try read(changed.joined(separator: "\n"))
      #expect(JSONText.line(recipe) != JSONText.line(try read(text)), "\(lines[index])")
    }
    let archive = try draft { $0 = TargetOptions(format: .archive, path: "ids.txt") }
    #expect(archive.contains("#symbols: ") && archive.contains("#names: "))
  }

  @Test("a recipe whose paths start at its own folder runs from any folder")
  func ownFolder() throws {
    let own = try TextFile.text(of: corpus.recipePath).replacing("data/", with: "exp/data/")
    try corpus.folder.write("paths: recipe\n" + own, to: "recipe.yaml")
    let exp = corpus.folder.file("elsewhere/exp")
    let experiment = Experiment(
      recipe: try Recipe(path: corpus.recipePath), path: exp, workers: .one, reporter: silent)
    #expect(try experiment.run().ledger.leftOut.isEmpty)
    // The copy in the experiment reads as the same recipe, with the rate in force.
    let copy = try Recipe(path: exp.appending("recipe.yaml"))
    #expect(JSONText.line(copy) == JSONText.line(experiment.recipe))
    let again = Experiment(recipe: copy, path: exp, workers: .one, reporter: silent)
    #expect(try again.plan().steps.allSatisfy { $0.state == .fresh })
  }

  @Test("the copy in the experiment has all values, and reads as the recipe that was run")
  func copy() throws {
    let text = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(text.replacing("sampleRate: 8000, ", with: ""), to: "recipe.yaml")
    let experiment = Experiment(
      recipe: try Recipe(path: corpus.recipePath), path: corpus.experimentPath, workers: .one,
      reporter: silent)
    _ = try experiment.run()
    let path = corpus.experimentPath.appending("recipe.yaml")
    let copy = try TextFile.text(of: path)
    for value in ["sampleRate: 8000", "melBins: 10", "momentum: 0.9", "train: data/train"] {
      #expect(copy.contains(value), "\(value)")
    }
    let again = Experiment(
      recipe: try Recipe(path: path), path: corpus.experimentPath, workers: .one, reporter: silent)
    #expect(try again.plan().steps.allSatisfy { $0.state == .fresh })
  }

  @Test("the student has about a quarter of a member's parameters unless the recipe has its layers")
  func quarter() throws {
    let required = "corpus: {train: a, development: b, test: c}\ntargets: {ctm: d}\n"
    let recipe = try read(required + "ensemble: {hidden: {layers: 3, units: 500}}\n")
    #expect((recipe.student.hidden.layers, recipe.student.hidden.units) == (3, 200))
    #expect(recipe.baseline.hidden == recipe.student.hidden)
    // Weights and biases of 26 frames of 40 bands, for 120 classes.
    func parameters(_ hidden: HiddenShape) -> Double {
      let units = Double(hidden.units)
      return (1040 + 1) * units + Double(hidden.layers - 1) * (units + 1) * units + (units + 1)
        * 120
    }
    for units in [256, 512, 1024, 2048] {
      let member = HiddenShape(layers: 4, units: units)
      #expect((0.19...0.32).contains(parameters(member.quarter) / parameters(member)), "\(units)")
    }
    let own = try read(required + "student: {hidden: {units: 300}}\n")
    #expect((own.student.hidden.layers, own.student.hidden.units) == (4, 300))
    let trained = try read(required + "student: {training: {epochs: 3}}\n")
    #expect((trained.student.hidden.units, trained.student.training.epochs) == (205, 3))
  }

  @Test("a folder without parts is refused with what makes them")
  func noParts() throws {
    let options = TargetOptions(format: .ctm, path: "a.ctm")
    let fault = #expect(throws: FileFault.self) {
      try RecipeDraft(of: data.appending("train"), targets: options, workers: .one)
    }
    #expect(
      fault?.description.contains(
        "expected train/wav.scp, found none, but wav.scp; limbeck split DATA OUT makes OUT/train")
        == true)
  }
}
