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

  @Test("better kernels are asked for only when OpenBLAS fell back and nobody chose")
  func kernels() {
    let avx512: Set<Substring> = ["avx2", "fma", "avx512f", "avx512dq", "avx512bw", "avx512vl"]
    func better(
      _ inUse: String, _ flags: Set<Substring>, _ environment: [String: String] = [:]
    ) -> String? {
      BLASKernels.better(than: inUse, environment: environment, processorFlags: flags)
    }
    #expect(better("Prescott", avx512) == "SkylakeX")
    #expect(better("Prescott", ["avx2", "fma"]) == "Haswell")
    #expect(better("Prescott", ["sse3"]) == nil)
    #expect(better("Zen", avx512) == nil)
    #expect(better("Prescott", avx512, ["OPENBLAS_CORETYPE": "Prescott"]) == nil)
  }
}
