import Foundation

/// Standard output or standard error, which may be a terminal.
enum Screen: Int32 {
  case output = 1
  case errors = 2

  /// The width of help and usage messages where there is no terminal and no `COLUMNS`.
  static let usualColumns = 80

  var isTerminal: Bool { isatty(rawValue) == 1 }

  /// The present width of the terminal in columns; nil when it is not a terminal.
  ///
  /// It is asked for each time, since a window can be resized.
  var columns: Int? {
    guard isTerminal else { return nil }
    var size = winsize()
    if unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return Screen.wantedColumns ?? Screen.usualColumns
  }

  /// The width that `COLUMNS` asks for.
  static var wantedColumns: Int? {
    ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
  }
}
