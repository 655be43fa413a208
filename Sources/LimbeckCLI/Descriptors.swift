import Foundation
import Storage
import SystemPackage

/// The file descriptors that the process may have open.
enum Descriptors {
  /// Raises the descriptor limit as far as allowed, and starts Dispatch while descriptors are free.
  ///
  /// Dispatch would end the process if it were started later without a free descriptor.
  ///
  /// - Throws: a machine `FileFault` when there are too few descriptors for any work.
  static func prepare() throws(FileFault) {
    // Child commands must not inherit the caller's descriptors, since the caller may wait for them
    // to be closed.
    for inherited in 3..<mostInherited { _ = fcntl(inherited, F_SETFD, FD_CLOEXEC) }
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    if unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < min(limit.rlim_max, wanted) {
      limit.rlim_cur = min(limit.rlim_max, wanted)
      unsafe _ = setrlimit(resource, &limit)
    }
    var probes: [Int32] = []
    defer { for probe in probes { close(probe) } }
    for _ in 0..<least {
      let probe = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
      guard probe >= 0 else {
        throw .unreadable(
          path: "/dev/null",
          reason: FileFault.words(for: errno)
            + "; limbeck needs \(least) more than its caller's "
            + "(ulimit -n)")
      }
      probes.append(probe)
    }
    for probe in probes { close(probe) }
    probes = []
    let started = DispatchSemaphore(value: 0)
    DispatchQueue.global().async { started.signal() }
    started.wait()
  }

  /// The number of descriptors that any work needs: Dispatch's and a few files.
  private static let least = 20
  /// An upper bound on inherited descriptors; callers leave few files open.
  private static let mostInherited: Int32 = 256
  private static let wanted: rlim_t = 4096
}
