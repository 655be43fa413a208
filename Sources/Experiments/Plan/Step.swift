import Corpus
import Storage
import SystemPackage

/// A piece of an experiment's work: what it reads, what it makes, and how.
///
/// A step knows neither locks nor records nor other steps. `Plan` orders the steps by what they
/// read and make. `Experiment.walk` finds those that are not up to date, locks their folders, runs
/// them and writes their records.
protocol Step: Sendable {
  var stage: Stage { get }
  /// The products of other steps that it reads.
  var reads: [Product] { get }
  var makes: Product { get }
  /// Consecutive steps of one group run together: they share data, or run side by side.
  var group: String { get }
  /// Whether it may finish without its files, as a trial that diverges does.
  var mayEndWithoutFiles: Bool { get }

  /// Whether it has to run at all, where only an earlier step's result decides.
  func isNeeded(in experiment: Experiment) throws -> Bool

  /// Throws for faults that can be found as soon as the targets exist, before anything is trained.
  func check(in experiment: Experiment) throws

  /// The files that it makes, and the folder that it works in.
  func files(in experiment: Experiment) throws -> StepFiles

  /// The inputs common to all steps of its group.
  func commonInputs(in experiment: Experiment) throws -> Inputs

  /// Adds the inputs that are its own.
  func add(to inputs: inout Inputs, in experiment: Experiment) throws

  /// The number of frames that it will process if it is not up to date; nil if not yet known.
  func framesToGo(in experiment: Experiment) throws -> Int?

  /// Repairs files beside its results that do not depend on its inputs, whether or not it is up to
  /// date.
  func settle(in experiment: Experiment) throws

  /// Whether those of its files whose bytes may vary can be read.
  func isIntact(in experiment: Experiment) throws(FileFault) -> Bool

  /// Makes its files.
  func make(in experiment: Experiment) throws

  /// Runs steps of one group, none of them up to date: claims each, makes its files and finishes
  /// the claim.
  static func perform(_ steps: [Pending<Self>], in experiment: Experiment) throws
}

/// The files that a step makes.
struct StepFiles {
  /// The name of its record.
  let record: String
  /// The folder that it works in and locks; nil if the experiment's lock is enough.
  var folder: FilePath?
  /// Files whose bytes are the same for the same inputs.
  var exact: [FilePath] = []
  /// Files that contain rates, times or the folder's path, and so only have to exist.
  var beside: [FilePath] = []
}

/// A step whose inputs exist.
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
