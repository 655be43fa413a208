/// How a program ends, as in `sysexits.h`.
package enum ExitStatus: Int32, Sendable {
  /// All was done.
  case done = 0
  /// The command was not called as it must be.
  case usage = 64
  /// Some input data was bad; what could be done is done.
  case data = 65
  /// An input does not exist or cannot be opened.
  case noInput = 66
  /// The program itself is at fault.
  case software = 70
  /// Reading or writing failed.
  case inputOutput = 74
}

/// A failure that the user or the data caused: it says what is wrong and where, and how the program
/// should end if nothing catches it.
package protocol Fault: Error, CustomStringConvertible {
  /// The status to exit with.
  var exitStatus: ExitStatus { get }
}

/// A file that is missing, cannot be read or written, or does not hold what it should.
package enum FileFault: Fault, Equatable {
  case missing(path: String)
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)
  /// `line` counts from one.
  case malformedLine(path: String, line: Int, expected: String, found: String)
  /// `offset` counts bytes from the start of the file.
  case malformedBytes(path: String, offset: Int, expected: String, found: String)
  case malformed(path: String, expected: String, found: String)

  package var exitStatus: ExitStatus {
    switch self {
    case .missing: .noInput
    case .unreadable, .unwritable: .inputOutput
    case .malformedLine, .malformedBytes, .malformed: .data
    }
  }

  package var description: String {
    switch self {
    case .missing(let path): "\(path): no such file"
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .malformedLine(let path, let line, let expected, let found):
      "\(path):\(line): expected \(expected), found \(found)"
    case .malformedBytes(let path, let offset, let expected, let found):
      "\(path): at byte \(offset): expected \(expected), found \(found)"
    case .malformed(let path, let expected, let found):
      "\(path): expected \(expected), found \(found)"
    }
  }
}
