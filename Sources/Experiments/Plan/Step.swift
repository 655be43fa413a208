import Corpus
import Storage
import SystemPackage

/// A piece of an experiment's work: what it reads, what it makes, and how it is done.
///
/// A step knows neither locks nor records nor other steps. `Plan` orders steps by what they read and make, and
/// `Experiment.walk` decides which are fresh, locks, does and records the others.
protocol Step: Sendable {
  var stage: Stage { get }
  /// What it reads of what other steps make.
  var reads: [Product] { get }
  var makes: Product { get }
  /// Steps that follow each other in one group are done together: they share data, or run side by side.
  var group: String { get }
  /// Whether it may end without its files, as a trial that diverges.
  var mayEndWithoutFiles: Bool { get }

  /// Whether it is to be done at all, where only an earlier step's result decides on that.
  func isNeeded(in experiment: Experiment) throws -> Bool

  /// Throws for what can be known to be wrong once there are targets, before anything is trained.
  func check(in experiment: Experiment) throws

  /// The files that it makes, and where it works.
  func files(in experiment: Experiment) throws -> StepFiles

  /// What the files of all steps of its group depend on.
  func commonInputs(in experiment: Experiment) throws -> Inputs

  /// Adds all else that its files depend on.
  func add(to inputs: inout Inputs, in experiment: Experiment) throws

  /// The frames that it has still to go over when it is not fresh; nil when that is not known yet.
  func framesToGo(in experiment: Experiment) throws -> Int?

  /// Mends what lies beside its files and does not depend on its inputs, whether or not it is fresh.
  func settle(in experiment: Experiment) throws

  /// Whether those of its files that need only be there can be read.
  func isIntact(in experiment: Experiment) throws(FileFault) -> Bool

  /// Does it.
  func make(in experiment: Experiment) throws

  /// Does some steps of a group, none of which is fresh: claims each, makes its files and finishes the claim.
  static func perform(_ steps: [Pending<Self>], in experiment: Experiment) throws
}

/// The files that a step makes.
struct StepFiles {
  /// The name of its record.
  let record: String
  /// The folder that it works in and has alone meanwhile; nil where the experiment's lock is enough.
  var folder: FilePath?
  /// The same bytes for the same inputs.
  var exact: [FilePath] = []
  /// Others with rates, times or the folder's path in them, which need only be there.
  var beside: [FilePath] = []
}

/// A step whose inputs are there.
struct Pending<Own: Step> {
  let step: Own
  let inputs: Inputs
  let files: StepFiles
}

extension Step {
  var name: String { makes.description }
  var group: String { name }
  var mayEndWithoutFiles: Bool { false }
  func isNeeded(in experiment: Experiment) -> Bool { true }
  func check(in experiment: Experiment) {}
  func commonInputs(in experiment: Experiment) throws -> Inputs { try Inputs() }
  func framesToGo(in experiment: Experiment) throws -> Int? { nil }
  func settle(in experiment: Experiment) throws {}
  func isIntact(in experiment: Experiment) -> Bool { true }
  func make(in experiment: Experiment) throws {}

  static func perform(_ steps: [Pending<Self>], in experiment: Experiment) throws {
    for pending in steps { try experiment.perform(pending) }
  }
}
