import Foundation
import Synchronization

/// Threads that do phases of tasks together: those of one phase in any order and side by side, but none before
/// all of the phase before it are done.
///
/// Between two calls the threads wait without sleep for a tenth of a millisecond or so: a step of training
/// follows the one before in less, and a thread that is woken may find itself on the core of the one that woke
/// it. They sleep when nothing comes.
package final class PhaseTeam: Sendable {
  private let state: State

  /// The number of threads, with the calling one.
  package var count: Int { state.count }

  /// - Parameter count: how many threads, with the calling one.
  package init(count: Int) {
    state = State(count: count)
    for slot in 1..<max(1, count) {
      let own = state
      // Those that the system has no room for are not missed: the others take their tasks.
      _ = startThread(stack: 8 << 20) { own.serve(slot) }
    }
  }

  deinit { state.stop() }

  /// Runs the tasks of several phases, and returns when all are done; called by one thread at a time.
  ///
  /// - Parameters:
  ///   - sizes: the number of tasks of each phase.
  ///   - body: does one task; `slot` is below the number of threads and no other running task has it, as an
  ///     index into scratch.
  package func run(
    _ sizes: [Int], _ body: @Sendable (_ phase: Int, _ task: Int, _ slot: Int) -> Void
  ) {
    guard state.count > 1 else {
      for (phase, size) in sizes.enumerated() {
        for task in 0..<size { body(phase, task, 0) }
      }
      return
    }
    // Tasks are numbered through all phases, and taken in that order.
    let starts = sizes.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
    withoutActuallyEscaping(body) { state.run(Job(starts: starts, body: $0)) }
  }

  /// What is to be done.
  private struct Job {
    /// The number of each phase's first task, and of all tasks.
    let starts: [Int]
    let body: @Sendable (_ phase: Int, _ task: Int, _ slot: Int) -> Void
  }

  /// What the threads share.
  // @unchecked: `job` is read by threads in `inside` that found `isOpen`, and written when there are none.
  private final class State: @unchecked Sendable {
    let count: Int
    private var job: Job?
    /// Raised with each job, and to stop.
    private let generation = Atomic(0)
    /// Whether there is a job to join.
    private let isOpen = Atomic(false)
    private let isStopped = Atomic(false)
    /// The threads that may be reading the job.
    private let inside = Atomic(0)
    private let next = Atomic(0)
    private let done = Atomic(0)
    private let sleepers = Atomic(0)
    private let condition = NSCondition()

    init(count: Int) { self.count = count }

    func run(_ job: Job) {
      self.job = job
      next.store(0, ordering: .relaxed)
      done.store(0, ordering: .relaxed)
      isOpen.store(true, ordering: .sequentiallyConsistent)
      raiseGeneration()
      work(job, slot: 0)
      let total = job.starts[job.starts.count - 1]
      wait { done.load(ordering: .acquiring) == total }
      // Who comes from now on finds it closed; who has come leaves before the job goes.
      isOpen.store(false, ordering: .sequentiallyConsistent)
      wait { inside.load(ordering: .sequentiallyConsistent) == 0 }
      self.job = nil
    }

    func stop() {
      isStopped.store(true, ordering: .sequentiallyConsistent)
      raiseGeneration()
    }

    private func raiseGeneration() {
      generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
      guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
      condition.lock()
      condition.broadcast()
      condition.unlock()
    }

    /// The life of one thread.
    func serve(_ slot: Int) {
      var seen = 0
      while true {
        waitForGeneration(after: seen)
        seen = generation.load(ordering: .sequentiallyConsistent)
        if isStopped.load(ordering: .sequentiallyConsistent) { return }
        inside.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if isOpen.load(ordering: .sequentiallyConsistent), let job { work(job, slot: slot) }
        inside.wrappingSubtract(1, ordering: .sequentiallyConsistent)
      }
    }

    private func waitForGeneration(after seen: Int) {
      var turns = 0
      while turns < spins, generation.load(ordering: .acquiring) == seen { turns += 1 }
      guard turns == spins else { return }
      condition.lock()
      sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
      while generation.load(ordering: .sequentiallyConsistent) == seen { condition.wait() }
      sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
      condition.unlock()
    }

    private func work(_ job: Job, slot: Int) {
      let total = job.starts[job.starts.count - 1]
      var phase = 0
      while true {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard number < total else { return }
        while number >= job.starts[phase + 1] { phase += 1 }
        wait { done.load(ordering: .acquiring) >= job.starts[phase] }
        job.body(phase, number - job.starts[phase], slot)
        done.wrappingAdd(1, ordering: .releasing)
      }
    }

    /// Waits without sleep; another process may have the core of the thread that is waited for.
    private func wait(_ isOver: () -> Bool) {
      var turns = 0
      while !isOver() {
        turns += 1
        if turns % 4096 == 0 { sched_yield() }
      }
    }
  }
}

/// How often a thread looks for work before it sleeps.
private let spins = 200_000
