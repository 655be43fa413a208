package import Logging

/// How far a long piece of work is.
package struct WorkProgress: Sendable {
  /// What is being done: `features train`, `members and baseline` …
  package let work: String
  package let done: Double
  package let total: Double
  /// What is counted: `frames`, `s of audio` …
  package let unit: String
}

/// Where the stages tell what they do: lines that stay, and progress that may be overwritten.
package struct Reporter: Sendable {
  package let log: Logger
  /// May be called from several threads, often; a call is not to take long.
  package let progress: @Sendable (WorkProgress) -> Void

  package init(log: Logger, progress: @escaping @Sendable (WorkProgress) -> Void) {
    (self.log, self.progress) = (log, progress)
  }
}
