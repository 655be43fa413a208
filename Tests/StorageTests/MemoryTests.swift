import Foundation
import Storage
import TestSupport
import Testing

@Suite("Memory that there is")
struct MemoryTests {
  @Test("meminfo: what is available, with free swap")
  func meminfo() {
    let text = "MemTotal:  100 kB\nMemFree: 10 kB\nMemAvailable:   50 kB\nSwapFree:  3 kB\n"
    #expect(MemoryFiles.available(inMeminfo: text) == 53 * 1024)
    #expect(MemoryFiles.available(inMeminfo: "MemFree: 10 kB\n") == nil)
  }

  /// Writes files in a new folder.
  private func folder(_ files: [String: String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(text, to: name) }
    return folder
  }

  @Test("control groups of version 2: own and outer limits, less what the cache can give back")
  func second() throws {
    let files = try folder([
      "a/memory.max": "1000\n", "a/memory.current": "900\n",
      "a/memory.stat": "anon 1\ninactive_file 300\n",
      "a/b/memory.max": "max\n", "a/b/memory.current": "100\n",
    ])
    let limits = MemoryFiles.groupLimits(membership: "0::/a/b\n", root: files.path)
    #expect(limits.map(\.available) == [400])
    #expect(limits.first?.name.contains("a/memory.max") == true)
  }

  @Test("control groups of version 1; a number close to the largest is no limit")
  func first() throws {
    let files = try folder([
      "memory/job/memory.limit_in_bytes": "5000\n", "memory/job/memory.usage_in_bytes": "6000\n",
      "memory/memory.limit_in_bytes": "9223372036854771712\n",
      "memory/memory.usage_in_bytes": "1\n",
    ])
    let limits = MemoryFiles.groupLimits(
      membership: "5:cpu,cpuacct:/x\n4:memory:/job\n", root: files.path)
    #expect(limits.map(\.available) == [0])
  }

  @Test("the least limit that does not suffice is told; addresses count for limits on them alone")
  func least() {
    let budget = MemoryBudget([
      .init(name: "addresses", available: 100, countsAddresses: true),
      .init(name: "machine", available: 80),
    ])
    #expect(budget.limit(below: 80) == nil)
    #expect(budget.limit(below: 90)?.name == "machine")
    #expect(budget.limit(below: 60, addresses: 50)?.name == "addresses")
  }

  @Test("sizes beyond all numbers saturate, and are refused with status 71")
  func saturation() {
    var need = MemoryNeed()
    need.add("weights", 1 << 40, 1 << 40)
    need.add("others", 3)
    #expect(need.bytes == .max)
    let budget = MemoryBudget([.init(name: "the limit", available: 1 << 40)])
    let fault = #expect(throws: MemoryFault.self) {
      try budget.require(need, for: "member-00", remedy: "use fewer units")
    }
    #expect(fault?.exitStatus == .system)
    #expect(fault?.description.hasPrefix("member-00: needs ") == true)
    #expect(fault?.description.hasSuffix("use fewer units") == true)
  }
}
