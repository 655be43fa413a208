import Corpus
import Foundation
import Logging
import Experiments
import Storage
import Synchronization

/// Writes log lines and progress to standard error.
///
/// On a terminal, the progress line below the log is overwritten; elsewhere, a progress line is
/// written every ten seconds.
final class Terminal: Sendable {
  private struct State {
    var work = ""
    /// When the work was first shown, and how much was done by then, perhaps by an earlier run.
    var start = ContinuousClock.now
    var doneBefore = 0.0
    var lastShown: ContinuousClock.Instant?
    var isLineOpen = false
  }

  private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
  private let state = Mutex(State())

  /// A reporter whose log, from a level up, and progress share standard error.
  static func reporter(from level: Logger.Level = .info) -> Reporter {
    let terminal = Terminal()
    var log = Logger(label: "limbeck") { _ in TerminalLogHandler(terminal: terminal) }
    log.logLevel = level
    return Reporter(log: log) { terminal.show($0) }
  }

  /// Writes a permanent line.
  func write(_ line: String) {
    state.withLock { state in
      Terminal.put((state.isLineOpen ? "\r\u{1B}[K" : "") + line.visible + "\n")
      state.isLineOpen = false
    }
  }

  /// Shows progress: the amount done, the total, the rate and the time left.
  ///
  /// At most ten times a second on a terminal, and every ten seconds elsewhere.
  private func show(_ progress: WorkProgress) {
    state.withLock { state in
      let now = ContinuousClock.now
      if state.work != progress.work {
        (state.work, state.start, state.lastShown) = (progress.work, now, nil)
        state.doneBefore = progress.done
      }
      let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(10)
      let isDone = progress.done >= progress.total
      guard isTerminal && isDone || now - (state.lastShown ?? state.start) >= pause else { return }
      state.lastShown = now
      let line = describe(
        progress, done: progress.done - state.doneBefore, in: (now - state.start) / .seconds(1))
      guard isTerminal else {
        Terminal.put(line.visible + "\n")
        return
      }
      Terminal.put("\r" + line.visible + "\u{1B}[K" + (isDone ? "\n" : ""))
      state.isLineOpen = !isDone
    }
  }

  /// A line of progress; its rate is `done` over `seconds`.
  private func describe(_ progress: WorkProgress, done: Double, in seconds: Double) -> String {
    let share = progress.total > 0 ? progress.done / progress.total : 1
    let line =
      progress.audioSeconds == nil
      ? String(format: "%3.0f %% of ", 100 * share) + progress.work
      : String(format: "%@: %.0f/%.0f ", progress.work, progress.done, progress.total)
        + progress.unit
    // The first report comes too early for a rate.
    guard seconds > 0.05, done > 0 else { return line }
    let left = seconds * max(0, progress.total - progress.done) / done
    let rate =
      progress.audioSeconds.map { String(format: ", %.0f × real time", $0 / seconds) }
      ?? String(format: ", %.0f ", done / seconds) + progress.unit + "/s"
    return line + rate + (progress.remark.map { ", " + $0 } ?? "")
      + String(format: ", %d:%02d left", Int(left) / 60, Int(left) % 60)
  }

  /// Writes a line to standard error.
  static func complain(_ line: String) { put(line.visible + "\n") }

  /// Writes to standard error, ignoring that it is full or closed.
  private static func put(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// Writes a result to standard output.
  ///
  /// - Throws: `FileFault.unwritable` when it cannot be written, as on a full disk.
  static func print(_ text: String) throws(FileFault) { try write(Data(text.utf8)) }

  /// Writes bytes to standard output.
  ///
  /// - Throws: `FileFault.unwritable` when they cannot be written.
  static func write(_ bytes: Data) throws(FileFault) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Foundation.write(
          STDOUT_FILENO, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
      }
      if count < 0, errno != EINTR { throw .writing(.named("standard output")) }
      done += max(0, count)
    }
  }
}

/// Sends log lines to the terminal, without labels or times.
private struct TerminalLogHandler: LogHandler {
  let terminal: Terminal
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    terminal.write((event.level >= .warning ? "\(event.level): " : "") + "\(event.message)")
  }
}
