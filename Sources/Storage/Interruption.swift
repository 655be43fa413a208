import Foundation
import Synchronization

/// The request of a user or a scheduler, by SIGINT or SIGTERM, that the work end at the next place from which
/// it can go on.
///
/// Until `listen()` is called the signals end the process at once, as they do by default. From then on the first one
/// is only noted; the work asks `check()` between two pieces. A second one ends the process at once.
package enum Interruption {
  /// The signals that are listened to.
  package enum Signal: Int32, Sendable, CaseIterable, CustomStringConvertible {
    case interrupt = 2
    case terminate = 15

    /// The status of a process that it ends, as a shell gives it: 128 and the signal's number.
    package var exitStatus: ExitStatus {
      switch self {
      case .interrupt: .interrupted
      case .terminate: .terminated
      }
    }

    package var description: String {
      switch self {
      case .interrupt: "SIGINT"
      case .terminate: "SIGTERM"
      }
    }
  }

  /// The number of the signal that came; 0 before.
  private static let received = Atomic<Int32>(0)

  /// The signal that came; nil before.
  package static var signal: Signal? { Signal(rawValue: received.load(ordering: .relaxed)) }

  /// Notes SIGINT and SIGTERM from now on; one that the process was started to ignore is still ignored.
  ///
  /// Both are unblocked: a process that a thread of a pool started has the thread's mask, which blocks them. Call it
  /// on the main thread, before there are others.
  package static func listen() {
    // Made before a handler could need it.
    received.store(0, ordering: .relaxed)
    for own in Signal.allCases {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { number in
        Interruption.received.store(number, ordering: .relaxed)
        // Without an array: a handler may not allocate.
        _ = Foundation.signal(SIGINT, SIG_DFL)
        _ = Foundation.signal(SIGTERM, SIG_DFL)
      }
      // Calls of the kernel that are under way are taken up again.
      action.sa_flags = SA_RESTART
      var former = sigaction()
      unsafe sigaction(own.rawValue, nil, &former)
      let isIgnored = unsafe unsafeBitCast(former.__sigaction_handler.sa_handler, to: Int.self) == 1
      if !isIgnored { unsafe sigaction(own.rawValue, &action, nil) }
    }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for own in Signal.allCases { unsafe sigaddset(&signals, own.rawValue) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Throws once a signal has come.
  ///
  /// - Throws: `FileFault.interrupted`.
  package static func check() throws(FileFault) {
    if let signal { throw .interrupted(signal) }
  }
}
