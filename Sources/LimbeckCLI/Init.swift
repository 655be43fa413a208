import ArgumentParser
import Corpus
import Experiments
import Storage
import SystemPackage

/// `limbeck init`: writes a recipe for a corpus.
struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a commented recipe for a corpus, with every option.",
    discussion: """
      DATA contains the data directories train, development (or dev) and test, as split writes them. \
      The recipe has every option with its default, the sample rate of the audio, and paths that \
      start at the recipe's own folder. An existing file is not replaced.
      """)

  @Argument(help: "The folder of the data directories train, development and test.")
  var data: FilePath
  @Option(help: "The recipe to write.")
  var recipe: FilePath = "recipe.yaml"
  @OptionGroup(title: "Alignments (one of them)") var source: AlignmentFlags
  @OptionGroup(title: "Classes") var classes: ClassFlags
  @OptionGroup var job: JobOptions

  func validate() throws { _ = try options() }

  private func options() throws -> TargetOptions {
    var options = try source.options()
    classes.set(&options)
    do { try options.validate() } catch { throw ValidationError(error.description) }
    return options
  }

  func run() throws {
    guard try !FileSystem.exists(recipe) else {
      throw FileFault.malformed(
        path: recipe, expected: "no such file, since it would be replaced",
        found: "one; name another")
    }
    let draft = try RecipeDraft(of: data, targets: try options(), workers: job.workers)
    try AtomicFile.write(try draft.text(for: recipe), to: recipe)
    try Terminal.print(
      (draft.findings + ["\(recipe.text): written; limbeck run \(recipe.text) exp/NAME runs it"])
        .map { $0.visible + "\n" }.joined())
  }
}
