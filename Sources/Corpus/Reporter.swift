import Storage
import Synchronization
package import SystemPackage

/// The progress of a long task.
package struct WorkProgress: Sendable {
  /// The name of the task, such as `features`.
  package let work: String
  /// How much is done, in `unit`.
  package let done: Double
  /// The total to do, in `unit`.
  package let total: Double
  /// What is counted, such as `frames`.
  package let unit: String
  /// The seconds of audio processed since the task began; nil for a task without audio.
  package var audioSeconds: Double?
  /// The latest result, such as a loss, in words.
  package var remark: String?

  /// The progress of a task, with `done` out of `total` units.
  package init(
    work: String, done: Double, total: Double, unit: String, audioSeconds: Double? = nil,
    remark: String? = nil
  ) {
    (self.work, self.done, self.total, self.unit) = (work, done, total, unit)
    (self.audioSeconds, self.remark) = (audioSeconds, remark)
  }
}

/// Where the stages report: log lines that are kept, and progress that may be overwritten.
package struct Reporter: Sendable {
  /// The log, in which each line begins with its subject.
  package struct Log: Sendable {
    /// What a line is.
    package enum Level: Sendable { case info, warning, error }

    private let write: @Sendable (Level, String) -> Void

    /// - Parameter write: may be called from several threads.
    package init(_ write: @escaping @Sendable (Level, String) -> Void) { self.write = write }

    /// Logs what a person may want to know.
    package func info(_ line: String) { write(.info, line) }
    /// Logs what a person may have to act on.
    package func warning(_ line: String) { write(.warning, line) }
    /// Logs why something was not done.
    package func error(_ line: String) { write(.error, line) }
  }

  /// Receives the log lines.
  package let log: Log
  /// Receives progress, often and from several threads; it must return quickly.
  package let progress: @Sendable (WorkProgress) -> Void

  /// A reporter to a log and a progress display.
  package init(log: Log, progress: @escaping @Sendable (WorkProgress) -> Void) {
    (self.log, self.progress) = (log, progress)
  }
}

extension Reporter {
  /// Reports the progress of work on utterances.
  ///
  /// - Parameters:
  ///   - work: the name of the work.
  ///   - total: the number of utterances.
  /// - Returns: to be called after each utterance with the number done and the seconds of its audio.
  package func utterances(
    _ work: String, of total: Int
  ) -> @Sendable (_ done: Int, _ seconds: Double) -> Void {
    let seconds = Mutex(0.0)
    return { done, own in
      let all = seconds.withLock { sum in
        sum += own
        return sum
      }
      progress(
        WorkProgress(
          work: work, done: Double(done), total: Double(total), unit: "utterances",
          audioSeconds: all))
    }
  }

  /// Logs a warning for each of the first ten skipped utterances with its reason, and for the rest
  /// their number.
  ///
  /// - Parameters:
  ///   - leftOut: the entries of the skipped utterances.
  ///   - path: the ledger to refer to for the rest.
  package func name(_ leftOut: [Ledger.Entry], in path: FilePath) {
    let shown = 10
    for entry in leftOut.prefix(shown) {
      log.warning("\(entry.account)")
    }
    if leftOut.count > shown {
      log.warning("and \(leftOut.count - shown) more utterances skipped; see \(path.text)")
    }
  }
}
