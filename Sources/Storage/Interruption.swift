import Foundation
import Synchronization

/// A request by SIGINT or SIGTERM that the work stop at the next point from which it can resume.
///
/// Until `listen()` is called, the signals end the process at once, as they do by default. From then on the first
/// signal is only recorded, and the work calls `check()` between pieces. A second signal ends the process at once.
package enum Interruption {
  /// The signals that request a stop.
  package enum Signal: Int32, Sendable, CaseIterable, CustomStringConvertible {
    case interrupt = 2
    case terminate = 15

    /// The status of a process that it ends, as a shell reports it: 128 plus the signal's number.
    package var exitStatus: ExitStatus {
      switch self {
      case .interrupt: .interrupted
      case .terminate: .terminated
      }
    }

    /// The signal's name, `SIGINT` or `SIGTERM`.
    package var description: String {
      switch self {
      case .interrupt: "SIGINT"
      case .terminate: "SIGTERM"
      }
    }
  }

  /// The number of the signal received; 0 before.
  private static let received = Atomic<Int32>(0)

  /// The signal received; nil before.
  package static var signal: Signal? { Signal(rawValue: received.load(ordering: .relaxed)) }

  /// Records SIGINT and SIGTERM from now on; a signal that was ignored at start-up stays ignored.
  ///
  /// Both are unblocked: a process started from a pool thread inherits that thread's mask, which blocks them. Call this
  /// on the main thread, before starting any others.
  package static func listen() {
    // Initialised before a handler could need it.
    received.store(0, ordering: .relaxed)
    for own in Signal.allCases {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { number in
        Interruption.received.store(number, ordering: .relaxed)
        // No array: a handler must not allocate.
        _ = Foundation.signal(SIGINT, SIG_DFL)
        _ = Foundation.signal(SIGTERM, SIG_DFL)
      }
      // System calls under way are restarted.
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

  /// Throws once a signal has been received.
  ///
  /// - Throws: `FileFault.interrupted`.
  package static func check() throws(FileFault) {
    if let signal { throw .interrupted(signal) }
  }
}
