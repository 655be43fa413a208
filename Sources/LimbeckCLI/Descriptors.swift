import Foundation
import Storage
import SystemPackage

/// The files that the process may have open.
enum Descriptors {
  /// Raises the limit as far as the process may, and starts Dispatch while it has what it needs: later, without a
  /// free descriptor, it would end the process.
  ///
  /// - Throws: `FileFault` of the machine when there are too few for any work.
  static func prepare() throws(FileFault) {
    // Commands inherit nothing of the caller's, who may wait for it to close.
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
            + "; limbeck needs \(least) besides those of its caller "
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

  /// The least number that any work needs: those of Dispatch and a few files.
  private static let least = 20
  /// Callers leave few files open.
  private static let mostInherited: Int32 = 256
  private static let wanted: rlim_t = 4096
}
