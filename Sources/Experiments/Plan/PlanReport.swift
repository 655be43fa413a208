import Storage
import SystemPackage

/// The steps of a recipe in an experiment's folder, and which of them are done.
package struct PlanReport: Sendable, Encodable {
  /// The progress of a step.
  package enum State: String, Sendable, Encodable {
    /// Its files are complete and made from the present inputs.
    case fresh
    /// Its files are missing or were made from other inputs, or a step that it reads from is to do.
    case toDo = "to do"
    /// Another process holds the folder that it works in.
    case running
    /// Fewer clusters were found than the recipe has specialists.
    case notNeeded = "not needed"
  }

  /// One step.
  package struct Step: Sendable, Encodable {
    /// The name of its product.
    package let step: String
    /// The stage that it belongs to, a `Stage`'s raw value.
    package let stage: String
    /// Whether it is done.
    package let state: State
    /// The names of the steps whose files it reads.
    package let needs: [String]
    /// Its files, relative to the experiment's folder; empty if a search that is not done decides
    /// their names.
    package let makes: [String]
    /// The number of frames that it still has to process; nil if unknown.
    package let framesToGo: Int?
    /// Why the inputs of its group cannot be determined; nil if they can.
    package let fault: String?
  }

  /// All steps, each after those that it needs.
  package let steps: [Step]

  /// The total number of frames still to process, as far as it is known.
  package var framesToGo: Int { steps.reduce(0) { $0 + ($1.framesToGo ?? 0) } }
}

extension Experiment {
  /// Determines what is done and what is to do, without writing or locking anything.
  ///
  /// - Returns: all steps of the recipe.
  /// - Throws: a machine fault.
  package func plan() throws -> PlanReport {
    let plan = Plan(recipe)
    var states: [Product: PlanReport.State] = [:]
    var reports: [PlanReport.Step] = []
    for batch in Plan.batches(plan.steps) {
      let ready = batch.filter { step in
        step.reads.allSatisfy { [.fresh, .notNeeded].contains(states[$0] ?? .fresh) }
      }
      let found = try self.states(of: ready)
      for step in batch {
        let (state, fault) = found[step.makes] ?? (.toDo, nil)
        states[step.makes] = state
        reports.append(try report(step, plan, state, fault: fault))
      }
    }
    return PlanReport(steps: reports)
  }

  /// The states of steps of one group whose inputs exist.
  private func states(
    of steps: [any Step]
  ) throws -> [Product: (PlanReport.State, fault: String?)] {
    guard let first = steps.first else { return [:] }
    do {
      return try self.states(first, together: steps)
    } catch let fault as any Fault where !fault.isOfMachine && !fault.isInterruption {
      // Reported once for the whole group.
      return [first.makes: (.toDo, "\(fault)")]
    }
  }

  private func states<Own: Step>(
    _ first: Own, together steps: [any Step]
  ) throws -> [Product: (PlanReport.State, fault: String?)] {
    var states: [Product: (PlanReport.State, fault: String?)] = [:]
    for step in steps { states[step.makes] = (.notNeeded, nil) }
    for pending in try pendings(steps.compactMap { $0 as? Own }) {
      let isRunning = try pending.files.folder.map { folder throws(FileFault) in
        try FolderLock.isHeld(folder)
      }
      states[pending.step.makes] =
        if isRunning == true { (.running, nil) } else {
          (try isFresh(pending) ? .fresh : .toDo, nil)
        }
    }
    return states
  }

  private func report(
    _ step: any Step, _ plan: Plan, _ state: PlanReport.State, fault: String?
  ) throws -> PlanReport.Step {
    func known<Value>(_ value: () throws -> Value?) throws -> Value? {
      do { return try value() } catch let fault as any Fault where !fault.isOfMachine {
        return nil
      }
    }
    let files = try known { try step.files(in: self) }
    let isDone = state == .fresh || state == .notNeeded
    return PlanReport.Step(
      step: step.name, stage: step.stage.rawValue, state: state,
      needs: plan.before(step).map(\.name),
      makes: ((files?.exact ?? []) + (files?.beside ?? [])).map { relative($0).string },
      framesToGo: isDone ? 0 : try known { try step.framesToGo(in: self) }, fault: fault)
  }
}
