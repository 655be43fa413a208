import Storage
package import SystemPackage

/// How far a long piece of work is.
package struct WorkProgress: Sendable {
  /// What is being done, as in `features`.
  package let work: String
  package let done: Double
  package let total: Double
  /// What is counted, as in `frames`.
  package let unit: String
  /// The seconds of audio that went through since the work began; nil when it is not about audio.
  package var audioSeconds: Double?
  /// What it has come to so far, in words.
  package var remark: String?

  package init(
    work: String, done: Double, total: Double, unit: String, audioSeconds: Double? = nil,
    remark: String? = nil
  ) {
    (self.work, self.done, self.total, self.unit) = (work, done, total, unit)
    (self.audioSeconds, self.remark) = (audioSeconds, remark)
  }
}

/// Where the stages tell what they do: lines that stay, and progress that may be overwritten.
package struct Reporter: Sendable {
  /// Lines that stay, each of which begins with what it is about.
  package struct Log: Sendable {
    /// What a line is.
    package enum Level: Sendable { case info, warning, error }

    private let write: @Sendable (Level, String) -> Void

    /// - Parameter write: may be called from several threads.
    package init(_ write: @escaping @Sendable (Level, String) -> Void) { self.write = write }

    package func info(_ line: String) { write(.info, line) }
    package func warning(_ line: String) { write(.warning, line) }
    package func error(_ line: String) { write(.error, line) }
  }

  package let log: Log
  /// May be called from several threads, often; a call is not to take long.
  package let progress: @Sendable (WorkProgress) -> Void

  package init(log: Log, progress: @escaping @Sendable (WorkProgress) -> Void) {
    (self.log, self.progress) = (log, progress)
  }
}

extension Reporter {
  /// Warns of utterances that were skipped: names the first of them, with their reasons.
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
