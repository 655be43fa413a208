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
  private func folder(_ files: [String: String]) throws -> String {
    let root = NSTemporaryDirectory() + UUID().uuidString
    for (name, text) in files {
      let path = root + "/" + name
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try text.write(toFile: path, atomically: false, encoding: .utf8)
    }
    return root
  }

  @Test("control groups of version 2: own and outer limits, less what the cache can give back")
  func second() throws {
    let root = try folder([
      "a/memory.max": "1000\n", "a/memory.current": "900\n",
      "a/memory.stat": "anon 1\ninactive_file 300\n",
      "a/b/memory.max": "max\n", "a/b/memory.current": "100\n",
    ])
    defer { try? FileManager.default.removeItem(atPath: root) }
    let limits = MemoryFiles.groupLimits(membership: "0::/a/b\n", root: root)
    #expect(limits.map(\.available) == [400])
    #expect(limits.first?.name.contains("a/memory.max") == true)
  }

  @Test("control groups of version 1; a number close to the largest is no limit")
  func first() throws {
    let root = try folder([
      "memory/job/memory.limit_in_bytes": "5000\n", "memory/job/memory.usage_in_bytes": "6000\n",
      "memory/memory.limit_in_bytes": "9223372036854771712\n",
      "memory/memory.usage_in_bytes": "1\n",
    ])
    defer { try? FileManager.default.removeItem(atPath: root) }
    let limits = MemoryFiles.groupLimits(
      membership: "5:cpu,cpuacct:/x\n4:memory:/job\n", root: root)
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
