import Foundation
package import SystemPackage

/// The memory still available to a process under each limit that applies.
package struct MemoryBudget: Sendable, Equatable {
  /// One limit.
  package struct Limit: Sendable, Equatable {
    /// Its name in messages, with the command that shows or sets it.
    package let name: String
    /// The bytes left, never negative.
    package let available: Int
    /// Whether memory that is mapped but not yet written counts.
    package let countsAddresses: Bool

    /// A limit; a negative `available` becomes 0.
    package init(name: String, available: Int, countsAddresses: Bool = false) {
      (self.name, self.available) = (name, max(0, available))
      self.countsAddresses = countsAddresses
    }
  }

  /// All known limits; empty when there are none.
  package let limits: [Limit]

  /// A budget of given limits, in any order.
  package init(_ limits: [Limit]) { self.limits = limits }

  /// What this process has left now, by its resource limits, its control groups (v1 and v2) and the machine's memory.
  package static func current() -> MemoryBudget {
    let pages = MemoryFiles.numbers(in: text(of: "/proc/self/statm"))
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    var limits: [Limit] = []
    for (resource, field, name) in [
      (RLIMIT_AS, 0, "the limit on address space (ulimit -v)"),
      (RLIMIT_DATA, 5, "the limit on data (ulimit -d)"),
    ] {
      var limit = rlimit()
      guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
        limit.rlim_cur < UInt64(Int.max),
        pages.indices.contains(field)
      else { continue }
      limits.append(
        Limit(
          name: name, available: Int(limit.rlim_cur) - pages[field] * page, countsAddresses: true))
    }
    limits += MemoryFiles.groupLimits(
      membership: text(of: "/proc/self/cgroup"), root: "/sys/fs/cgroup")
    if let free = MemoryFiles.available(inMeminfo: text(of: "/proc/meminfo")) {
      limits.append(Limit(name: "the machine's free memory", available: free))
    }
    return MemoryBudget(limits)
  }

  /// The tightest limit that is too low for some work; nil when all suffice.
  ///
  /// - Parameters:
  ///   - bytes: the bytes that the work writes.
  ///   - addresses: further bytes that it maps and may never write, such as thread stacks.
  /// - Returns: a limit that is too low.
  package func limit(below bytes: Int, addresses: Int = 0) -> Limit? {
    limits.filter { limit in
      bytes.addingSaturated(limit.countsAddresses ? addresses : 0) > limit.available
    }.min { $0.available < $1.available }
  }

  fileprivate static func text(of path: FilePath) -> String { MemoryFiles.text(of: path) }
}

/// The files in which Linux reports memory use.
package enum MemoryFiles {
  /// The text of a system file; empty when it cannot be read.
  static func text(of path: FilePath) -> String {
    (try? TextFile.bytes(of: path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// The numbers of a line.
  static func numbers(in text: String) -> [Int] {
    text.split(whereSeparator: \.isWhitespace).map { Int($0) ?? 0 }
  }

  /// `MemAvailable` plus `SwapFree` of `/proc/meminfo`, in bytes; nil when missing.
  package static func available(inMeminfo text: String) -> Int? {
    func kibibytes(_ key: String) -> Int? {
      text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        .flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") }
    }
    return kibibytes("MemAvailable").map { 1024 * ($0 + (kibibytes("SwapFree") ?? 0)) }
  }

  /// The limits of a process's control groups, up to the root.
  ///
  /// - Parameters:
  ///   - membership: the text of `/proc/self/cgroup`.
  ///   - root: where the groups are mounted.
  /// - Returns: a limit for each group that has one. Memory that the system can reclaim at once, the inactive file
  ///   cache, does not count as used.
  package static func groupLimits(membership: String, root: FilePath) -> [MemoryBudget.Limit] {
    var limits: [MemoryBudget.Limit] = []
    for line in membership.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isSecond = fields[1].isEmpty
      guard isSecond || fields[1].split(separator: ",").contains("memory") else { continue }
      let names =
        isSecond
        ? ("memory.max", "memory.current", "inactive_file")
        : ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
      let mount = isSecond ? root : root.appending("memory")
      var group = fields[2].split(separator: "/")
      while true {
        let folder = mount.appending(group.joined(separator: "/"))
        // No limit is "max" in v2, and a number close to the largest in v1.
        if let limit = number(in: folder.appending(names.0)), limit < 1 << 60,
          let used = number(in: folder.appending(names.1))
        {
          let cached = statistic(names.2, in: text(of: folder.appending("memory.stat")))
          limits.append(
            MemoryBudget.Limit(
              name: "the control group's limit (\(folder.appending(names.0)))",
              available: limit - max(0, used - cached)))
        }
        if group.isEmpty { break }
        group.removeLast()
      }
    }
    return limits
  }

  private static func number(in path: FilePath) -> Int? {
    Int(text(of: path).trimmingCharacters(in: .whitespacesAndNewlines))
  }

  private static func statistic(_ key: String, in text: String) -> Int {
    text.split(separator: "\n").first { $0.hasPrefix(key + " ") }
      .flatMap { Int($0.dropFirst(key.count + 1)) } ?? 0
  }
}
