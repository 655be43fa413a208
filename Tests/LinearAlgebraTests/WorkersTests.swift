import Foundation
import LinearAlgebra
import Synchronization
import Testing

@Suite("Threads")
struct WorkersTests {
  @Test("each index is visited once, for any number of threads", arguments: [1, 2, 5])
  func visitsOnce(threads: Int) {
    let visits = Mutex([Int](repeating: 0, count: 1000))
    Workers(count: threads).forEach(1000) { index in visits.withLock { $0[index] += 1 } }
    #expect(visits.withLock { $0.allSatisfy { $0 == 1 } })
  }

  @Test("parts cover the whole and their bounds do not depend on the threads")
  func parts() {
    func bounds(_ workers: Workers) -> [Range<Int>] {
      let found = Mutex([Range<Int>]())
      workers.forEachPart(of: 10, size: 4) { part in found.withLock { $0.append(part) } }
      return found.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } }
    }
    #expect(bounds(.one) == [0..<4, 4..<8, 8..<10])
    #expect(bounds(Workers(count: 3)) == bounds(.one))
  }

  @Test("results come in the order of the indices, with one state a thread")
  func map() {
    let states = Atomic(0)
    let results = Workers(count: 2).map(
      100, state: { states.wrappingAdd(1, ordering: .relaxed).newValue }
    ) { _, index in index * index }
    #expect(results == (0..<100).map { $0 * $0 })
    #expect((1...2).contains(states.load(ordering: .relaxed)))
  }

  @Test("a piece of work has the threads of those that have ended")
  func company() {
    let company = Workers.Company(pieces: 5, width: 4)
    let workers = Workers(count: 8).shared(in: company)
    #expect(workers.current == 2 && workers.count == 8)
    company.end()
    #expect(workers.current == 2)
    company.end()
    #expect(workers.current == 2)
    company.end()
    #expect(workers.current == 4)
    for _ in 0..<2 { company.end() }
    #expect(workers.current == 8)
    let visits = Mutex([Int](repeating: 0, count: 100))
    workers.forEach(100) { index in visits.withLock { $0[index] += 1 } }
    #expect(visits.withLock { $0.allSatisfy { $0 == 1 } })
  }

  @Test("better kernels are asked for only when OpenBLAS fell back and nobody chose")
  func kernels() {
    func better(
      _ inUse: String, _ level: BLASKernels.Level, _ environment: [String: String] = [:]
    ) -> String? {
      BLASKernels.better(than: inUse, environment: environment, level: level)
    }
    #expect(better("Prescott", .avx512) == "SkylakeX")
    #expect(better("Prescott", .avx2) == "Haswell")
    #expect(better("Prescott", .baseline) == nil)
    #expect(better("Zen", .avx512) == nil)
    #expect(better("Prescott", .avx512, ["OPENBLAS_CORETYPE": "Prescott"]) == nil)
  }
}

@Suite("Phases of tasks")
struct PhaseTests {
  @Test(
    "each task is done once, and none before the phase before it is done", arguments: [1, 2, 4])
  func order(threads: Int) {
    let team = PhaseTeam(count: threads)
    // Some calls come at once, before some the threads have gone to sleep.
    for call in 0..<200 {
      let sizes = [3, 0, 7, 1, 40 + call % 3, 2]
      let done = Mutex([[Int]](repeating: [], count: sizes.count))
      let early = Atomic(0)
      team.run(sizes) { phase, task, slot in
        done.withLock { done in
          if (0..<phase).contains(where: { done[$0].count != sizes[$0] }) || slot >= threads {
            early.add(1, ordering: .relaxed)
          }
          done[phase].append(task)
        }
      }
      #expect(early.load(ordering: .relaxed) == 0)
      #expect(done.withLock { $0.map { $0.sorted() } } == sizes.map { Array(0..<$0) })
      if call % 50 == 49 { usleep(20000) }
    }
  }
}

@Suite("Values made ahead")
struct PrefetchTests {
  private struct Stop: Error {}

  @Test("come in order to the end, of used ones where there are such")
  func order() throws {
    let next = Atomic(0)
    let recycled = Mutex([Int]())
    let ahead = Prefetch<Int>(depth: 3) { used in
      if let used { recycled.withLock { $0.append(used) } }
      let value = next.add(1, ordering: .relaxed).newValue
      return value <= 50 ? value : nil
    }
    var (found, last): ([Int], Int?) = ([], nil)
    while let value = try ahead.next(recycling: last) {
      found.append(value)
      last = value
    }
    #expect(found == Array(1...50))
    #expect(recycled.withLock { $0.allSatisfy { (1...50).contains($0) } && !$0.isEmpty })
  }

  @Test("a fault comes in its turn")
  func fault() throws {
    let next = Atomic(0)
    let ahead = Prefetch<Int>(depth: 4) { _ in
      let value = next.add(1, ordering: .relaxed).newValue
      if value == 3 { throw Stop() }
      return value
    }
    #expect(try ahead.next() == 1)
    #expect(try ahead.next() == 2)
    #expect(throws: Stop.self) { try ahead.next() }
    #expect(try ahead.next() == nil)
  }
}
