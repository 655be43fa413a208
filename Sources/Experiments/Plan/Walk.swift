import Corpus
import Foundation
import Storage
import SystemPackage

/// The walk through a plan: which steps are fresh, and how the others are locked, done and recorded.
extension Experiment {
  /// Does the steps that are not fresh.
  ///
  /// - Parameter steps: in the plan's order.
  /// - Throws: what any step throws.
  func walk(_ steps: [any Step]) throws {
    for batch in Plan.batches(steps) {
      try Interruption.check()
      if let first = batch.first { try walk(first, together: batch) }
    }
  }

  private func walk<Own: Step>(_ first: Own, together steps: [any Step]) throws {
    var stale: [Pending<Own>] = []
    for pending in try pendings(steps.compactMap { $0 as? Own }) {
      if try isFresh(pending) {
        reporter.log.info("\(pending.step.name): fresh")
        try pending.step.settle(in: self)
      } else {
        stale.append(pending)
      }
    }
    if !stale.isEmpty { try Own.perform(stale, in: self) }
  }

  /// Steps of a group with their inputs, without those that are not needed.
  func pendings<Own: Step>(_ steps: [Own]) throws -> [Pending<Own>] {
    let needed = try steps.filter { try $0.isNeeded(in: self) }
    guard let common = try needed.first?.commonInputs(in: self) else { return [] }
    return try needed.map { step in
      var inputs = common
      try step.add(to: &inputs, in: self)
      return Pending(step: step, inputs: inputs, files: try step.files(in: self))
    }
  }

  /// Whether a step's files are those that were made, from the same inputs as now; its own inputs must be there.
  func isFresh(_ step: some Step) throws -> Bool {
    try pendings([step]).allSatisfy { try isFresh($0) }
  }

  /// Whether a step's files are those that were made, from the same inputs as now.
  func isFresh(_ pending: Pending<some Step>) throws(FileFault) -> Bool {
    let (inputs, files) = (pending.inputs, pending.files)
    do throws(FileFault) {
      let found = try TextFile.text(of: recordPath(files.record))
      guard found.hasPrefix(inputs.record) else { return false }
      if pending.step.mayEndWithoutFiles, found == inputs.record { return true }
      for path in files.beside where try !FileSystem.exists(path) { return false }
      guard try pending.step.isIntact(in: self) else { return false }
      return try record(of: inputs, files.exact) == found
    } catch {
      // What is missing or damaged is made anew; of what cannot be read it is not known.
      if error.isOfMachine { throw error }
      return false
    }
  }

  /// Takes a step to do it: locks its folder, and forgets what its files were made from, since they are about to
  /// change.
  ///
  /// - Returns: nil when another run has done it meanwhile.
  /// - Throws: `FileFault` when another run is doing it.
  func claim(_ pending: Pending<some Step>) throws(FileFault) -> Claim? {
    let claim = try Claim(self, inputs: pending.inputs, files: pending.files)
    if let remark = claim.remark { reporter.log.warning("\(remark)") }
    if try isFresh(pending) { return nil }
    try forget(pending.files.record)
    return claim
  }

  /// Claims a step, makes its files and finishes the claim, unless another run has done it meanwhile.
  func perform<Own: Step>(_ pending: Pending<Own>) throws {
    try perform(pending) { try pending.step.make(in: self) }
  }

  /// The same, by other means than the step's own.
  func perform(_ pending: Pending<some Step>, _ make: () throws -> Void) throws {
    guard let claim = try claim(pending) else { return }
    try make()
    try claim.finish(pending.files.exact)
    try pending.step.settle(in: self)
  }

  /// Forgets what files were made from.
  func forget(_ record: String) throws(FileFault) {
    try FileSystem.remove(recordPath(record))
  }

  /// A line for the inputs and one for each output, by their bytes.
  fileprivate func record(of inputs: Inputs, _ outputs: [FilePath]) throws(FileFault) -> String {
    var text = inputs.record
    for output in outputs {
      text += "\(try Fingerprint(ofFile: output)) \(relative(output).string)\n"
    }
    return text
  }

  fileprivate func recordPath(_ name: String) -> FilePath {
    recordsPath.appending(name.replacing("/", with: "-"))
  }
}

/// A step that is being done: its folder is locked until this ends.
final class Claim: Sendable {
  private let experiment: Experiment
  let inputs: Inputs
  private let files: StepFiles
  private let lock: FolderLock?
  /// What the user should know of the lock.
  fileprivate let remark: String?

  fileprivate init(
    _ experiment: Experiment, inputs: Inputs, files: StepFiles
  ) throws(FileFault) {
    (self.experiment, self.inputs, self.files) = (experiment, inputs, files)
    guard let folder = files.folder else {
      lock = nil
      remark = nil
      return
    }
    let lock = try FolderLock(folder)
    remark = lock.remark
    self.lock = consume lock
  }

  /// Notes what the step's files were made from, and what they are.
  ///
  /// - Parameter outputs: the files; none of a step that ends without.
  /// - Throws: `FileFault` when they cannot be read, or the record cannot be written.
  func finish(_ outputs: [FilePath]) throws(FileFault) {
    try AtomicFile.write(
      try experiment.record(of: inputs, outputs), to: experiment.recordPath(files.record))
  }
}
