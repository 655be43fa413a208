import COpenBLAS
import Dispatch
import Foundation
import Synchronization

/// The number of threads that one piece of work may use.
///
/// This file and `PhaseTeam` are the only owners of compute threads.
///
/// Work is divided into parts whose bounds do not depend on the number of threads, and no two parts
/// write the same memory, so the number of threads affects the time but not the result. Many
/// independent jobs share the cores with one thread each; one big network uses them all. OpenBLAS
/// itself always runs on one thread.
package struct Workers: Sendable {
  /// The maximum number of threads, at least one.
  package let count: Int
  /// The pieces of work that share the threads; nil when this one has them to itself.
  private let company: Company?

  /// At most `count` threads, which must be positive.
  package init(count: Int) {
    self.init(count: count, company: nil)
  }

  private init(count: Int, company: Company?) {
    precondition(count > 0, "Workers: \(count) is not a number of threads")
    (self.count, self.company) = (count, company)
    _ = openBLASIsSingleThreaded
  }

  /// Pieces of work that share threads, at most `width` of them at a time.
  package final class Company: Sendable {
    private let width: Int
    private let left: Atomic<Int>

    /// - Parameters:
    ///   - pieces: the number of pieces, at least one.
    ///   - width: how many run in parallel, at least one.
    package init(pieces: Int, width: Int) {
      self.width = width
      left = Atomic(pieces)
    }

    /// Records that one piece has finished.
    package func end() { left.wrappingSubtract(1, ordering: .relaxed) }

    fileprivate var count: Int { max(1, min(width, left.load(ordering: .relaxed))) }
  }

  /// These workers for one of several pieces of work, which gets more threads as others finish.
  package func shared(in company: Company) -> Workers { Workers(count: count, company: company) }

  /// The number of threads that the work may use now, from one to `count`; it changes as other pieces finish.
  package var current: Int { company.map { max(1, count / $0.count) } ?? count }

  /// The calling thread alone.
  package static let one = Workers(count: 1)

  /// As many threads as there are active processors.
  package static let all = Workers(count: ProcessInfo.processInfo.activeProcessorCount)

  /// These workers if sharing work on `count` elements pays off, otherwise the calling thread alone.
  ///
  /// Waking a thread takes as long as processing some 100,000 elements.
  func forElements(_ count: Int) -> Workers { count < 1 << 17 ? .one : self }

  /// Runs `body` once for each index below `iterations`, in no particular order, and returns when
  /// all are done.
  package func forEach(_ iterations: Int, _ body: @Sendable (Int) -> Void) {
    let count = current
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

  /// Runs `body` once for each index below `iterations`, started in order, with a state per thread.
  ///
  /// The state, such as a Fourier plan, must not carry anything from one index to another.
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

  /// Runs `body` once for each block of `size` indices below `total`; the last may be shorter.
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

  /// What `body` returns for each index, in the order of the indices, with a state per thread.
  ///
  /// The state, such as a Fourier plan, must not carry anything from one index to another.
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

/// Set once: callers of `sgemm` decide on threads, not OpenBLAS.
private let openBLASIsSingleThreaded: Bool = {
  openblas_set_num_threads(1)
  return true
}()
