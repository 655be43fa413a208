import Corpus
import Evaluation
import Foundation
import Logging
import Experiments
import Storage
import Synchronization

/// Writes log lines and progress to standard error.
///
/// On a terminal, the progress line below the log is overwritten, and no line is wider than the
/// terminal; elsewhere, a progress line is written every ten seconds.
final class Terminal: Sendable {
  /// How much a command reports while it works.
  enum Detail {
    /// The log and the progress.
    case all
    /// The progress, warnings and errors.
    case progress
    /// Warnings and errors.
    case warnings
  }

  private struct State {
    var work = ""
    /// When the work was first shown, and how much was done by then, perhaps by an earlier run.
    var start = ContinuousClock.now
    var doneBefore = 0.0
    var lastShown: ContinuousClock.Instant?
    /// Whether the end of the work was shown.
    var isDone = false
    /// The length of the progress line on which the cursor is; nil when it is on an empty line.
    var openLine: Int?
  }

  private let isTerminal = Screen.errors.isTerminal
  private let state = Mutex(State())

  /// A reporter whose log and progress share standard error.
  static func reporter(_ detail: Detail = .all) -> Reporter {
    let terminal = Terminal()
    var log = Logger(label: "limbeck") { _ in TerminalLogHandler(terminal: terminal) }
    log.logLevel = detail == .all ? .info : .warning
    return Reporter(log: log) { if detail != .warnings { terminal.show($0) } }
  }

  /// Writes a permanent line.
  func write(_ line: String) {
    state.withLock { state in
      let columns = Screen.errors.columns
      let text = columns.map { line.visible.folded(to: $0) } ?? line.visible
      Terminal.put(Terminal.eraser(state.openLine, columns) + text + "\n")
      state.openLine = nil
    }
  }

  /// Shows progress: the amount done, the rate and the time left.
  ///
  /// At most twice a second on a terminal, and every ten seconds elsewhere.
  private func show(_ progress: WorkProgress) {
    state.withLock { state in
      let now = ContinuousClock.now
      if state.work != progress.work {
        (state.work, state.start, state.lastShown) = (progress.work, now, nil)
        (state.doneBefore, state.isDone) = (progress.done, false)
      }
      let pause: Duration = isTerminal ? .milliseconds(500) : .seconds(10)
      let isDone = progress.done >= progress.total
      if isDone && state.isDone { return }
      guard isTerminal && isDone || now - (state.lastShown ?? state.start) >= pause else { return }
      (state.lastShown, state.isDone) = (now, isDone)
      let line = describe(
        progress, done: progress.done - state.doneBefore, in: (now - state.start) / .seconds(1)
      ).visible
      guard let columns = Screen.errors.columns else {
        Terminal.put(line + "\n")
        return
      }
      // The last column stays empty: a character there would move the cursor to the next line.
      let shown = line.count < columns ? line : line.prefix(max(0, columns - 2)) + "…"
      Terminal.put(Terminal.eraser(state.openLine, columns) + shown + (isDone ? "\n" : ""))
      state.openLine = isDone ? nil : shown.count
    }
  }

  /// What erases a progress line of a length, and moves to where it began.
  ///
  /// A window that has become narrower shows it on several lines.
  private static func eraser(_ length: Int?, _ columns: Int?) -> String {
    guard let length, let columns else { return "" }
    let above = max(0, length - 1) / max(1, columns)
    return "\r" + (above > 0 ? "\u{1B}[\(above)A" : "") + "\u{1B}[J"
  }

  /// A line of progress, in which what may be cut off comes last.
  ///
  /// The rate is `done` over `seconds`.
  private func describe(_ progress: WorkProgress, done: Double, in seconds: Double) -> String {
    let share = progress.total > 0 ? progress.done / progress.total : 1
    let line =
      "\(progress.work): "
      + (progress.audioSeconds == nil
        ? "\(Int(100 * share)) %"
        : String(format: "%.0f/%.0f ", progress.done, progress.total) + progress.unit)
    let remark = progress.remark.map { ", " + $0 } ?? ""
    // The first report comes too early for a rate.
    guard seconds > 0.05, done > 0 else { return line + remark }
    let left = seconds * max(0, progress.total - progress.done) / done
    let rate =
      progress.audioSeconds.map { String(format: ", %.0f × real time", $0 / seconds) }
      ?? ", \(grouped(Int(done / seconds))) \(progress.unit)/s"
    let time = ", \(Int(left) / 60):" + String(format: "%02d left", Int(left) % 60)
    return line + (progress.done < progress.total ? time : "") + rate + remark
  }

  /// Writes a line to standard error.
  static func complain(_ line: String) {
    put((Screen.errors.columns.map { line.visible.folded(to: $0) } ?? line.visible) + "\n")
  }

  /// Writes to standard error, ignoring that it is full or closed.
  private static func put(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// Writes text for people to standard output, folded to its width if that is a terminal.
  ///
  /// - Throws: `FileFault.unwritable` when it cannot be written, as on a full disk.
  static func print(_ text: String) throws(FileFault) {
    try write(Data((Screen.output.columns.map { text.folded(to: $0) } ?? text).utf8))
  }

  /// Writes text for programs, such as JSON, to standard output as it is.
  ///
  /// - Throws: `FileFault.unwritable` when it cannot be written.
  static func write(_ text: String) throws(FileFault) { try write(Data(text.utf8)) }

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
