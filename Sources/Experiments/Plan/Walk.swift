import Corpus
import Foundation
import Storage
import SystemPackage

/// Running a plan: finding the steps that are not up to date, and locking, running and recording
/// them.
extension Experiment {
  /// Runs the steps that are not up to date.
  ///
  /// - Parameter steps: the steps, in the plan's order.
  /// - Throws: whatever a step throws.
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

  /// The steps of a group that are needed, with their inputs.
  func pendings<Own: Step>(_ steps: [Own]) throws -> [Pending<Own>] {
    let needed = try steps.filter { try $0.isNeeded(in: self) }
    guard let common = try needed.first?.commonInputs(in: self) else { return [] }
    return try needed.map { step in
      var inputs = common
      try step.add(to: &inputs, in: self)
      return Pending(step: step, inputs: inputs, files: try step.files(in: self))
    }
  }

  /// Whether a step's files are intact and made from the present inputs; its own inputs must exist.
  func isFresh(_ step: some Step) throws -> Bool {
    try pendings([step]).allSatisfy { try isFresh($0) }
  }

  /// Whether a step's files are intact and made from the present inputs.
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
      // Missing or damaged files are made again; whether unreadable ones are fresh is unknown.
      if error.isOfMachine { throw error }
      return false
    }
  }

  /// Claims a step: locks its folder and removes its record, since its files are about to change.
  ///
  /// - Returns: nil when another run has completed it in the meantime.
  /// - Throws: `FileFault` when another run is working on it.
  func claim(_ pending: Pending<some Step>) throws(FileFault) -> Claim? {
    let claim = try Claim(self, inputs: pending.inputs, files: pending.files)
    if let remark = claim.remark { reporter.log.warning("\(remark)") }
    if try isFresh(pending) { return nil }
    try forget(pending.files.record)
    return claim
  }

  /// Claims a step, makes its files and finishes the claim, unless another run has completed it in
  /// the meantime.
  func perform<Own: Step>(_ pending: Pending<Own>) throws {
    try perform(pending) { try pending.step.make(in: self) }
  }

  /// The same, with `make` in place of the step's own.
  func perform(_ pending: Pending<some Step>, _ make: () throws -> Void) throws {
    guard let claim = try claim(pending) else { return }
    try make()
    try claim.finish(pending.files.exact)
    try pending.step.settle(in: self)
  }

  /// Removes the record of what files were made from.
  func forget(_ record: String) throws(FileFault) {
    try FileSystem.remove(recordPath(record))
  }

  /// The text of a record: a line for the inputs, and one for each output by the digest of its
  /// bytes.
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

/// A step in progress, whose folder is locked for the lifetime of this value.
final class Claim: Sendable {
  private let experiment: Experiment
  let inputs: Inputs
  private let files: StepFiles
  private let lock: FolderLock?
  /// A warning about the lock for the user.
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

  /// Records what the step's files were made from, and their digests.
  ///
  /// - Parameter outputs: the files; none for a step that finished without them.
  /// - Throws: `FileFault` when they cannot be read, or the record cannot be written.
  func finish(_ outputs: [FilePath]) throws(FileFault) {
    try AtomicFile.write(
      try experiment.record(of: inputs, outputs), to: experiment.recordPath(files.record))
  }
}
