import COpenBLAS
import Dispatch
import Foundation
import Synchronization

/// The number of threads that one piece of work may use.
///
/// This file and `PhaseTeam` are the only owners of threads that compute.
///
/// Work is cut into parts whose bounds do not depend on the number of threads, and no two parts
/// write the same memory; so the number of threads changes the time and not the result. Many
/// independent jobs share the cores with one thread each; one big network has them all. OpenBLAS
/// itself is held to one thread throughout.
package struct Workers: Sendable {
  /// The most threads, at least one.
  package let count: Int
  /// The pieces of work that share them; nil when this one has them alone.
  private let company: Company?

  package init(count: Int) {
    self.init(count: count, company: nil)
  }

  private init(count: Int, company: Company?) {
    precondition(count > 0, "Workers: \(count) is not a number of threads")
    (self.count, self.company) = (count, company)
    _ = openBLASIsSingleThreaded
  }

  /// Pieces of work that share some threads, so many at a time, until there are fewer left.
  package final class Company: Sendable {
    private let width: Int
    private let left: Atomic<Int>

    /// - Parameters:
    ///   - pieces: how many there are, at least one.
    ///   - width: how many are done side by side, at least one.
    package init(pieces: Int, width: Int) {
      self.width = width
      left = Atomic(pieces)
    }

    /// Says that one has ended.
    package func end() { left.wrappingSubtract(1, ordering: .relaxed) }

    fileprivate var count: Int { max(1, min(width, left.load(ordering: .relaxed))) }
  }

  /// These workers for one of some pieces of work, which has more of them when others have ended.
  package func shared(in company: Company) -> Workers { Workers(count: count, company: company) }

  /// The threads that the work may use now, from one to `count`; it changes while a piece of company ends.
  package var current: Int { company.map { max(1, count / $0.count) } ?? count }

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
