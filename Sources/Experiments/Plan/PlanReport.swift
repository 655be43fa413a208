import Storage
import SystemPackage

/// The steps of a recipe in an experiment's folder, and which are done.
package struct PlanReport: Sendable, Encodable {
  /// How far a step is.
  package enum State: String, Sendable, Encodable {
    case fresh
    /// Its files are missing, or were made from other inputs; or it reads those of a step that is to be done.
    case toDo = "to do"
    /// Another process has the folder that it works in.
    case running
    /// Fewer clusters were found than there are specialists asked for.
    case notNeeded = "not needed"
  }

  /// One step.
  package struct Step: Sendable, Encodable {
    /// The name of what it makes.
    package let step: String
    package let stage: String
    package let state: State
    /// The steps whose files it reads.
    package let needs: [String]
    /// Its files, from the experiment's folder on; none where a search decides on their names and is not done.
    package let makes: [String]
    /// The frames that it has still to go over; nil where that is not known.
    package let framesToGo: Int?
    /// Why its inputs, and those of the steps of its group, cannot be told, in words.
    package let fault: String?
  }

  /// Each after those that it needs.
  package let steps: [Step]

  /// The frames that all steps have still to go over, as far as they are known.
  package var framesToGo: Int { steps.reduce(0) { $0 + ($1.framesToGo ?? 0) } }
}

extension Experiment {
  /// What is done and what is to be done; nothing is written or locked.
  ///
  /// - Returns: all steps of the recipe.
  /// - Throws: a fault of the machine.
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

  /// The states of steps of one group whose inputs are there.
  private func states(
    of steps: [any Step]
  ) throws -> [Product: (PlanReport.State, fault: String?)] {
    guard let first = steps.first else { return [:] }
    do {
      return try self.states(first, together: steps)
    } catch let fault as any Fault where !fault.isOfMachine && !fault.isInterruption {
      // Said once for all of them.
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
