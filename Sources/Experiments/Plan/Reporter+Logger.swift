package import Corpus
package import Logging

extension Reporter {
  /// A reporter whose lines go to a logger.
  package init(log: Logger, progress: @escaping @Sendable (WorkProgress) -> Void) {
    let lines = Log { level, line in
      switch level {
      case .info: log.info("\(line)")
      case .warning: log.warning("\(line)")
      case .error: log.error("\(line)")
      }
    }
    self.init(log: lines, progress: progress)
  }
}
