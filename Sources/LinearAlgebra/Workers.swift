import COpenBLAS
import Dispatch
import Foundation
import Synchronization

/// The number of threads that one piece of work may use.
///
/// This file is the only owner of threads.
///
/// Work is cut into parts whose bounds do not depend on the number of threads, and no two parts
/// write the same memory; so the number of threads changes the time and not the result. Many
/// independent jobs share the cores with one thread each; one big network has them all. OpenBLAS
/// itself is held to one thread throughout.
package struct Workers: Sendable {
  /// The number of threads, at least one.
  package let count: Int

  package init(count: Int) {
    precondition(count > 0, "Workers: \(count) is not a number of threads")
    self.count = count
    _ = openBLASIsSingleThreaded
  }

  /// The calling thread alone.
  package static let one = Workers(count: 1)

  /// As many threads as the process may run at a time.
  package static let all = Workers(count: ProcessInfo.processInfo.activeProcessorCount)

  /// These workers for work on so many elements that sharing it pays, else the calling thread alone:
  /// to wake a thread takes as long as to go over some 100,000 elements.
  func forElements(_ count: Int) -> Workers { count < 1 << 17 ? .one : self }

  /// Runs `body` once for each index below `iterations`, in no particular order, and returns when
  /// all are done.
  package func forEach(_ iterations: Int, _ body: @Sendable (Int) -> Void) {
    guard count > 1, iterations > 1 else {
      for index in 0..<iterations { body(index) }
      return
    }
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: min(count, iterations)) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < iterations else { return }
        body(index)
      }
    }
  }

  /// Runs `body` once for each index below `iterations`, begun in order, where each thread has a state
  /// of its own, such as a Fourier plan; it must not carry anything from one index to another.
  package func forEach<State: ~Copyable>(
    _ iterations: Int, state: @Sendable () -> State,
    _ body: @Sendable (_ state: inout State, _ index: Int) -> Void
  ) {
    let next = Atomic(0)
    forEach(min(count, iterations)) { _ in
      var own = state()
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < iterations else { return }
        body(&own, index)
      }
    }
  }

  /// Runs the tasks of several phases: those of one in any order and side by side, but none before all of the
  /// phase before it are done.
  ///
  /// Threads are woken once for all phases, and wait for each other without sleep, since a phase of training
  /// lasts less than it takes to wake a thread.
  ///
  /// - Parameters:
  ///   - sizes: the number of tasks of each phase.
  ///   - body: does one task; `slot` is below `count` and no other running task has it, as an index into
  ///     scratch.
  package func runPhases(
    _ sizes: [Int], _ body: @Sendable (_ phase: Int, _ task: Int, _ slot: Int) -> Void
  ) {
    guard count > 1 else {
      for (phase, size) in sizes.enumerated() {
        for task in 0..<size { body(phase, task, 0) }
      }
      return
    }
    // Tasks are numbered through all phases, and taken in that order.
    let starts = sizes.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
    let next = Atomic(0)
    let done = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: count) { slot in
      var phase = 0
      while true {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard number < starts[sizes.count] else { return }
        while number >= starts[phase + 1] { phase += 1 }
        var turns = 0
        while done.load(ordering: .acquiring) < starts[phase] {
          turns += 1
          // Another process may have the core of the thread that is waited for.
          if turns % 4096 == 0 { sched_yield() }
        }
        body(phase, number - starts[phase], slot)
        done.wrappingAdd(1, ordering: .releasing)
      }
    }
  }

  /// Runs `body` once for each run of `size` indices below `total`; the last may be shorter.
  package func forEachPart(of total: Int, size: Int, _ body: @Sendable (Range<Int>) -> Void) {
    forEach((total + size - 1) / size) { part in
      body(part * size..<min(total, (part + 1) * size))
    }
  }

  /// What `body` returns for each index, in the order of the indices.
  package func map<Value: Sendable>(
    _ iterations: Int, _ body: @Sendable (Int) -> Value
  ) -> [Value] {
    map(iterations, state: { () }, { _, index in body(index) })
  }

  /// What `body` returns for each index, in the order of the indices, where each thread has a state
  /// of its own, such as a Fourier plan; it must not carry anything from one index to another.
  package func map<State: ~Copyable, Value: Sendable>(
    _ iterations: Int, state: @Sendable () -> State,
    _ body: @Sendable (_ state: inout State, _ index: Int) -> Value
  ) -> [Value] {
    let results = Mutex([Value?](repeating: nil, count: iterations))
    forEach(iterations, state: state) { own, index in
      let value = body(&own, index)
      results.withLock { $0[index] = value }
    }
    return results.withLock { $0.compactMap { $0 } }
  }
}

/// Done once: whoever calls `sgemm` decides on its threads, OpenBLAS does not.
private let openBLASIsSingleThreaded: Bool = {
  openblas_set_num_threads(1)
  return true
}()
