import Foundation
import Synchronization

/// Threads that run phases of tasks, with a barrier between phases.
///
/// Tasks of one phase run in parallel and in any order. Between two calls the threads spin for about a tenth of a
/// millisecond: the next training step follows in less, and a woken thread may land on the core of the thread that woke
/// it. They sleep when no work arrives.
package final class PhaseTeam: Sendable {
  private let state: State

  /// The number of threads, including the calling one.
  package var count: Int { state.count }

  /// - Parameter count: the number of threads, including the calling one.
  package init(count: Int) {
    state = State(count: count)
    for slot in 1..<max(1, count) {
      let own = state
      // If the system cannot start a thread, the others take over its tasks.
      _ = startThread(stack: 8 << 20) { own.serve(slot) }
    }
  }

  deinit { state.stop() }

  /// Runs the tasks of several phases and returns when all are done; call from one thread at a time.
  ///
  /// - Parameters:
  ///   - sizes: the number of tasks of each phase.
  ///   - body: runs one task; `slot` is below the number of threads and unique among running tasks, as an index into
  ///     scratch memory.
  package func run(
    _ sizes: [Int], _ body: @Sendable (_ phase: Int, _ task: Int, _ slot: Int) -> Void
  ) {
    guard state.count > 1 else {
      for (phase, size) in sizes.enumerated() {
        for task in 0..<size { body(phase, task, 0) }
      }
      return
    }
    // Tasks are numbered consecutively across phases and taken in that order.
    let starts = sizes.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
    withoutActuallyEscaping(body) { state.run(Job(starts: starts, body: $0)) }
  }

  /// One call's tasks.
  private struct Job {
    /// The number of each phase's first task, then the total.
    let starts: [Int]
    let body: @Sendable (_ phase: Int, _ task: Int, _ slot: Int) -> Void
  }

  /// The state shared by the threads.
  // @unchecked: `job` is read only by threads counted in `inside` that found `isOpen`, and written when there are none.
  private final class State: @unchecked Sendable {
    let count: Int
    private var job: Job?
    /// Incremented with each job, and to stop.
    private let generation = Atomic(0)
    /// Whether there is a job to join.
    private let isOpen = Atomic(false)
    private let isStopped = Atomic(false)
    /// The number of threads that may be reading the job.
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
      // Threads that arrive from now on find it closed; wait for the others to leave before dropping the job.
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

    /// The main loop of one thread.
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

    /// Spins, yielding now and then: another process may occupy the core of the thread that is waited for.
    private func wait(_ isOver: () -> Bool) {
      var turns = 0
      while !isOver() {
        turns += 1
        if turns % 4096 == 0 { sched_yield() }
      }
    }
  }
}

/// How many times a thread polls for work before it sleeps.
private let spins = 200_000
